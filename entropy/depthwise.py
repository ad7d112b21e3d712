"""The exact depthwise convolution: nine shifted multiply-adds of integers."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..bitstream.errors import FormatError
from .layer import ExactLayer, InputMax, input_magnitudes


class ExactDepthwise(ExactLayer):
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
            np.abs(self.weight.numpy()).sum(axis=0) * input_magnitudes(input_max, self.weight.shape[1])
        )
