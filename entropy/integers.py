"""Integers held in floats: how far they are exact, their sums and shifts, and those of a model file."""

from typing import Final

import torch
from torch import Tensor

from ..bitstream.errors import FormatError

EXACT: Final = 2**24  # float32 holds every integer up to here
MAX_SHIFT: Final = 23  # bits: the rounding term alone stays below EXACT


def exact_add(x: Tensor, y: Tensor, low: int, high: int) -> Tensor:
    """Add two tensors on the same scale, both below 2**23 in magnitude, and clamp."""
    return torch.add(x, y).clamp_(low, high)


def exact_rescale(x: Tensor, shift: int | Tensor, low: int, high: int) -> Tensor:
    """Divide by 2**shift, rounding halves up, and clamp; |x| + 2**(shift-1) must be below 2**24.

    Args:
        shift: 0 to 23, one for all or integers [C] for the channels of x [..., C], of its dtype and device.
    """
    if isinstance(shift, int):
        if not 0 <= shift <= MAX_SHIFT:
            raise ValueError(f"shift must be 0 to {MAX_SHIFT}, found {shift}")
        shift = torch.tensor(float(shift), dtype=x.dtype, device=x.device)
    step = torch.exp2(shift)  # powers of two: sum, product and quotient are exact
    return x.add(torch.floor(step / 2)).div_(step).floor_().clamp_(low, high)


def upsample(x: Tensor) -> Tensor:
    """Depth to space: [N, H, W, 4C] to [N, 2H, 2W, C].

    Channel c*4 + dy*2 + dx goes to channel c of the pixel dy below and dx right, as in torch's pixel_shuffle.
    """
    n, height, width, channels = x.shape
    if channels % 4:
        raise ValueError(f"upsampling needs a multiple of 4 channels, found {channels}")
    blocks = x.reshape(n, height, width, channels // 4, 2, 2)
    return blocks.permute(0, 1, 4, 2, 5, 3).reshape(n, 2 * height, 2 * width, channels // 4)


def powers_of_two(shift: Tensor) -> Tensor:
    """2**shift of integers."""
    return torch.bitwise_left_shift(torch.ones_like(shift), shift)


def rounding(shift: Tensor) -> Tensor:
    """What is added before a division by 2**shift: 2**(shift - 1), and 0 where the shift is 0."""
    return powers_of_two(shift) // 2


def certify_shifts(name: str, shift: Tensor) -> None:
    """Raises ValueError unless exact_rescale takes these shifts of latents."""
    if shift.min() < 0 or shift.max() > MAX_SHIFT:
        raise ValueError(f"{name}: latents are shifted by {int(shift.min())} to {int(shift.max())} bits")


def checked_integers(tensor: Tensor, axes: int, low: int, high: int, what: str) -> Tensor:
    """A model file's tensor as int64 on the CPU. Raises FormatError unless it holds integers of the range."""
    if tensor.ndim != axes or tensor.numel() == 0 or tensor.is_complex() or tensor.dtype == torch.bool:
        raise FormatError(
            f"{what} must hold numbers on {axes} axes, found {tensor.dtype} {list(tensor.shape)}"
        )
    values = tensor.detach().cpu()
    if values.is_floating_point() and not bool((values == values.floor()).all()):
        raise FormatError(f"{what} must hold integers")
    smallest, largest = values.min().item(), values.max().item()
    if not low <= smallest <= largest <= high:
        raise FormatError(f"{what} must lie in {low} to {high}, found {smallest} to {largest}")
    return values.to(torch.int64, copy=True)
