"""Exact integer layers on float32 or int8: every device, thread count and library gives the same numbers.

A sum of integers is exact in float32, in whatever order, as long as no partial sum can reach 2**24. `certify`
proves that for a layer from its weights and its largest input; then clamp(floor((acc + 2**(k-1)) / 2**k),
low, high) has one possible answer. Float64 is the reference (exact to 2**53), int64 the oracle of the tests.

Tensors are [N, H, W, C] and hold integers. A zero may carry a sign: turn results to integers before hashing
them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

import numpy as np
import torch
from numpy import typing as npt
from torch import Tensor

from ..bitstream.errors import FormatError
from .integers import EXACT, MAX_SHIFT, checked_integers, powers_of_two, rounding

MAX_WEIGHT: Final = 2**15

Layer = TypeVar("Layer", bound="ExactLayer")
InputMax = int | Sequence[int] | npt.NDArray[np.integer]


@dataclass(frozen=True, eq=False)
class ExactLayer:
    """What the layers share.

    Attributes:
        weight: integers up to 2**15 in magnitude, int64 on the CPU; shape as the layer says.
        bias: [C_out], int64, below 2**24 in magnitude.
        shift: [C_out], int64, 0 to 23: k of the division by 2**k. Where k is 0 nothing is added for rounding.
        low, high: the clamp, below 2**24 in magnitude.
        name: for messages.
        dtype, device: of the sums; see `to`.
    Raises:
        FormatError: tensors of other shapes, or not integers of these ranges (they come from a model file).
    """

    weight: Tensor
    bias: Tensor
    shift: Tensor
    low: int
    high: int
    name: str = "layer"
    dtype: torch.dtype = torch.float32
    device: torch.device | str = "cpu"
    # What the sums use: weights as they multiply, bias with the rounding term in it, and 2**-k.
    _factors: Tensor = field(init=False, repr=False)
    _start: Tensor = field(init=False, repr=False)
    _scale: Tensor = field(init=False, repr=False)

    _weight_axis = 0  # the axis of output channels

    def __post_init__(self) -> None:
        weight = checked_integers(self.weight, 2, -MAX_WEIGHT, MAX_WEIGHT, f"{self.name}: weight")
        bias = checked_integers(self.bias, 1, 1 - EXACT, EXACT - 1, f"{self.name}: bias")
        shift = checked_integers(self.shift, 1, 0, MAX_SHIFT, f"{self.name}: shift")
        channels = weight.shape[self._weight_axis]
        if bias.shape != (channels,) or shift.shape != (channels,):
            raise FormatError(
                f"{self.name}: weight {list(weight.shape)} needs bias and shift of {channels} channels, "
                f"found {list(bias.shape)} and {list(shift.shape)}"
            )
        if not -EXACT < self.low <= self.high < EXACT:
            raise FormatError(f"{self.name}: clamp from {self.low} to {self.high} is empty or beyond 2**24")
        start = bias + rounding(shift)
        derived = {"weight": weight, "bias": bias, "shift": shift, "_start": self._place(start)}
        derived["_factors"] = self._place(weight.t().contiguous() if self._weight_axis == 0 else weight)
        derived["_scale"] = self._place(1 / powers_of_two(shift).double())
        for key, tensor in derived.items():
            object.__setattr__(self, key, tensor)

    def _place(self, tensor: Tensor) -> Tensor:
        return tensor.to(dtype=self.dtype, device=self.device)

    @property
    def output_max(self) -> int:
        """The largest magnitude the clamp lets out: what the next layer's `certify` wants to know."""
        return max(abs(self.low), abs(self.high))

    def to(self: Layer, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu") -> Layer:
        """Copy the layer for sums in float32 or float64 on a device."""
        if dtype not in (torch.float32, torch.float64):
            raise ValueError(f"exact layers run in float32 or float64, not in {dtype}")
        return replace(self, dtype=dtype, device=device)

    def _requantise(self, accumulator: Tensor) -> Tensor:
        # In place: the sums of a layer are large and nobody else sees them. A factor 2**-k is exact, a
        # division is slow.
        return accumulator.mul_(self._scale).floor_().clamp_(self.low, self.high)

    def _certify(self, bounds: npt.NDArray[np.int64]) -> int:
        bounds = bounds + np.abs(self.bias.numpy()) + rounding(self.shift).numpy()
        channel = int(bounds.argmax())
        if bounds[channel] >= EXACT:
            raise ValueError(
                f"{self.name}: output channel {channel} can reach {bounds[channel]}, "
                f"which is not below 2**24 = {EXACT}: split its inputs into groups or use fewer bits"
            )
        return int(bounds[channel])


def input_magnitudes(input_max: InputMax, channels: int) -> npt.NDArray[np.int64]:
    """The largest magnitude of each input channel. Raises ValueError where they are no such numbers."""
    largest = np.asarray(input_max, dtype=np.int64)
    if largest.shape not in ((), (channels,)) or (largest < 0).any() or (largest >= EXACT).any():
        raise ValueError(
            f"input_max must be 0 to 2**24 - 1, for all or each of {channels} channels, found {input_max}"
        )
    return np.broadcast_to(largest, (channels,))
