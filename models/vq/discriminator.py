"""The patch discriminator that the perceptual decoder is trained against; it never ships."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

SLOPE = 0.2


class PatchDiscriminator(nn.Module):
    """Whether each patch of a picture is real, given a blurred one of the same place.

    Source: pix2pix, arXiv:1611.07004, with spectral normalisation, arXiv:1802.05957.
    """

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        widths = (6, width, 2 * width, 3 * width)
        self.layers = nn.ModuleList(
            spectral_norm(nn.Conv2d(before, after, 4, stride=2, padding=1))
            for before, after in pairwise(widths)
        )
        self.head = spectral_norm(nn.Conv2d(widths[-1], 1, 3, padding=1))

    def forward(self, picture: Tensor, blurred: Tensor) -> tuple[Tensor, list[Tensor]]:
        """[N, 3, H, W] each, in 0..1 -> logits [N, 1, H/8, W/8], and the features of each layer."""
        x = torch.cat([picture, blurred], 1) * 2 - 1
        features: list[Tensor] = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), SLOPE)
            features.append(x)
        return self.head(x), features


def hinge(logits: Tensor, real: bool) -> Tensor:
    """The discriminator's loss. Source: arXiv:1705.02894."""
    return F.relu(1 - logits if real else 1 + logits).mean()


def feature_distance(found: list[Tensor], wanted: list[Tensor]) -> Tensor:
    """Mean absolute difference of features, each layer by its own mean magnitude."""
    parts = [
        F.l1_loss(one.float(), other.detach().float()) / other.detach().float().abs().mean().clamp_min(1e-3)
        for one, other in zip(found, wanted, strict=True)
    ]
    return torch.stack(parts).mean()
