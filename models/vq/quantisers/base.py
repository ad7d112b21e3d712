"""What every quantiser does."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn

COMMITMENT = 0.25  # weight of the encoder's share of the loss; source: VQ-VAE, arXiv:1711.00937


@dataclass(frozen=True, slots=True)
class Quantised:
    """What a quantiser makes of [N, C, h, w].

    value: [N, C, h, w], the looked-up codes, whose gradient passes straight through to the input.
    indices: [N, h, w] int64. loss: [N, h, w], by default the mean square per value of the codebook and of
    the encoder's commitment.
    """

    value: Tensor
    indices: Tensor
    loss: Tensor


class Quantiser(nn.Module, ABC):
    """One index a place, out of `codes`."""

    codes: int
    commitment: float = COMMITMENT

    @property
    def alphabets(self) -> tuple[int, ...]:
        """How many values each of the symbols has that an index is written as; their product is `codes`."""
        return (self.codes,)

    def symbols(self, indices: Tensor) -> tuple[Tensor, ...]:
        """An index as its symbols, each of its shape: the index itself, unless it is of a product."""
        return (indices,)

    @abstractmethod
    def nearest(self, x: Tensor) -> Tensor:
        """[n, C] -> [n] int64: the index of the nearest code."""

    @abstractmethod
    def look_up(self, indices: Tensor) -> Tensor:
        """[N, h, w] int64 -> [N, C, h, w], differentiable in the codebook."""

    @abstractmethod
    def start_from(self, samples: Tensor, generator: torch.Generator) -> None:
        """Fit to samples [n, C] before training."""

    def prepare(self, x: Tensor) -> Tensor:
        """What codes are to be near, [N, C, ...] as the input: the input itself, unless it is bounded."""
        return x

    def penalty(self, ready: Tensor, code: Tensor) -> Tensor:
        """The loss [N, h, w] of `ready`, what `prepare` gave, and its codes, both [N, C, h, w]."""
        codebook = ((code - ready.detach()) ** 2).mean(1)
        return codebook + self.commitment * ((ready - code.detach()) ** 2).mean(1)

    def forward(self, x: Tensor) -> Quantised:
        """Quantise [N, C, h, w], float32."""
        flat = x.detach().permute(0, 2, 3, 1).reshape(-1, x.shape[1])
        indices = self.nearest(flat).view(x.shape[0], *x.shape[2:])
        code, ready = self.look_up(indices), self.prepare(x)
        return Quantised(straight_through(ready, code), indices, self.penalty(ready, code))


def straight_through(x: Tensor, code: Tensor) -> Tensor:
    """`code`, to the bit, with the gradient of `x`."""
    return code.detach() + (x - x.detach())
