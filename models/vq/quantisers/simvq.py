"""SimVQ: a codebook behind one learned linear map, which moves all codes together, used or not."""

import torch
from torch import Tensor, nn

from .base import Quantiser
from .clustering import k_means


class SimVQ(Quantiser):
    """Codes are the rows of base @ mix.

    Args:
        channels: length of a code. codes: how many. learned_base: train the base too, and not the map alone.
    Source: SimVQ, arXiv:2411.02038.
    """

    def __init__(self, channels: int, codes: int, learned_base: bool = False) -> None:
        super().__init__()
        self.codes = codes
        self.base = nn.Parameter(torch.randn(codes, channels), requires_grad=learned_base)
        self.mix = nn.Parameter(torch.eye(channels))

    def codebook(self) -> Tensor:
        """[codes, channels]."""
        with torch.autocast(self.base.device.type, enabled=False):
            return self.base @ self.mix

    def nearest(self, x: Tensor) -> Tensor:
        """See Quantiser."""
        return nearest_row(x, self.codebook().detach())

    def look_up(self, indices: Tensor) -> Tensor:
        """See Quantiser."""
        return nn.functional.embedding(indices, self.codebook()).permute(0, 3, 1, 2)

    @torch.no_grad()
    def start_from(self, samples: Tensor, generator: torch.Generator) -> None:
        """See Quantiser: the base becomes the samples' k-means centres."""
        self.set_codebook(k_means(samples, self.codes, generator))

    @torch.no_grad()
    def set_codebook(self, codebook: Tensor) -> None:
        """Take [codes, channels] as they are: the map becomes the identity."""
        self.base.copy_(codebook)
        self.mix.copy_(torch.eye(self.mix.shape[0]))


def nearest_row(x: Tensor, rows: Tensor) -> Tensor:
    """[n, C] and [K, C] -> [n] int64: the row at the smallest squared distance, the first of equals."""
    with torch.autocast(x.device.type, enabled=False):
        return torch.addmm(rows.square().sum(1), x.float(), rows.T.float(), alpha=-2).argmin(1)
