"""SimVQ whose gradient is that of a softmax over the codes."""

import torch
from torch import Tensor

from .base import Quantised
from .simvq import SimVQ

TEMPERATURE = 0.3  # of the softmax, in mean squared distances to the nearest code


class SoftVQ(SimVQ):
    """SimVQ in value, a mixture of codes in gradient, for the input and for the codes.

    Passed straight through, the gradient of a coarse quantiser drives the encoder outwards, to where no code
    can follow it; a softmax moves a vector only as far as other codes are near.
    Its commitment is as heavy as the codebook's loss: with less, the encoder outran the codes.
    Source: soft-to-hard quantisation, arXiv:1704.00648.
    """

    commitment = 1.0

    def forward(self, x: Tensor) -> Quantised:
        """See Quantiser."""
        with torch.autocast(x.device.type, enabled=False):
            book = self.codebook()
            flat = x.float().permute(0, 2, 3, 1).reshape(-1, x.shape[1])
            distance = flat.square().sum(1, True) + book.square().sum(1) - 2 * flat @ book.T
            least, nearest = distance.min(1)
            scale = TEMPERATURE * least.detach().mean().clamp_min(1e-6)
            shape = x.shape[0], *x.shape[2:], x.shape[1]
            soft = (torch.softmax(-distance / scale, 1) @ book).view(shape).permute(0, 3, 1, 2)
            indices = nearest.view(shape[:-1])
            code = self.look_up(indices)
            return Quantised(code.detach() + (soft - soft.detach()), indices, self.penalty(x, code))
