"""Plain vector quantisation: a codebook of free vectors, the baseline of the others."""

import torch
from torch import Tensor, nn

from .base import Quantiser
from .clustering import k_means
from .simvq import nearest_row


class PlainVQ(Quantiser):
    """Every code is a parameter of its own, and only those that are chosen learn.

    Args:
        channels: length of a code. codes: how many.
    Source: VQ-VAE, arXiv:1711.00937.
    """

    def __init__(self, channels: int, codes: int) -> None:
        super().__init__()
        self.codes = codes
        self.codebook = nn.Parameter(torch.randn(codes, channels))

    def nearest(self, x: Tensor) -> Tensor:
        """See Quantiser."""
        return nearest_row(x, self.codebook.detach())

    def look_up(self, indices: Tensor) -> Tensor:
        """See Quantiser."""
        return nn.functional.embedding(indices, self.codebook).permute(0, 3, 1, 2)

    @torch.no_grad()
    def start_from(self, samples: Tensor, generator: torch.Generator) -> None:
        """See Quantiser: the codes become the samples' k-means centres."""
        self.codebook.copy_(k_means(samples, self.codes, generator))
