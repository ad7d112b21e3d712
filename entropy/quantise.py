"""The encoder's choice of symbols: near the latent, but not where a nearer one costs more than it gives.

Decoders never see this: any choice decodes, so floats are free here.
"""

import math
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from .latents import SYMBOL_LIMIT
from .tables import CODER_PRECISION, CdfTable, Int32

MAGNITUDES = 64  # rows are compared up to here; a wider symbol is simply rounded

# What an error of one squared quantisation step weighs, in bits. For a symbol alone it would be lambda *
# 255^2 * step^2 / 3 = 6 / ln 2 = 8.7 (see models.quality.step_size); but later ones are predicted from it,
# and 30 gave the best rate-distortion on held-out pictures at all qualities: 0.1 to 0.9 % of the loss.
ERROR_BITS = 30.0


@lru_cache(maxsize=8)
def price_steps(table: CdfTable) -> Tensor:
    """[rows, MAGNITUDES + 1] float32: bits of magnitude m over those of m - 1; 0 for m = 0 and beyond."""
    steps = np.zeros((table.rows, MAGNITUDES + 1), np.float32)
    for row in range(table.rows):
        bits = CODER_PRECISION - np.log2(table.probabilities(row)[:-1])  # without the escape
        rising = np.diff(bits[-int(table.offset[row]) :])[:MAGNITUDES]
        steps[row, 1 : len(rising) + 1] = rising
    return torch.from_numpy(steps)


def quantise(y: Tensor, mean: Tensor, rows: Tensor, table: CdfTable, error_bits: float = ERROR_BITS) -> Int32:
    """Symbols of latents: rounded, then one nearer to 0 where that saves more bits than the error weighs.

    Args:
        y: [n] latents in quantisation steps. mean: [n] in the same unit. rows: [n] int64 rows of `table`,
            whose distributions are symmetric around 0. error_bits: what the square of an error weighs;
            infinity to round.
    Returns:
        [n] int32, within +-SYMBOL_LIMIT.
    Source: rate-distortion optimised quantisation as in HM, one symbol at a time.
    """
    residual = y.float() - mean
    size = residual.abs()
    magnitude = size.round().clamp_(max=SYMBOL_LIMIT)
    if math.isinf(error_bits):
        return (magnitude * residual.sign()).to(torch.int32).cpu().numpy()
    price = price_steps(table).to(y.device)[rows, magnitude.clamp(max=MAGNITUDES).long()]
    price *= magnitude <= MAGNITUDES
    gain = error_bits * (2 * (size - magnitude) + 1)  # error of m - 1 over that of m
    magnitude -= ((gain < price) & (magnitude > 0)).float()
    return (magnitude * residual.sign()).to(torch.int32).cpu().numpy()
