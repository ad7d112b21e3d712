"""The image model as it is trained: the transforms, and the entropy networks before quantisation."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .blocks import blocks
from .quality import LEVELS, LevelTable, step_size
from .transforms import ImageConfig, Transforms

STEPS = 4  # of the quadtree prior
HYPER_STRIDE = 4  # latents per hyper-latent, each side
SCALES = 64  # scale indices; 0 is "not coded"
SCALE_MIN, SCALE_MAX = 0.11, 64.0
INDEX_UNIT = 8.0  # scale indices per unit of the networks' output: about a factor of 2.2 in sigma
START_SHARE = 0.5  # of a latent's overall standard deviation; see QuadtreePrior.start_from_spread


def scale_of(index: Tensor) -> Tensor:
    """Standard deviation of a (fractional) scale index: 64 log-spaced values from 0.11 to 64."""
    return SCALE_MIN * (SCALE_MAX / SCALE_MIN) ** (index / (SCALES - 1))


def index_of(sigma: Tensor) -> Tensor:
    """The inverse of `scale_of`, clamped to 0..63."""
    ratio = torch.log(sigma / SCALE_MIN) / math.log(SCALE_MAX / SCALE_MIN)
    return (ratio * (SCALES - 1)).clamp(0, SCALES - 1)


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
    """Mean and scale index of every latent, from hyper features and what earlier steps decoded. Exact too.

    Latents differ by orders of magnitude between channels and qualities. Three tables per level and channel
    take that off the networks: `octaves` (fixed whole powers of two) divide the latents on the way in and
    multiply the means on the way out, `level_index` (learned) is added to the scale index.
    """

    octaves: Tensor
    coarse_means = False  # in what autocast gives: bf16 rounds means, and files would be larger for it

    def __init__(self, config: ImageConfig) -> None:
        super().__init__()
        width, latent = config.prior, config.latent
        self.fuse = blocks(width, 2, half=True)
        self.adaptors = nn.ModuleList(nn.Conv2d(latent + width, width, 1) for _ in range(STEPS - 1))
        self.trunk = blocks(width, 1, half=True)
        self.heads = nn.ModuleList(nn.Conv2d(width, 2 * latent, 1) for _ in range(STEPS))
        for head in self.heads:
            for parameter in head.parameters():
                nn.init.zeros_(parameter)
        self.level_index = LevelTable(latent)
        self.register_buffer("octaves", torch.zeros(LEVELS, latent))

    @torch.no_grad()
    def start_from_spread(self, spread: Tensor, first: int = 0, share: float = START_SHARE) -> None:
        """Start with the scales that latents of these standard deviations (pixels of range 1) have.

        Args:
            spread: of the latents from number `first` on; the others are left as they are.
            share: of a standard deviation, what remains once the latent's surroundings are known.
        """
        levels = torch.arange(LEVELS, device=spread.device).float()
        self.octaves[:, first:] = torch.log2(spread / step_size(levels)[:, None]).round().clamp_min(0)
        knots = torch.linspace(0, LEVELS - 1, len(self.level_index.values), device=spread.device)
        sigma = share * spread / step_size(knots)[:, None]
        self.level_index.values[:, first:] = index_of(sigma) / INDEX_UNIT

    def step(self, number: int, feature: Tensor, y_hat: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and (fractional) scale index, [N, latent, h, w] each, seen from step `number`."""
        octave = torch.exp2(self.octaves[torch.floor(level + 0.5).long()])[:, :, None, None]
        if number:
            context = (y_hat / octave).to(feature.dtype)
            feature = self.trunk(self.adaptors[number - 1](torch.cat([context, feature], 1)))
        with torch.autocast(feature.device.type, enabled=self.coarse_means):
            mean, index = self.heads[number](feature.float()).float().chunk(2, 1)
        return mean * octave, (index + self.level_index(level)) * INDEX_UNIT

    def walk(
        self, y: Tensor, feature: Tensor, level: Tensor, rounded: Callable[[Tensor], Tensor]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """All steps: decoded latents, means and (fractional) scale indices, each [N, latent, h, w].

        Args:
            y: [N, latent, h, w] latents. feature: [N, prior, h, w]. rounded: makes symbols of residuals.
        """
        y_hat, means, indices = torch.zeros_like(y), torch.zeros_like(y), torch.zeros_like(y)
        for number, mask in enumerate(quadtree_masks(y.shape[1], y.shape[2], y.shape[3], y.device)):
            mean, index = self.step(number, feature, y_hat, level)
            y_hat = torch.where(mask, rounded(y - mean) + mean, y_hat)
            means = torch.where(mask, mean, means)
            indices = torch.where(mask, index, indices)
        return y_hat, means, indices


class ImageModel(Transforms):
    """All parts of one image model; see `training.objective` for how they are trained together."""

    def __init__(self, config: ImageConfig | None = None) -> None:
        config = config or ImageConfig()
        super().__init__(config)
        self.hyper_synthesis = HyperSynthesis(config)
        self.prior = QuadtreePrior(config)

    @torch.no_grad()
    def start_from_basis(self, basis: Tensor, spread: Tensor) -> None:
        """Start as a transform codec with a good entropy model: see `training.basis`."""
        self.shortcut.start_from_basis(basis)
        self.prior.start_from_spread(spread)
        self.hyper_analysis.start_from_spread(spread)
