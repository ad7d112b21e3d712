"""Finite scalar quantisation: each channel is bounded and rounded; no codebook is learned."""

from collections.abc import Sequence

import torch
from torch import Tensor

from .product import ProductQuantiser, per_channel

EDGE = 1e-3  # how far the bounded value stays from the next level beyond the last
EVEN_USE = (2 / torch.pi) ** 0.5  # tanh(EVEN_USE * x) is close to even over -1..1 for x of the normal law


class FSQ(ProductQuantiser):
    """Codes are the points of a grid in -1..1, `levels` along each channel; nothing can collapse.

    `centre` and `gain` of the input, per channel, are fixed by `start_from`, 0 and 1 without it. There
    is no loss: the codes do not move, and the bound keeps the input near them. Raises ValueError for less
    than three levels, and as ProductQuantiser does.
    Source: FSQ, arXiv:2309.15505, with atanh where its appendix has tan, so that 0 stays at 0.
    """

    levels: Tensor
    centre: Tensor
    gain: Tensor

    def __init__(self, levels: Sequence[int]) -> None:
        super().__init__(levels)
        if min(levels) < 3:  # of two, one would lie at 0 and the other beyond the bound
            raise ValueError(f"every channel needs three levels or more, not {tuple(levels)}")
        self.register_buffer("levels", torch.tensor(levels), persistent=False)
        self.register_buffer("centre", torch.zeros(len(levels)))
        self.register_buffer("gain", torch.ones(len(levels)))

    def prepare(self, x: Tensor) -> Tensor:
        """See Quantiser: bounded to about -1..1."""
        centre, gain, levels = (per_channel(each, x) for each in (self.centre, self.gain, self.levels))
        reach = (levels - 1) * (1 - EDGE) / 2
        offset = (levels % 2 == 0) / 2  # an even number of levels has no middle one: one more lies below 0
        shift = torch.atanh(offset / reach)
        return (torch.tanh((x.float() - centre) * gain + shift) * reach - offset) / (levels // 2)

    def nearest(self, x: Tensor) -> Tensor:
        """See Quantiser."""
        half = self.levels // 2
        return self.join((torch.round(self.prepare(x) * half).long() + half).unbind(1))

    def look_up(self, indices: Tensor) -> Tensor:
        """See Quantiser."""
        half = per_channel(self.levels // 2, indices[:, None])
        return (torch.stack(self.symbols(indices), 1) - half) / half

    def penalty(self, ready: Tensor, code: Tensor) -> Tensor:
        """See Quantiser: 0."""
        return torch.zeros_like(ready[:, 0])

    @torch.no_grad()
    def start_from(self, samples: Tensor, generator: torch.Generator) -> None:
        """See Quantiser: centre and gain such that normal samples use all levels about alike."""
        self.centre.copy_(samples.mean(0))
        self.gain.copy_(EVEN_USE / samples.std(0).clamp(min=1e-6))
