"""Dense exact convolutions: sums of thousands of integers, exact in float64, as products of shifted windows.

The convolutions of a hyper-decoder add up to some thousands of products, too many for the 2**24 of float32
(see entropy.layer); float64 holds every integer to 2**53, so 16-bit weights and 27-bit activations fit with
room to spare and nothing has to be calibrated. A library's convolution may choose an inexact algorithm
(Winograd, FFT); here a window's taps are matrix products of shifted inputs, and those only add and multiply.
"""

from dataclasses import dataclass, field
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from ..bitstream.errors import FormatError
from .integers import checked_integers, powers_of_two, rounding, upsample

EXACT: Final = 2**53  # float64 holds every integer up to here
MAX_WEIGHT: Final = 2**15 - 1  # stored in 16 bits
MAX_SHIFT: Final = 40  # bits
MAX_BOUND: Final = 2**27  # of activations
SLOPE_BITS: Final = 20  # slopes are multiples of 2**-20: 2**20 leaves negative values as they are
# Of each window: which phases of the output see it, and with what weight [in, out].
_Taps = tuple[tuple[tuple[int, Tensor], ...], ...]


@dataclass(frozen=True, eq=False)
class ExactConvolution:
    """A 3x3 convolution, or a 5x5 transposed one of stride 2, padded with zeros, and a leaky ReLU.

    Gives leak(clamp((sum of weight * input + bias + (1 << shift >> 1)) >> shift, -bound, bound)), where
    leak(x) is x, or (x * slope + 2**19) >> 20 below 0. Tensors are [N, H, W, C] of float64 and hold integers.

    Attributes:
        weight: [out, in, 3, 3], or [out, in, 5, 5] for the transposed one; int64, 16 bits.
        bias: [out] int64, below 2**52. shift: [out] int64, 0 to 40. bound: up to 2**27.
        slope: 0 (ReLU) to 2**20 (linear). device: of the sums.
    Raises:
        FormatError: tensors of other shapes, or not integers of these ranges (they come from a model file).
    Source: the transposed one is torch's ConvTranspose2d(stride=2, padding=2, output_padding=1).
    """

    weight: Tensor
    bias: Tensor
    shift: Tensor
    bound: int
    slope: int
    name: str = "convolution"
    device: torch.device | str = "cpu"
    _taps: _Taps = field(init=False, repr=False)
    _start: Tensor = field(init=False, repr=False)  # bias with the rounding term in it
    _scale: Tensor = field(init=False, repr=False)  # 2**-shift

    def __post_init__(self) -> None:
        weight = checked_integers(self.weight, 4, -MAX_WEIGHT, MAX_WEIGHT, f"{self.name}: weight")
        bias = checked_integers(self.bias, 1, 1 - EXACT // 2, EXACT // 2 - 1, f"{self.name}: bias")
        shift = checked_integers(self.shift, 1, 0, MAX_SHIFT, f"{self.name}: shift")
        out, _, *kernel = weight.shape
        if kernel not in ([3, 3], [5, 5]) or bias.shape != (out,) or shift.shape != (out,):
            raise FormatError(
                f"{self.name}: weight {list(weight.shape)} needs a kernel of 3x3 or 5x5 and {out} channels "
                f"of bias and shift, found {list(bias.shape)} and {list(shift.shape)}"
            )
        if not 0 < self.bound <= MAX_BOUND or not 0 <= self.slope <= 1 << SLOPE_BITS:
            raise FormatError(f"{self.name}: bound {self.bound} or slope {self.slope} is out of range")
        derived = {"weight": weight, "bias": bias, "shift": shift, "_taps": self._cut(weight)}
        derived["_start"] = (bias + rounding(shift)).to(self.device, torch.float64)
        derived["_scale"] = 1 / powers_of_two(shift).to(self.device, torch.float64)
        for key, value in derived.items():
            object.__setattr__(self, key, value)

    @property
    def doubles(self) -> bool:
        """Whether the output has twice the sides of the input."""
        return self.weight.shape[2] == 5

    def _cut(self, weight: Tensor) -> _Taps:
        """For each of the nine windows of a position in raster order, the taps that see it."""
        windows: list[tuple[tuple[int, Tensor], ...]] = []
        for down in range(3):
            for right in range(3):
                taps = self._taps_of(weight, down, right)
                placed = [(n, tap.t().contiguous().to(self.device, torch.float64)) for n, tap in taps]
                windows.append(tuple(placed))
        return tuple(windows)

    @staticmethod
    def _taps_of(weight: Tensor, down: int, right: int) -> list[tuple[int, Tensor]]:
        if weight.shape[2] == 3:
            return [(0, weight[:, :, down, right])]
        # An output at row 2q + a adds, over input rows q + d, d = -1, 0, 1, the tap a + 2 - 2d where there
        # is one: four phases of 9, 6, 6 and 4 taps.
        found: list[tuple[int, Tensor]] = []
        for phase in range(4):
            row, column = phase // 2 + 4 - 2 * down, phase % 2 + 4 - 2 * right
            if row < 5 and column < 5:
                found.append((phase, weight[:, :, row, column]))
        return found

    def __call__(self, x: Tensor) -> Tensor:
        """[N, H, W, in] -> [N, H, W, out], or [N, 2H, 2W, out] for the transposed one."""
        n, height, width, channels = x.shape
        padded = F.pad(x, (0, 0, 1, 1, 1, 1))
        shape = n * height * width, len(self._start)
        sums = [self._start.expand(shape).clone() for _ in range(4 if self.doubles else 1)]
        for number, taps in enumerate(self._taps):
            down, right = divmod(number, 3)
            window = padded[:, down : down + height, right : right + width].reshape(-1, channels)
            for phase, factor in taps:
                sums[phase].addmm_(window, factor)
        joined = sums[0] if len(sums) == 1 else torch.stack(sums, -1)
        scale = self._scale if len(sums) == 1 else self._scale[:, None]
        joined.mul_(scale).floor_().clamp_(-self.bound, self.bound)
        y = self._leak(joined).reshape(n, height, width, -1)
        return upsample(y) if self.doubles else y

    def _leak(self, x: Tensor) -> Tensor:
        if self.slope == 1 << SLOPE_BITS:
            return x
        if self.slope == 0:
            return x.clamp_(min=0)
        # A bound of 2**27 times a slope of at most 2**20 stays below 2**53.
        below = (x * self.slope).add_(2.0 ** (SLOPE_BITS - 1)).mul_(2.0**-SLOPE_BITS).floor_()
        return torch.where(x < 0, below, x)

    def certify(self, input_max: int) -> int:
        """Prove the sums exact: sum |w| * input_max + |b| + 2**(k-1) < 2**53 for every output channel.

        Returns:
            The largest of the bounds.
        Raises:
            ValueError: a bound of 2**53 or more; the message names layer, channel and bound.
        """
        # All 25 taps of a transposed one, though a phase adds at most 9. int64 cannot overflow: 2**63 is
        # reached by 2**21 products at the earliest.
        if self.weight[0].numel() >= 2**20 or not 0 <= input_max <= MAX_BOUND:
            raise ValueError(f"{self.name}: too wide to certify")
        largest = self.weight.abs().sum((1, 2, 3)) * input_max
        largest += self.bias.abs() + rounding(self.shift)
        channel = int(largest.argmax())
        if largest[channel] >= EXACT:
            raise ValueError(
                f"{self.name}: output channel {channel} can reach {int(largest[channel])}, which is not "
                "below 2**53: use fewer bits"
            )
        return int(largest[channel])
