"""The float transforms of a hyperprior model: strided 5x5 convolutions and GDN, with CompressAI's names.

Source: Balle et al. 2018, arXiv:1802.01436; Minnen et al. 2018, arXiv:1809.02736; the layers and their order
are those of CompressAI's `ScaleHyperprior` and `MeanScaleHyperprior`.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

NEGATIVE_SLOPE = 0.01  # of the leaky ReLUs in models with means


@dataclass(frozen=True)
class HyperpriorConfig:
    """Widths: `channels` inside the transforms and of the hyper-latents; whether there are means."""

    channels: int
    latent: int
    means: bool


class GDN(nn.Module):
    """Generalised divisive normalisation: x / sqrt(beta + gamma x^2), or x times it; folded parameters.

    Source: Balle et al. 2016, arXiv:1511.06281.
    """

    def __init__(self, channels: int, inverse: bool = False) -> None:
        super().__init__()
        self.inverse = inverse
        self.beta = nn.Parameter(torch.ones(channels))
        self.gamma = nn.Parameter(torch.zeros(channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> the same."""
        norm = F.conv2d(x * x, self.gamma[:, :, None, None], self.beta)
        return x * (torch.sqrt(norm) if self.inverse else torch.rsqrt(norm))


def _conv(inputs: int, outputs: int, kernel: int = 5, stride: int = 2) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2)


def _deconv(inputs: int, outputs: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(inputs, outputs, 5, 2, padding=2, output_padding=1)


class HyperpriorTransforms(nn.Module):
    """g_a: pixels [N, 3, 16h, 16w] of 0..1 to latents [N, latent, h, w]; h_a: those to hyper-latents
    [N, channels, ceil(h/4), ceil(w/4)]; g_s: latents to pixels.
    """

    def __init__(self, config: HyperpriorConfig) -> None:
        super().__init__()
        self.config = config
        inner, latent = config.channels, config.latent
        self.g_a = nn.Sequential(
            _conv(3, inner),
            GDN(inner),
            _conv(inner, inner),
            GDN(inner),
            _conv(inner, inner),
            GDN(inner),
            _conv(inner, latent),
        )
        self.g_s = nn.Sequential(
            _deconv(latent, inner),
            GDN(inner, inverse=True),
            _deconv(inner, inner),
            GDN(inner, inverse=True),
            _deconv(inner, inner),
            GDN(inner, inverse=True),
            _deconv(inner, 3),
        )
        self.h_a = nn.Sequential(
            _conv(latent, inner, 3, 1),
            self._rectifier(),
            _conv(inner, inner),
            self._rectifier(),
            _conv(inner, inner),
        )

    def _rectifier(self) -> nn.Module:
        return nn.LeakyReLU(NEGATIVE_SLOPE) if self.config.means else nn.ReLU()

    def hyper_analysis(self, y: Tensor) -> Tensor:
        """Latents to hyper-latents; a model without means looks at magnitudes only."""
        return self.h_a(y if self.config.means else y.abs())
