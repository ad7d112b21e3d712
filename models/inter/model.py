"""The inter model as it is trained: transforms, and the entropy networks before quantisation."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...entropy.temporal_net import MOTION_BOUND, MOTION_CHANNELS
from ..image import HyperSynthesis, QuadtreePrior
from ..transforms import ImageConfig
from .motion_bits import neighbour_mean
from .transforms import InterTransforms


def motion_features(motion: Tensor) -> Tensor:
    """[N, 2, 2 h, 2 w] -> [N, 8, h, w], 0 to 127: how far each block moves from what its neighbours do.

    In sixteenths of a pixel: four times the difference to the mean of the four neighbours is whole, so this
    is exact in float32. FORMAT.md section 19.
    """
    apart = (4 * (motion - neighbour_mean(motion))).abs().clamp(max=MOTION_BOUND)
    return F.pixel_unshuffle(apart, 2)


class TemporalContext(nn.Module):
    """What is known before the frame: latents of the inter frame before it, and its own motion. Exact."""

    def __init__(self, config: ImageConfig) -> None:
        super().__init__()
        self.adaptor = nn.Conv2d(config.latent + MOTION_CHANNELS, config.prior, 1)

    def forward(self, before: Tensor, motion: Tensor) -> Tensor:
        """Latents in octaves of their level, [N, latent, h, w], and motion features -> [N, prior, h, w]."""
        return self.adaptor(torch.cat([before, motion], 1))


class InterModel(InterTransforms):
    """All parts of one inter model; see `training.inter` for how they are trained together."""

    def __init__(self, config: ImageConfig) -> None:
        super().__init__(config)
        self.hyper_synthesis = HyperSynthesis(config)
        self.temporal = TemporalContext(config)
        self.prior = QuadtreePrior(config)

    @torch.no_grad()
    def start_from_basis(self, basis: Tensor, spread: Tensor) -> None:
        """Start as a transform codec of the residual with a good entropy model: see `training.basis`."""
        self.shortcut.start_from_basis(basis)
        self.prior.start_from_spread(spread)
        self.hyper_analysis.start_from_spread(spread)
