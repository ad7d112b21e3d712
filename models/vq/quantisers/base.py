"""What every quantiser does."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn

COMMITMENT = 0.25  # weight of the encoder's share of the loss; source: VQ-VAE, arXiv:1711.00937


@dataclass(frozen=True, slots=True)
class Quantised:
    """What a quantiser makes of [N, C, h, w].

    value: [N, C, h, w], whose gradient passes straight through to the input. indices: [N, h, w] int64.
    loss: [N, h, w], mean square per value, of the codebook and of the encoder's commitment.
    """

    value: Tensor
    indices: Tensor
    loss: Tensor


class Quantiser(nn.Module, ABC):
    """One index a place, out of `codes`."""

    codes: int

    @abstractmethod
    def nearest(self, x: Tensor) -> Tensor:
        """[n, C] -> [n] int64: the index of the nearest code."""

    @abstractmethod
    def look_up(self, indices: Tensor) -> Tensor:
        """[N, h, w] int64 -> [N, C, h, w], differentiable in the codebook."""

    @abstractmethod
    def start_from(self, samples: Tensor, generator: torch.Generator) -> None:
        """Fit to samples [n, C] before training."""

    def forward(self, x: Tensor) -> Quantised:
        """Quantise [N, C, h, w], float32."""
        flat = x.detach().permute(0, 2, 3, 1).reshape(-1, x.shape[1])
        indices = self.nearest(flat).view(x.shape[0], *x.shape[2:])
        code = self.look_up(indices)
        loss = ((code - x.detach()) ** 2).mean(1) + COMMITMENT * ((x - code.detach()) ** 2).mean(1)
        return Quantised(straight_through(x, code), indices, loss)


def straight_through(x: Tensor, code: Tensor) -> Tensor:
    """`code` with the gradient of `x`."""
    return x + (code - x).detach()
