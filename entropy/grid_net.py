"""The networks of one grid of codebook indices: tokens in, logits of each stage out."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .block import ExactBlock
from .integers import EXACT, exact_add
from .linear import ExactLinear
from .tables import Int32


@dataclass(frozen=True)
class GridNet:
    """The stages of one grid.

    Attributes:
        embeddings: for each stage [codes + 1, C], the vector of each token; integers on the residual grid.
        blocks: one after the other on that grid.
        heads: for each stage, C to codes; logits in sixteenths of a nat.
    """

    embeddings: tuple[Tensor, ...]
    blocks: tuple[ExactBlock, ...]
    heads: tuple[ExactLinear, ...]

    def __call__(self, tokens: Int32, start: Tensor | None = None) -> Tensor:
        """Tokens [h, w, stages], and what is added to their vectors, -> [1, h, w, C]."""
        bound = self.blocks[0].bound
        indices = torch.from_numpy(tokens.astype(np.int64)).to(self.embeddings[0].device)
        first, *rest = (table[indices[..., number]] for number, table in enumerate(self.embeddings))
        x = sum(rest, first)[None]
        x = x.clamp_(-bound, bound) if start is None else exact_add(x, start, -bound, bound)
        for block in self.blocks:
            x = block(x)
        return x

    def certify(self, added: int = 0) -> int:
        """See ExactBlock.certify; `added` is the largest magnitude of what is added."""
        largest = added + sum(int(table.abs().max()) for table in self.embeddings)
        if largest >= EXACT:
            raise ValueError(f"the vectors of tokens can reach {largest}, which is not below 2**24 = {EXACT}")
        heads = [head.certify(self.blocks[0].bound) for head in self.heads]
        return max(largest, *heads, *(block.certify() for block in self.blocks))
