"""Blocks that are shown as predicted: where nothing changes, what the frame before has is left alone."""

import torch
from torch import Tensor
from torch.nn import functional as F

from ..quality import lambda_of

BLOCK_PX = 16  # as the latents
FIRST_BITS, OCTAVE_BITS = 3.0, 1.5  # of a latent that is not 0


def spread_out(skipped: Tensor) -> Tensor:
    """A map [N, 1, h, w] for pixels, [N, 1, 16 h, 16 w]."""
    return skipped.repeat_interleave(BLOCK_PX, 2).repeat_interleave(BLOCK_PX, 3)


def errors(frame: Tensor, other: Tensor) -> Tensor:
    """[N, 1, h, w]: the mean squared error of each block, 0..1."""
    return F.avg_pool2d(((other.float() - frame) ** 2).mean(1, keepdim=True), BLOCK_PX)


def choose_skips(frame: Tensor, predicted: Tensor, decoded: Tensor, y: Tensor, level: Tensor) -> Tensor:
    """The encoder's choice [N, 1, h, w]: blocks of which the prediction is nearly as near to the frame.

    What nearly is, the bits decide that are saved: a guess from the rounded latents.

    Args:
        frame, predicted, decoded: [N, 3, 16 h, 16 w], 0..1. y: [N, C, h, w], rounded. level: [N], 0..63.
    """
    size = y.abs()
    bits = torch.where(size > 0, FIRST_BITS + OCTAVE_BITS * torch.log2(size.clamp_min(1)), 0).sum(
        1, keepdim=True
    )
    price = bits / (lambda_of(level)[:, None, None, None] * 255**2 * BLOCK_PX**2)
    return errors(frame, predicted) <= errors(frame, decoded) + price
