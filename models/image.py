"""The image model in float: transforms, hyperprior and quadtree prior, as they are trained."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .blocks import blocks
from .haar import WaveletShortcut
from .quality import LevelGain, LevelTable, step_gain

STEPS = 4  # of the quadtree prior
HYPER_STRIDE = 4  # latents per hyper-latent, each side
SCALES = 64  # scale indices; 0 is "not coded"
SCALE_MIN, SCALE_MAX = 0.11, 64.0


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """Widths and depths of an image model; `fast` is the default."""

    latent: int = 256
    analysis: int = 160
    analysis_blocks: int = 4
    synthesis: int = 128
    synthesis_blocks: int = 8
    hyper: int = 64
    prior: int = 256


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


class Analysis(nn.Module):
    """Image to latents: [N, 3, H, W] in [-0.5, 0.5] -> [N, latent, H/16, W/16], in quantisation steps."""

    def __init__(self, config: ImageConfig) -> None:
        super().__init__()
        width = config.analysis
        self.enter = nn.Conv2d(192, width, 1)
        self.blocks = blocks(width, config.analysis_blocks)
        self.inner_gain = LevelGain(width)
        self.leave = nn.Conv2d(width, config.latent, 3, stride=2, padding=1)
        self.gain = step_gain(config.latent)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, x: Tensor, level: Tensor, shortcut: WaveletShortcut) -> Tensor:
        feature = self.blocks(self.enter(F.pixel_unshuffle(x, 8))) * self.inner_gain(level)
        return (self.leave(feature) + shortcut.analyse(x)) * self.gain(level)


class Synthesis(nn.Module):
    """Latents to image: [N, latent, h, w] -> [N, 3, 16 h, 16 w], not clamped."""

    def __init__(self, config: ImageConfig) -> None:
        super().__init__()
        width = config.synthesis
        self.gain = step_gain(config.latent, inverse=True)
        self.enter = nn.Conv2d(config.latent, 4 * width, 1)
        self.inner_gain = LevelGain(width)
        self.blocks = blocks(width, config.synthesis_blocks)
        self.leave = nn.Conv2d(width, 192, 1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, y_hat: Tensor, level: Tensor, shortcut: WaveletShortcut) -> Tensor:
        y = y_hat * self.gain(level)
        feature = self.blocks(F.pixel_shuffle(self.enter(y), 2) * self.inner_gain(level))
        return F.pixel_shuffle(self.leave(feature), 8) + shortcut.synthesise(y)


class HyperAnalysis(nn.Module):
    """Latents to hyper-latents: [N, latent, h, w] -> [N, hyper, h/4, w/4]; h, w multiples of 4."""

    def __init__(self, config: ImageConfig) -> None:
        super().__init__()
        width = config.hyper
        self.net = nn.Sequential(
            nn.Conv2d(config.latent, width, 1),
            *blocks(width, 1, half=True),
            nn.Conv2d(width, width, 2, stride=2),
            *blocks(width, 1, half=True),
            nn.Conv2d(width, width, 2, stride=2),
        )

    def forward(self, y: Tensor) -> Tensor:
        return self.net(y)


class HyperSynthesis(nn.Module):
    """Hyper-latents to hyper features: [N, hyper, h, w] -> [N, prior, 4 h, 4 w]. Quantised onto the exact path."""

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
    """Mean and scale index of every latent, from hyper features and the latents of earlier steps. Quantised too."""

    def __init__(self, config: ImageConfig) -> None:
        super().__init__()
        width, latent = config.prior, config.latent
        self.fuse = blocks(width, 2, half=True)
        self.adaptors = nn.ModuleList(nn.Conv2d(latent + width, width, 1) for _ in range(STEPS - 1))
        self.trunk = blocks(width, 1, half=True)
        self.heads = nn.ModuleList(nn.Conv2d(width, 2 * latent, 1) for _ in range(STEPS))
        for head in self.heads:
            assert isinstance(head, nn.Conv2d) and head.bias is not None
            nn.init.normal_(head.weight, std=0.01)
            nn.init.zeros_(head.bias)
            nn.init.constant_(head.bias[latent:], 24.0)  # sigma 1.2

    def step(self, number: int, feature: Tensor, y_hat: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and (fractional) scale index, [N, latent, h, w] each, seen from step `number`."""
        if number:
            feature = self.trunk(self.adaptors[number - 1](torch.cat([y_hat.to(feature.dtype), feature], 1)))
        with torch.autocast(feature.device.type, enabled=False):  # means reach hundreds: bf16 would round them
            mean, index = self.heads[number](feature.float()).chunk(2, 1)
        return mean, index


class ImageModel(nn.Module):
    """All parts of one image model; see `training.objective` for how they are trained together."""

    def __init__(self, config: ImageConfig | None = None) -> None:
        super().__init__()
        self.config = config or ImageConfig()
        self.shortcut = WaveletShortcut(self.config.latent)
        self.analysis = Analysis(self.config)
        self.synthesis = Synthesis(self.config)
        self.hyper_analysis = HyperAnalysis(self.config)
        self.hyper_synthesis = HyperSynthesis(self.config)
        self.prior = QuadtreePrior(self.config)

    def analyse(self, x: Tensor, level: Tensor) -> Tensor:
        """[N, 3, H, W] in [-0.5, 0.5], sides multiples of 16 -> latents [N, latent, H/16, W/16]."""
        return self.analysis(x, level, self.shortcut)

    def synthesise(self, y_hat: Tensor, level: Tensor) -> Tensor:
        """Decoded latents [N, latent, h, w] -> [N, 3, 16 h, 16 w]."""
        return self.synthesis(y_hat, level, self.shortcut)
