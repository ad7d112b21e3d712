"""The processes that train one model together, as torchrun starts them; alone when it did not."""

import os
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar, cast

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class World:
    """This process (`rank`) among `size`. Rank 0 evaluates, saves and prints."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def any(self, flag: bool, device: torch.device) -> bool:
        """Whether any process raises its flag: all get the same answer, so that all stop together."""
        if self.size == 1:
            return flag
        raised = torch.tensor(float(flag), device=device)
        distributed.all_reduce(raised, distributed.ReduceOp.MAX)
        return bool(raised)

    def of_first(self, value: Value) -> Value:
        """What rank 0 has, plain values and tensors, in every process."""
        if self.size == 1:
            return value
        box: list[object] = [value if self.leads else None]
        distributed.broadcast_object_list(box)
        return cast(Value, box[0])

    @torch.no_grad()
    def follow_first(self, net: nn.Module) -> None:
        """Give `net` the weights and buffers it has in rank 0."""
        for tensor in chain(net.parameters(), net.buffers()) if self.size > 1 else ():
            distributed.broadcast(tensor, 0)

    def in_step(self, net: nn.Module, device: torch.device) -> nn.Module:
        """`net`, whose gradients are the mean of those of all processes."""
        if self.size == 1:
            return net
        return DistributedDataParallel(net, device_ids=[device] if device.type == "cuda" else None)

    def wait(self) -> None:
        """Until every process is here."""
        if self.size > 1:
            distributed.barrier()


def join(device: str) -> tuple[World, torch.device]:
    """Join the processes that torchrun started, each on a device of its own.

    Args:
        device: auto, cpu, cuda or cuda:N; `cuda` of several processes is the GPU of the local rank.
    Source: https://docs.pytorch.org/docs/stable/elastic/run.html (WORLD_SIZE, RANK, LOCAL_RANK).
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    cuda = torch.cuda.is_available()
    name = ("cuda" if cuda else "cpu") if device == "auto" else device
    try:
        torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"there is no device '{name}': use auto, cpu, cuda or cuda:N") from error
    if name.startswith("cuda") and not cuda:
        raise ValueError(f"device '{name}' is not available here: use auto or cpu")
    if size == 1:
        return World(), torch.device(name)
    place = torch.device(f"cuda:{os.environ['LOCAL_RANK']}" if name == "cuda" else name)
    if place.type == "cuda":
        torch.cuda.set_device(place)
    distributed.init_process_group("nccl" if place.type == "cuda" else "gloo")
    return World(distributed.get_rank(), distributed.get_world_size()), place


def leave() -> None:
    """Undo `join`."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()
