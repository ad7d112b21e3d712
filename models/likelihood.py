"""What a symbol costs under the density that a network predicts, as networks are trained by it."""

import torch
from torch import Tensor

PROBABILITY_MIN = 1e-9


def gaussian_bits(residual: Tensor, sigma: Tensor) -> Tensor:
    """Bits of a unit bin around `residual` under a zero-mean Gaussian, elementwise, float32."""
    size = residual.abs()
    upper = torch.erfc((size - 0.5) / (sigma * 2**0.5))
    lower = torch.erfc((size + 0.5) / (sigma * 2**0.5))
    return -torch.log2((0.5 * (upper - lower)).clamp_min(PROBABILITY_MIN))
