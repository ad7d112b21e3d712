"""The temporal network in integers: what the frame before says of an inter frame's latents."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .integers import certify_shifts, exact_rescale
from .linear import ExactLinear
from .tensor_source import TensorSource, require

MOTION_CHANNELS = 8  # of an inter frame: 2x2 blocks of a latent, two components
MOTION_BOUND = 127  # of each of them, in sixteenths of a pixel


@dataclass(frozen=True)
class TemporalNet:
    """What is known before an inter frame -> a feature [N, h, w, prior] that is added to the hyper features.

    Inputs are the decoded latents of the frame before (grid 2^-6) and what the frame's motion does.
    """

    context_shift: Tensor  # [latent]: from the grid of the latents to that of the adaptor's input
    octaves: Tensor  # [levels, latent], as in PriorNet
    adaptor: ExactLinear
    bound: int

    def __call__(self, before: Tensor, level: int, motion: Tensor) -> Tensor:
        """Latents [N, h, w, latent] coded at `level`, and motion features [N, h, w, 8]."""
        shift = self.context_shift + self.octaves[level]
        context = exact_rescale(before, shift, -self.bound, self.bound)
        return self.adaptor(torch.cat([context, motion], -1))

    def certify(self) -> int:
        """See ExactBlock.certify."""
        certify_shifts("temporal", self.context_shift + self.octaves)
        latent = self.octaves.shape[1]
        return self.adaptor.certify(np.repeat([self.bound, MOTION_BOUND], [latent, MOTION_CHANNELS]))


def read_temporal_net(source: TensorSource) -> TemporalNet:
    """The tensors below `temporal.` as a network."""
    bound = int(source.tensor("temporal.bound")[0])
    require(bound > 0, f"temporal.bound is {bound}")
    return TemporalNet(
        context_shift=source.tensor("temporal.context_shift"),
        octaves=source.tensor("prior.octaves"),
        adaptor=source.linear("temporal.adaptor", max(bound, MOTION_BOUND)),
        bound=bound,
    )
