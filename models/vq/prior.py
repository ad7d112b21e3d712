"""The float twin of the index model: which index a place probably has, given those that are known.

Trained with tokens left out at random, as MaskGIT (arXiv:2202.04200): the same network codes a stage from the
stages before it and fills in what was lost. entropy.indices is what it becomes in integers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..blocks import blocks, start_at_zero

VECTOR_STD = 0.5  # of the vectors of tokens before training


@dataclass(frozen=True)
class PriorConfig:
    """codes: of each stage, coarse ones first. coarse: how many these are. width, blocks: of either grid."""

    codes: tuple[int, ...]
    coarse: int
    width: int = 128
    blocks: int = 3


class GridPrior(nn.Module):
    """The stages of one grid: vectors of tokens, a trunk, and a head for each stage."""

    def __init__(self, codes: tuple[int, ...], width: int, count: int) -> None:
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(number + 1, width) for number in codes)
        self.trunk = blocks(width, count, half=True)
        self.heads = nn.ModuleList(nn.Conv2d(width, number, 1) for number in codes)
        for embedding in self.embeddings:
            assert isinstance(embedding, nn.Embedding)
            nn.init.normal_(embedding.weight, std=VECTOR_STD)
        for head in self.heads:
            assert isinstance(head, nn.Conv2d)
            start_at_zero(head)

    @torch.no_grad()
    def start_from(self, codebooks: Sequence[Tensor]) -> None:
        """Begin with token vectors that lie to each other as the codes [codes, vector] of the stages do."""
        for embedding, book in zip(self.embeddings, codebooks, strict=True):
            assert isinstance(embedding, nn.Embedding)
            centred = book - book.mean(0)
            spread = torch.randn(book.shape[1], embedding.weight.shape[1]) / sqrt(book.shape[1])
            embedding.weight[1:] = centred / centred.square().mean().sqrt() @ spread * VECTOR_STD

    def forward(self, tokens: Tensor, start: Tensor | None = None) -> Tensor:
        """Tokens [N, stages, h, w] and what is added to their vectors -> [N, width, h, w]."""
        x = torch.zeros(()) if start is None else start
        for number, embedding in enumerate(self.embeddings):
            x = x + embedding(tokens[:, number]).permute(0, 3, 1, 2)
        return self.trunk(x.contiguous(memory_format=torch.channels_last))


class IndexPrior(nn.Module):
    """Logits of the indices of any stage; tokens are index + 1, 0 where not known."""

    def __init__(self, config: PriorConfig) -> None:
        super().__init__()
        self.config = config
        self.coarse = GridPrior(config.codes[: config.coarse], config.width, config.blocks)
        self.lift = nn.Conv2d(config.width, 4 * config.width, 1)  # each place has four below it
        self.fine = GridPrior(config.codes[config.coarse :], config.width, config.blocks)

    def coarse_logits(self, stage: int, tokens: Tensor) -> Tensor:
        """Coarse tokens [N, coarse stages, h, w] -> [N, codes, h, w] of a coarse stage."""
        return self.coarse.heads[stage](self.coarse(tokens))

    def lifted(self, tokens: Tensor, size: tuple[int, int]) -> Tensor:
        """Coarse tokens -> what they say of the fine grid, [N, width, *size]."""
        return F.pixel_shuffle(self.lift(self.coarse(tokens)), 2)[..., : size[0], : size[1]]

    def fine_logits(self, stage: int, coarse: Tensor, fine: Tensor) -> Tensor:
        """Tokens of both grids -> [N, codes, h, w] of a fine stage (numbered from the first coarse one)."""
        feature = self.fine(fine, self.lifted(coarse, (fine.shape[2], fine.shape[3])))
        return self.fine.heads[stage - self.config.coarse](feature)

    def logits(self, stage: int, coarse: Tensor, fine: Tensor) -> Tensor:
        """Of any stage, on its own grid."""
        if stage < self.config.coarse:
            return self.coarse_logits(stage, coarse)
        return self.fine_logits(stage, coarse, fine)
