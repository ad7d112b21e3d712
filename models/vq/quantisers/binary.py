"""Binary spherical quantisation: a vector goes to the unit sphere, and each channel keeps its sign."""

import torch
from torch import Tensor
from torch.nn import functional as F

from .base import COMMITMENT
from .product import ProductQuantiser, per_channel

ENTROPY_WEIGHT = 0.1  # of certain and evenly used bits in the loss; source: both papers
SMALLEST = 1e-6  # of the squared length that is divided by: a vector of zeros has a finite gradient


class BinarySpherical(ProductQuantiser):
    """Codes are the corners of a cube inside of the unit sphere: one bit a channel.

    The loss is the commitment and, in nats a bit, how uncertain each bit is at its place less how evenly
    it is used over all places, of bits drawn with the probability that the distances to both codes give.
    `centre` of the input, per channel, is fixed by `start_from`.
    Source: BSQ, arXiv:2406.07548; its entropy loss is that of LFQ, arXiv:2310.05737.
    """

    centre: Tensor

    def __init__(self, bits: int, entropy_weight: float = ENTROPY_WEIGHT) -> None:
        super().__init__((2,) * bits)
        self.entropy_weight = entropy_weight
        self.register_buffer("centre", torch.zeros(bits))

    def prepare(self, x: Tensor) -> Tensor:
        """See Quantiser: on the unit sphere."""
        centred = x.float() - per_channel(self.centre, x)
        return centred * torch.rsqrt(centred.square().sum(1, keepdim=True) + SMALLEST)

    def nearest(self, x: Tensor) -> Tensor:
        """See Quantiser."""
        return self.join((x >= self.centre).long().unbind(1))

    def look_up(self, indices: Tensor) -> Tensor:
        """See Quantiser."""
        signs = torch.stack(self.symbols(indices), 1) * 2 - 1
        return signs / len(self.alphabets) ** 0.5

    def penalty(self, ready: Tensor, code: Tensor) -> Tensor:
        """See Quantiser."""
        commitment = COMMITMENT * (ready - code).square().mean(1)
        logits = 4 * len(self.alphabets) ** 0.5 * ready  # about +-4 at a code
        uncertain = (F.softplus(logits) - logits * torch.sigmoid(logits)).mean(1)
        share = torch.sigmoid(logits).transpose(0, 1).flatten(1).mean(1)
        even = -(torch.xlogy(share, share) + torch.xlogy(1 - share, 1 - share)).mean()
        return commitment + self.entropy_weight * (uncertain - even)

    @torch.no_grad()
    def start_from(self, samples: Tensor, generator: torch.Generator) -> None:
        """See Quantiser: the median of each channel goes to 0, so that its bit is even."""
        self.centre.copy_(samples.median(0).values)
