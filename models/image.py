"""The image model as it is trained: the transforms, and the entropy networks before quantisation."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..entropy.quadtree import LATENT_GROUPS, TURNS
from .blocks import blocks
from .quality import LEVELS, LevelTable, step_size
from .transforms import ImageConfig, Transforms

STEPS = 4  # of the quadtree prior
HYPER_STRIDE = 4  # latents per hyper-latent, each side
SCALES = 64  # scale indices; 0 is "not coded"
SCALE_MIN, SCALE_MAX = 0.11, 64.0
INDEX_UNIT = 8.0  # scale indices per unit of the networks' output: about a factor of 2.2 in sigma
Place = tuple[slice, slice, slice, slice]
START_SHARE = 0.5  # of a latent's overall standard deviation; see QuadtreePrior.start_from_spread


def scale_of(index: Tensor) -> Tensor:
    """Standard deviation of a (fractional) scale index: 64 log-spaced values from 0.11 to 64."""
    return SCALE_MIN * (SCALE_MAX / SCALE_MIN) ** (index / (SCALES - 1))


def index_of(sigma: Tensor) -> Tensor:
    """The inverse of `scale_of`, clamped to 0..63."""
    ratio = torch.log(sigma / SCALE_MIN) / math.log(SCALE_MAX / SCALE_MIN)
    return (ratio * (SCALES - 1)).clamp(0, SCALES - 1)


def quadtree_places(step: int) -> list[Place]:
    """What one step codes of latents [N, h, w, latent]: four slices of them.

    Channel c belongs to group c mod 4; every step codes one corner of each 2x2 block, another one in
    each group, so that every step sees neighbours on all sides. Source: DCVC-DC, arXiv:2302.14402.
    """
    every, turn = slice(None), TURNS[step]
    corners = [(group ^ turn, slice(group, None, LATENT_GROUPS)) for group in range(LATENT_GROUPS)]
    return [
        (every, slice(corner // 2, None, 2), slice(corner % 2, None, 2), channels)
        for corner, channels in corners
    ]


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


_ALL = slice(None)


class LatentHead(nn.Conv2d):
    """A 1x1 convolution to the means and the scale indices of latents, or of some of them."""

    def __init__(self, width: int, latent: int) -> None:
        super().__init__(width, 2 * latent, 1)
        for parameter in self.parameters():
            nn.init.zeros_(parameter)

    def forward(self, input: Tensor, channels: slice = _ALL) -> Tensor:
        """[N, width, h, w] -> means, and behind them indices [N, h, w, 2 * latents of `channels`]."""
        assert self.bias is not None
        weight = self.weight.view(2, -1, self.in_channels)[:, channels].flatten(0, 1)
        bias = self.bias.view(2, -1)[:, channels].flatten()
        return F.linear(_last(input), weight, bias)


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
        self.heads = nn.ModuleList(LatentHead(width, latent) for _ in range(STEPS))
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

    def see(self, number: int, feature: Tensor, y_hat: Tensor, level: Tensor) -> Tensor:
        """Features [N, prior, h, w] at step `number`; y_hat [N, latent, h, w]: what steps before decoded."""
        if not number:
            return feature
        context = (y_hat / self.octave(level)).to(feature.dtype)
        return self.trunk(self.adaptors[number - 1](torch.cat([context, feature], 1)))

    def octave(self, level: Tensor) -> Tensor:
        """[N, latent, 1, 1] powers of two."""
        return torch.exp2(self.octaves[torch.floor(level + 0.5).long()])[:, :, None, None]

    def tell(self, number: int, seen: Tensor, place: Place, level: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and (fractional) scale index of the latents at `place`, of what `see` gives."""
        _, rows, columns, channels = place
        at = seen[:, :, rows, columns]
        with torch.autocast(seen.device.type, enabled=self.coarse_means):
            mean, index = self.heads[number](at.float(), channels).float().chunk(2, -1)
        octave, shift = (_last(t)[..., channels] for t in (self.octave(level), self.level_index(level)))
        return mean * octave, (index + shift) * INDEX_UNIT

    def walk(
        self, y: Tensor, feature: Tensor, level: Tensor, rounded: Callable[[Tensor, Place], Tensor]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """All steps: decoded latents, means and (fractional) scale indices, each [N, latent, h, w].

        Args:
            y: [N, latent, h, w] latents. feature: [N, prior, h, w].
            rounded: makes symbols of the residuals at a place of [N, h, w, latent].
        """
        given = _last(y)
        y_hat, means, indices = (torch.zeros_like(given) for _ in range(3))
        for number in range(STEPS):
            seen = self.see(number, feature, y_hat.permute(0, 3, 1, 2), level)
            for place in quadtree_places(number):
                mean, index = self.tell(number, seen, place, level)
                y_hat[place] = rounded(given[place] - mean, place) + mean
                means[place], indices[place] = mean, index
        y_hat, means, indices = (t.permute(0, 3, 1, 2) for t in (y_hat, means, indices))
        return y_hat, means, indices


def _last(x: Tensor) -> Tensor:
    """[N, C, h, w] as [N, h, w, C]."""
    return x.permute(0, 2, 3, 1)


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
