"""What motion costs: about how many bits an entry of a field takes, and what a bit is worth."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ...entropy.motion import SPREADS
from ...entropy.tables import Int32
from ..quality import step_size

SAD_PER_BIT = 0.18  # quantisation steps of absolute difference that are worth a bit of motion
# Of the fitted tables, by the spread of the neighbours: bits of a difference of 1 over none, and per octave.
FIRST_BITS, OCTAVE_BITS = (5.8, 3.0, 2.0, 1.3, 0.9, 0.9), (2.5, 3.0, 2.8, 2.2, 1.5, 0.8)
AROUND = ((1, 0), (-1, 0), (0, 1), (0, -1))  # right and down
DIAGONAL = ((1, 1), (-1, 1), (1, -1), (-1, -1))


def bit_price(level: Tensor) -> Tensor:
    """[N] levels -> [N] sums of absolute differences (of 0..255) that a bit of motion must save."""
    return SAD_PER_BIT * 255 * step_size(level)


def beside(motion: Tensor) -> list[Tensor]:
    """The fields [N, 2, h, w] of the neighbours at the four sides, those outside as the entry itself."""
    height, width = motion.shape[2:]
    padded = F.pad(motion, (1, 1, 1, 1), mode="replicate")
    return [
        padded[:, :, 1 + down : 1 + down + height, 1 + right : 1 + right + width] for right, down in AROUND
    ]


def neighbour_mean(motion: Tensor) -> Tensor:
    """The mean of the four neighbours of each entry, those outside as the entry itself."""
    right, left, below, above = beside(motion)
    return (left + right + above + below) / 4


def motion_bits(difference: Tensor) -> Tensor:
    """[N, 2, h, w] from what is expected -> [N, h, w]: about what coding it costs."""
    size = difference.abs()
    return (2 * torch.log2(1 + size) + 0.2 * (size > 0)).sum(1)


def bits_saved(difference: Int32, spread: Int32) -> NDArray[np.float64]:
    """About what differences [N, 2, n] cost more than none would, by the spread [N, n] of the neighbours."""
    kind = np.searchsorted(SPREADS, spread)[:, None]
    size = np.abs(difference)
    bits = np.array(FIRST_BITS)[kind] + np.array(OCTAVE_BITS)[kind] * np.log2(np.maximum(size, 1))
    return np.where(size > 0, bits, 0.0).sum(1)
