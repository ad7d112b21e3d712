"""The float transforms: image to latents and back, latents to hyper-latents."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .blocks import blocks, start_at_zero
from .haar import WaveletShortcut
from .quality import LEVELS, LevelGain, step_gain, step_size


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """Widths and depths of an image model; `fast` is the default."""

    latent: int = 320
    analysis: int = 160
    analysis_blocks: int = 4
    synthesis: int = 128
    synthesis_blocks: int = 8
    hyper: int = 64
    prior: int = 256


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
        start_at_zero(self.leave)

    def features(self, x: Tensor, level: Tensor) -> Tensor:
        """What the last layer sees, [N, analysis, H/8, W/8]."""
        return self.blocks(self.enter(F.pixel_unshuffle(x, 8))) * self.inner_gain(level)

    def forward(self, x: Tensor, level: Tensor, shortcut: WaveletShortcut) -> Tensor:
        return (self.leave(self.features(x, level)) + shortcut.analyse(x)) * self.gain(level)


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
        start_at_zero(self.leave)

    def forward(self, y_hat: Tensor, level: Tensor, shortcut: WaveletShortcut) -> Tensor:
        y = y_hat * self.gain(level)
        feature = self.enter(y)
        feature = self.blocks(F.pixel_shuffle(feature, 2) * self.inner_gain(level))
        return F.pixel_shuffle(self.leave(feature), 8) + shortcut.synthesise(y)


class HyperAnalysis(nn.Module):
    """Latents to hyper-latents: [N, latent, h, w] -> [N, hyper, h/4, w/4]; h, w multiples of 4."""

    def __init__(self, config: ImageConfig) -> None:
        super().__init__()
        width = config.hyper
        self.gain = LevelGain(config.latent)
        self.net = nn.Sequential(
            nn.Conv2d(config.latent, width, 1),
            *blocks(width, 1, half=True),
            nn.Conv2d(width, width, 2, stride=2),
            *blocks(width, 1, half=True),
            nn.Conv2d(width, width, 2, stride=2),
        )
        last = self.net[-1]
        assert isinstance(last, nn.Conv2d)
        nn.init.normal_(last.weight, std=0.35)  # smaller hyper-latents would all round to 0 and teach nothing

    @torch.no_grad()
    def start_from_spread(self, spread: Tensor, first: int = 0) -> None:
        """Start with gains that make latents of these standard deviations (pixels of range 1) alike.

        The spread is that of the latents from number `first` on; the others are left as they are.
        """
        knots = torch.linspace(0, LEVELS - 1, len(self.gain.values), device=spread.device)
        self.gain.values[:, first:] = torch.log(step_size(knots)[:, None] / spread)

    def forward(self, y: Tensor, level: Tensor) -> Tensor:
        return self.net(y * self.gain(level))


class Transforms(nn.Module):
    """Analysis, synthesis, shortcut and hyper-analysis of an image model."""

    def __init__(self, config: ImageConfig) -> None:
        super().__init__()
        self.config = config
        self.shortcut = WaveletShortcut(config.latent)
        self.analysis = Analysis(config)
        self.synthesis = Synthesis(config)
        self.hyper_analysis = HyperAnalysis(config)

    def analyse(self, x: Tensor, level: Tensor) -> Tensor:
        """[N, 3, H, W] in [-0.5, 0.5], sides multiples of 16 -> latents [N, latent, H/16, W/16]."""
        return self.analysis(x, level, self.shortcut)

    def synthesise(self, y_hat: Tensor, level: Tensor) -> Tensor:
        """Decoded latents [N, latent, h, w] -> [N, 3, 16 h, 16 w]."""
        return self.synthesis(y_hat, level, self.shortcut)

    def lost(self, y: Tensor, level: Tensor) -> Tensor:
        """What latents [N, latent, h, w] lose on the way to a picture and back, float32."""
        seen = self.synthesise(y, level).float().clamp(-0.5, 0.5)
        return y - self.analyse(seen, level).float()
