"""What training minimises: lambda * distortion + bits per pixel, with every quality level in each batch."""

from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from compressai.entropy_models import EntropyBottleneck
from compressai.ops import LowerBound, quantize_ste
from pytorch_msssim import ms_ssim
from torch import Tensor, nn
from torch.nn import functional as F

from ..image import HYPER_STRIDE, SCALES, ImageModel, Place, scale_of
from ..inter.model import InterModel
from ..likelihood import PROBABILITY_MIN, gaussian_bits
from ..quality import LEVELS, lambda_of
from ..transforms import ImageConfig

MS_SSIM_WEIGHT = 1275.0  # 1 - MS-SSIM counts as so much 255^2 MSE: about equal rates at equal lambda


@dataclass(frozen=True, slots=True)
class Outcome:
    """One forward pass: rates, mean squared error (pixels 0..1) and distortion, [N] each; the picture."""

    y_bpp: Tensor
    z_bpp: Tensor
    mse: Tensor
    distortion: Tensor  # in units of 255^2 MSE
    picture: Tensor

    @property
    def bpp(self) -> Tensor:
        return self.y_bpp + self.z_bpp

    @property
    def psnr_db(self) -> Tensor:
        return -10 * torch.log10(self.mse)

    def loss(self, level: Tensor, power: float = 1.0) -> Tensor:
        """Scalar; each sample is divided by sqrt(lambda) so that high qualities do not own the gradient.

        power: each sample's loss is raised to it, and divided by it: below 1, rich crops own less of the
        gradient too. The trade of rate against distortion within a sample stays what lambda says.
        """
        weight = lambda_of(level)
        each = (weight * self.distortion + self.bpp) * (0.0155 / weight).sqrt()
        return each.pow(power).mean() / power


Model = TypeVar("Model", ImageModel, InterModel)


class LatentCoding(nn.Module, Generic[Model]):
    """A model with the density of its hyper-latents and the noise that stands for rounding.

    The rate sees additive uniform noise, the synthesis and the contexts see straight-through rounding.
    Source: Minnen and Singh 2020, arXiv:2007.08739.
    """

    model: Model

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model
        self.hyper_density = EntropyBottleneck(model.config.hyper)
        self.hyper_density.quantiles.requires_grad_(False)  # tables are made at export, without them
        self.index_floor = LowerBound(0.0)

    def code_hyper(self, y: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        """Hyper features [N, prior, h, w] of latents [N, C, h, w], and the bits [N] of the hyper-latents."""
        z = self.model.hyper_analysis(y, level).float()
        z_likelihood = self.hyper_density(z)[1]
        bits = -torch.log2(z_likelihood.clamp_min(PROBABILITY_MIN)).sum((1, 2, 3))
        return self.model.hyper_synthesis(quantize_ste(z), level), bits

    def code_latents(
        self, y: Tensor, feature: Tensor, level: Tensor, skipped: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Walk the quadtree steps: decoded latents [N, C, h, w] and bits of each place [N, h, w].

        Args:
            skipped: [N, 1, h, w] bool, places whose latents are not coded but are their means.
        """
        noise = torch.rand_like(y) - 0.5 if self.training else None

        def rounded(residual: Tensor, place: Place) -> Tensor:
            symbols = quantize_ste(residual)
            if skipped is None:
                return symbols
            return torch.where(skipped[:, 0][place[:3]][..., None], 0, symbols)

        y_hat, means, indices = self.model.prior.walk(y, feature, level, rounded)
        sigma = scale_of(self.index_floor(indices).clamp(max=SCALES - 1))
        residual = y - means + noise if noise is not None else torch.round(y - means)
        bits = gaussian_bits(residual, sigma).sum(1)
        return y_hat, bits if skipped is None else bits * ~skipped[:, 0]


class TrainingModel(LatentCoding[ImageModel]):
    """An image model in training.

    correction: share of what latents lose that is added to them at the highest quality, in proportion less at
    lower ones, as the encoder does (models.image_codec): the networks learn what corrected latents mean.
    """

    def __init__(
        self, config: ImageConfig | None = None, metric: str = "mse", correction: float = 0.0
    ) -> None:
        super().__init__(ImageModel(config))
        self.metric, self.correction = metric, correction

    def forward(self, picture: Tensor, level: Tensor) -> Outcome:
        """`picture` [N, 3, H, W] in 0..1, sides multiples of 64; `level` [N] 0..63."""
        x = picture - 0.5
        y = self.latents(x, level)
        hyper, z_bits = self.code_hyper(y, level)
        feature = self.model.prior.fuse(hyper)
        y_hat, y_bits = self.code_latents(y, feature, level)
        decoded = self.model.synthesise(y_hat, level).float()
        pixels = picture.shape[2] * picture.shape[3]
        mse = F.mse_loss(decoded, x, reduction="none").mean((1, 2, 3))
        distortion = 255**2 * mse if self.metric == "mse" else self.ms_ssim_loss(decoded, x)
        return Outcome(y_bits.sum((1, 2)) / pixels, z_bits / pixels, mse, distortion, decoded + 0.5)

    def latents(self, x: Tensor, level: Tensor) -> Tensor:
        """[N, 3, H, W] in [-0.5, 0.5] -> latents [N, latent, H/16, W/16], corrected.

        The correction is taken as given: gradients through it took a third more time a step and saved 0.06 %.
        """
        y = self.model.analyse(x, level).float()
        if not self.correction:
            return y
        with torch.no_grad():
            lost = self.model.lost(y, level)
        return y + (self.correction / (LEVELS - 1)) * level[:, None, None, None] * lost

    @staticmethod
    def ms_ssim_loss(decoded: Tensor, x: Tensor) -> Tensor:
        """[N]: 1 - MS-SSIM, in units of 255^2 MSE."""
        with torch.autocast(x.device.type, enabled=False):
            similarity = ms_ssim(decoded + 0.5, x.float() + 0.5, data_range=1.0, size_average=False)
        return MS_SSIM_WEIGHT * (1 - similarity)


def padded_to_hyper(picture: Tensor) -> Tensor:
    """Replicate the right and bottom edge of [N, 3, H, W] until both sides are multiples of 64."""
    unit = 16 * HYPER_STRIDE
    return F.pad(picture, (0, -picture.shape[3] % unit, 0, -picture.shape[2] % unit), mode="replicate")
