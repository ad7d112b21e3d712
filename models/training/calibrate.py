"""Calibration: how far each activation of the entropy networks really reaches."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ..quality import LEVELS
from .data import Pictures
from .objective import TrainingModel
from .validation import held_out_crop

Ranges = dict[str, Tensor]


@contextmanager
def recording(net: nn.Module, ranges: Ranges) -> Iterator[None]:
    """Inside, `ranges[name]` grows to the largest |input| per channel of every convolution of `net`."""

    def hook(name: str):
        def record(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            reach = inputs[0].detach().float().abs().amax((0, 2, 3))
            ranges[name] = torch.maximum(ranges[name], reach) if name in ranges else reach

        return record

    handles = [
        module.register_forward_pre_hook(hook(name))
        for name, module in net.named_modules()
        if isinstance(module, nn.Conv2d)
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@torch.no_grad()
def calibrate(net: TrainingModel, pictures: Pictures, crops: int = 64) -> Ranges:
    """Run `crops` pictures through, over all qualities; ranges by module name inside `net.model`."""
    ranges: Ranges = {}
    net.eval()
    with recording(net.model, ranges):
        for number in range(crops):
            level = torch.tensor([float(number * 37 % LEVELS)])
            net(held_out_crop(pictures, number * 7 % len(pictures)), level)
    return ranges
