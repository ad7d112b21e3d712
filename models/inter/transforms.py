"""The float transforms of inter frames: they code what a prediction lacks, with the prediction in sight."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..blocks import blocks, start_at_zero
from ..haar import WaveletShortcut
from ..quality import LevelGain, LevelTable, step_gain
from ..transforms import HyperAnalysis, ImageConfig


def unfolded(predicted: Tensor) -> Tensor:
    """Predictions [N, 6, H, W] -> [N, 384, H/8, W/8]: the first, and what the second one differs by."""
    first, second = predicted.chunk(2, 1)
    return torch.cat([F.pixel_unshuffle(first - 0.5, 8), F.pixel_unshuffle(second - first, 8)], 1)


class InterAnalysis(nn.Module):
    """Frame [N, 3, H, W] and predictions [N, 6, H, W], 0..1 -> latents [N, latent, H/16, W/16], in steps."""

    def __init__(self, config: ImageConfig) -> None:
        super().__init__()
        width = config.analysis
        self.enter = nn.Conv2d(3 * 192, width, 1)
        self.blocks = blocks(width, config.analysis_blocks)
        self.inner_gain = LevelGain(width)
        self.leave = nn.Conv2d(width, config.latent, 3, stride=2, padding=1)
        self.gain = step_gain(config.latent)
        start_at_zero(self.leave)

    def forward(self, x: Tensor, predicted: Tensor, level: Tensor, shortcut: WaveletShortcut) -> Tensor:
        rest = x - predicted[:, :3]
        known = torch.cat([F.pixel_unshuffle(rest, 8), unfolded(predicted)], 1)
        feature = self.blocks(self.enter(known)) * self.inner_gain(level)
        return (self.leave(feature) + shortcut.analyse(rest)) * self.gain(level)


class InterSynthesis(nn.Module):
    """Latents [N, latent, h, w] and predictions [N, 6, 16 h, 16 w] -> the frame, 0..1, not clamped."""

    def __init__(self, config: ImageConfig) -> None:
        super().__init__()
        width = config.synthesis
        self.gain = step_gain(config.latent, inverse=True)
        self.enter = nn.Conv2d(config.latent, 4 * width, 1)
        self.inner_gain = LevelGain(width)
        self.see = nn.Conv2d(2 * 192, width, 1)
        self.level_bias = LevelTable(width)
        self.blocks = blocks(width, config.synthesis_blocks)
        self.leave = nn.Conv2d(width, 192, 1)
        start_at_zero(self.leave)

    def forward(self, y_hat: Tensor, predicted: Tensor, level: Tensor, shortcut: WaveletShortcut) -> Tensor:
        y = y_hat * self.gain(level)
        coded = F.pixel_shuffle(self.enter(y), 2) * self.inner_gain(level)
        seen = self.see(unfolded(predicted)) + self.level_bias(level)
        change = F.pixel_shuffle(self.leave(self.blocks(coded + seen)), 8).float()
        # the prediction is added in float32: where nothing moves, no rounding piles up from frame to frame
        return predicted[:, :3] + (change + shortcut.synthesise(y))


class InterTransforms(nn.Module):
    """Analysis, synthesis, shortcut and hyper-analysis of an inter model."""

    def __init__(self, config: ImageConfig) -> None:
        super().__init__()
        self.config = config
        self.shortcut = WaveletShortcut(config.latent)
        self.analysis = InterAnalysis(config)
        self.synthesis = InterSynthesis(config)
        self.hyper_analysis = HyperAnalysis(config)

    def analyse(self, x: Tensor, predicted: Tensor, level: Tensor) -> Tensor:
        """See InterAnalysis."""
        return self.analysis(x, predicted, level, self.shortcut)

    def synthesise(self, y_hat: Tensor, predicted: Tensor, level: Tensor) -> Tensor:
        """See InterSynthesis."""
        return self.synthesis(y_hat, predicted, level, self.shortcut)
