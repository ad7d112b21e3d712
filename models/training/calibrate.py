"""Calibration: how far each activation of the entropy networks really reaches."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ..quality import LEVELS
from .objective import LatentCoding

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
def calibrate(net: LatentCoding, samples: Iterable[Tensor]) -> Ranges:
    """Run samples, as the net takes them, over all qualities; ranges by module name in `net.model`."""
    ranges: Ranges = {}
    net.eval()
    with recording(net.model, ranges):
        for number, sample in enumerate(samples):
            net(sample, torch.tensor([float(number * 37 % LEVELS)]))
    return ranges
