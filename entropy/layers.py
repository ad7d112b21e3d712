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
import torch.nn.functional as F
from numpy import typing as npt
from torch import Tensor

from ..bitstream.errors import FormatError
from . import int8

EXACT: Final = 2**24  # float32 holds every integer up to here
MAX_SHIFT: Final = 23  # bits: the rounding term alone stays below EXACT
MAX_WEIGHT: Final = 2**15

_Layer = TypeVar("_Layer", bound="_ExactLayer")
InputMax = int | Sequence[int] | npt.NDArray[np.integer]


@dataclass(frozen=True, eq=False)
class _ExactLayer:
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
        start = bias + _rounding(shift)
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

    def to(self: _Layer, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu") -> _Layer:
        """Copy the layer for sums in float32 or float64 on a device."""
        if dtype not in (torch.float32, torch.float64):
            raise ValueError(f"exact layers run in float32 or float64, not in {dtype}")
        return replace(self, dtype=dtype, device=device)

    def _requantise(self, accumulator: Tensor) -> Tensor:
        # In place: the sums of a layer are large and nobody else sees them. A factor 2**-k is exact, a
        # division is slow.
        return accumulator.mul_(self._scale).floor_().clamp_(self.low, self.high)

    def _certify(self, bounds: npt.NDArray[np.int64]) -> int:
        bounds = bounds + np.abs(self.bias.numpy()) + _rounding(self.shift).numpy()
        channel = int(bounds.argmax())
        if bounds[channel] >= EXACT:
            raise ValueError(
                f"{self.name}: output channel {channel} can reach {bounds[channel]}, "
                f"which is not below 2**24 = {EXACT}: split its inputs into groups or use fewer bits"
            )
        return int(bounds[channel])


@dataclass(frozen=True, eq=False)
class ExactLinear(_ExactLayer):
    """A 1x1 convolution as a matrix product: weight [out, in], x [..., in] to [..., out].

    Attributes:
        bytewise: multiply in int8, see `in_bytes`. Inputs and outputs are of `dtype` all the same.
    """

    bytewise: bool = False
    _bytes: tuple[Tensor, ...] = field(init=False, repr=False, default=())

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.bytewise and not self._fits_bytes():
            object.__setattr__(self, "bytewise", False)
        if self.bytewise:
            object.__setattr__(self, "_bytes", int8.weights_of(self._factors))

    def _fits_bytes(self) -> bool:
        # of one input channel the transposed weight has strides that the library misreads
        placed = self.dtype == torch.float32 and torch.device(self.device).type == "cpu"
        return placed and self.weight.shape[1] > 1 and int(self.weight.abs().max()) <= int8.TWO_BYTES

    def in_bytes(self, input_max: int) -> "ExactLinear":
        """The layer with products of int8, or as it is where inputs or weights are too large for them.

        Args:
            input_max: the largest magnitude of the inputs, which the caller guarantees.
        """
        return replace(self, bytewise=0 <= input_max <= int8.TWO_BYTES)

    def of_rows(self, rows: Tensor) -> "ExactLinear":
        """The layer that gives these output channels alone."""
        parts = {key: getattr(self, key)[rows] for key in ("weight", "bias", "shift")}
        return replace(self, **parts)

    def __call__(self, x: Tensor) -> Tensor:
        """Give clamp(floor((x @ W.T + b + 2**(k-1)) * 2**-k), low, high)."""
        rows = x.reshape(-1, x.shape[-1])
        if not self.bytewise:
            flat = self._requantise(torch.addmm(self._start, rows, self._factors))
            return flat.view(*x.shape[:-1], flat.shape[1])
        flat = rows.new_empty(len(rows), self._factors.shape[1])
        count = int8.rows_at_once(flat.shape[1])
        for given, found in zip(rows.split(count), flat.split(count), strict=True):
            torch.add(int8.product(given, self._bytes), self._start, out=found)
            self._requantise(found)
        return flat.view(*x.shape[:-1], flat.shape[1])

    def certify(self, input_max: InputMax) -> int:
        """Prove the sums exact: sum |w| * input_max + |b| + 2**(k-1) < 2**24 for every output channel.

        Args:
            input_max: the largest magnitude of the inputs, one for all or one for each input channel.
        Returns:
            The largest of the bounds.
        Raises:
            ValueError: a bound of 2**24 or more; the message names layer, channel and bound.
        """
        largest = _input_max(input_max, self.weight.shape[1])
        return self._certify(np.abs(self.weight.numpy()) @ largest)


class ExactDepthwise(_ExactLayer):
    """A depthwise 3x3 convolution, padded with zeros: weight [9, C], taps in raster order, x [N, H, W, C]."""

    _weight_axis = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.weight.shape[0] != 9:
            raise FormatError(f"{self.name}: weight needs 9 taps, found {self.weight.shape[0]}")

    def __call__(self, x: Tensor) -> Tensor:
        """Give clamp(floor((sum of the nine taps + b + 2**(k-1)) * 2**-k), low, high)."""
        # Multiply-adds, not a library's convolution: that one may choose an algorithm with inexact
        # transforms.
        height, width = x.shape[1:3]
        padded = F.pad(x, (0, 0, 1, 1, 1, 1))
        accumulator = torch.addcmul(self._start, padded[:, :height, :width], self._factors[0])
        for tap in range(1, 9):
            down, right = divmod(tap, 3)
            window = padded[:, down : down + height, right : right + width]
            accumulator.addcmul_(window, self._factors[tap])
        return self._requantise(accumulator)

    def certify(self, input_max: InputMax) -> int:
        """Prove the sums exact, as ExactLinear.certify does; input_max is one or one for each channel."""
        return self._certify(
            np.abs(self.weight.numpy()).sum(axis=0) * _input_max(input_max, self.weight.shape[1])
        )


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


def _rounding(shift: Tensor) -> Tensor:
    return powers_of_two(shift) // 2  # 2**(k-1), and 0 where k is 0


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


def _input_max(input_max: InputMax, channels: int) -> npt.NDArray[np.int64]:
    largest = np.asarray(input_max, dtype=np.int64)
    if largest.shape not in ((), (channels,)) or (largest < 0).any() or (largest >= EXACT).any():
        raise ValueError(
            f"input_max must be 0 to 2**24 - 1, for all or each of {channels} channels, found {input_max}"
        )
    return np.broadcast_to(largest, (channels,))
