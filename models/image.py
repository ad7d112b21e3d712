"""The image model as it is trained: the transforms, and the entropy networks before quantisation."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .blocks import blocks
from .quality import LevelTable
from .transforms import ImageConfig, Transforms

STEPS = 4  # of the quadtree prior
HYPER_STRIDE = 4  # latents per hyper-latent, each side
SCALES = 64  # scale indices; 0 is "not coded"
SCALE_MIN, SCALE_MAX = 0.11, 64.0


def scale_of(index: Tensor) -> Tensor:
    """Standard deviation of a (fractional) scale index: 64 log-spaced values from 0.11 to 64."""
    return SCALE_MIN * (SCALE_MAX / SCALE_MIN) ** (index / (SCALES - 1))


def quadtree_masks(channels: int, height: int, width: int, device: torch.device) -> Tensor:
    """[STEPS, channels, height, width] bool: which latents each step codes.

    Channel c belongs to group c mod 4; every step codes one corner of each 2x2 block, another one in
    each group, so that every step sees neighbours on all sides. Source: DCVC-DC, arXiv:2302.14402.
    """
    row = torch.arange(height, device=device)[:, None] % 2
    column = torch.arange(width, device=device)[None, :] % 2
    corner = row * 2 + column
    group = torch.arange(channels, device=device)[:, None, None] % 4
    return torch.stack([(group ^ order) == corner for order in (0, 3, 2, 1)])


class HyperSynthesis(nn.Module):
    """Hyper-latents [N, hyper, h, w] -> hyper features [N, prior, 4 h, 4 w]. Runs on the exact path."""

    def __init__(self, config: ImageConfig) -> None:
        super().__init__()
        self.level_bias = LevelTable(config.prior)
        self.block1 = blocks(config.hyper, 1, half=True)
        self.up1 = nn.Conv2d(config.hyper, 4 * config.hyper, 1)
        self.block2 = blocks(config.hyper, 1, half=True)
        self.up2 = nn.Conv2d(config.hyper, 4 * config.prior, 1)

    def forward(self, z_hat: Tensor, level: Tensor) -> Tensor:
        x = F.pixel_shuffle(self.up1(self.block1(z_hat)), 2)
        return F.pixel_shuffle(self.up2(self.block2(x)), 2) + self.level_bias(level)


class QuadtreePrior(nn.Module):
    """Mean and scale index of every latent, from hyper features and what earlier steps decoded. Exact too."""

    def __init__(self, config: ImageConfig) -> None:
        super().__init__()
        width, latent = config.prior, config.latent
        self.fuse = blocks(width, 2, half=True)
        self.adaptors = nn.ModuleList(nn.Conv2d(latent + width, width, 1) for _ in range(STEPS - 1))
        self.trunk = blocks(width, 1, half=True)
        self.heads = nn.ModuleList(nn.Conv2d(width, 2 * latent, 1) for _ in range(STEPS))
        for head in self.heads:
            assert isinstance(head, nn.Conv2d)
            assert head.bias is not None
            nn.init.normal_(head.weight, std=0.01)
            nn.init.zeros_(head.bias)
            nn.init.constant_(head.bias[latent:], 24.0)  # sigma 1.2

    def step(self, number: int, feature: Tensor, y_hat: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and (fractional) scale index, [N, latent, h, w] each, seen from step `number`."""
        if number:
            feature = self.trunk(self.adaptors[number - 1](torch.cat([y_hat.to(feature.dtype), feature], 1)))
        with torch.autocast(
            feature.device.type, enabled=False
        ):  # means reach hundreds: bf16 would round them
            mean, index = self.heads[number](feature.float()).chunk(2, 1)
        return mean, index


class ImageModel(Transforms):
    """All parts of one image model; see `training.objective` for how they are trained together."""

    def __init__(self, config: ImageConfig | None = None) -> None:
        config = config or ImageConfig()
        super().__init__(config)
        self.hyper_synthesis = HyperSynthesis(config)
        self.prior = QuadtreePrior(config)
