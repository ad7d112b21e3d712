"""What an index costs, for a search that weighs bits against distance."""

import torch
from torch import Tensor

from .residual import ResidualQuantiser

ROUNDS = 3
UNSEEN = 0.3  # of an occurrence, that each code is taken to have had


@torch.no_grad()
def fit_rates(codes: ResidualQuantiser, samples: Tensor) -> None:
    """Set `bits` to what the search's own choices on samples [n, C] cost, and `left` to what it leaves.

    Each round searches with the costs that the last one found, as in entropy-constrained VQ.
    """
    x = samples.float().T[None, :, :, None]
    for bits in codes.bits():
        bits.zero_()
    for kept in range(len(codes.stages)):
        value = codes.look_up(codes.search(x, kept + 1)[: kept + 1])
        codes.left[kept] = (x - value).square().sum(1).mean()
    for _ in range(ROUNDS):
        for bits, found in zip(codes.bits(), codes.search(x, len(codes.stages)), strict=True):
            count = torch.bincount(found.flatten(), minlength=len(bits)) + UNSEEN
            bits.copy_((count.sum() / count).log2())
