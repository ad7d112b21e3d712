"""Latents that are sought picture by picture: what an encoder does with more time; decoders never know.

The analysis gives good latents at once; gradient descent on what the file will cost and how the picture will
look gives better ones. Source: stochastic Gumbel annealing, Yang, Bamler and Mandt 2020, arXiv:2006.04240.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import TypeVar

import torch
from torch import Tensor
from torch.nn import functional as F

from ..entropy.rate import RateCounter
from .effort import DEFAULT_EFFORT, EFFORTS, REFINABLE, UNCORRECTED
from .image import SCALES, ImageModel, scale_of
from .image_codec import ImageCodec
from .likelihood import gaussian_bits
from .quality import lambda_of
from .recovery import recovered
from .spec import ModelSpec
from .weights import read_card, read_tensors

Step = Callable[[int, int], None]
LEARNING_RATE = 0.01  # of Adam, in quantisation steps
HOT, COLD, COOLING = 0.5, 0.2, 3.0  # the temperature falls exponentially from one to the other
REFRESHED = 4  # times the hyper-latents follow the latents


def _untold(done: int, total: int) -> None:
    """Nobody asks how far it is."""


@dataclass(frozen=True, kw_only=True)
class RefinedCodec(ImageCodec):
    """An image codec whose analysis goes on from what its transform gives.

    twin: its networks in floats. step: told (iterations done, of how many) for each window.
    """

    twin: ImageModel
    iterations: int
    step: Step = _untold

    def analyse(self, pixels: Tensor, quality: float) -> Tensor:
        """As ImageCodec.analyse; never worse by the model's own measure."""
        first = super().analyse(pixels, quality)
        x = pixels.to(self.device)
        with torch.inference_mode(False), torch.enable_grad():
            sought = self._sought(x.clone(), first.clone(), quality)
        return min(first, sought, key=lambda y: self._cost(x, y, quality))

    def _sought(self, x: Tensor, first: Tensor, quality: float) -> Tensor:
        random = torch.Generator(self.device).manual_seed(0)  # a file is the same each time
        y = first.permute(2, 0, 1)[None].clone().requires_grad_()
        optimiser = torch.optim.Adam([y], LEARNING_RATE)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, self.iterations, LEARNING_RATE / 50)
        feature = torch.zeros(())
        for done in range(self.iterations):
            if done % -(-self.iterations // REFRESHED) == 0:
                feature = self._feature(y, quality)
            heat = max(COLD, HOT * math.exp(-COOLING * done / self.iterations))
            optimiser.zero_grad()
            self._loss(x, y, feature, quality, heat, random).backward()
            optimiser.step()
            schedule.step()
            self.step(done + 1, self.iterations)
        return y.detach()[0].permute(1, 2, 0)

    @torch.no_grad()
    def _feature(self, y: Tensor, quality: float) -> Tensor:
        """What the hyper-latents of y say, [1, prior, h, w]."""
        z = torch.from_numpy(self.hyper_latents(y[0].permute(1, 2, 0), quality)).to(self.device)
        hyper = self.twin.hyper_synthesis(z.permute(2, 0, 1)[None].float(), self.level(quality))
        with self.precision():
            return self.twin.prior.fuse(hyper)[:, :, : y.shape[2], : y.shape[3]].contiguous()

    def _loss(
        self, x: Tensor, y: Tensor, feature: Tensor, quality: float, heat: float, random: torch.Generator
    ) -> Tensor:
        level = self.level(quality)
        with self.precision():
            y_hat, means, indices = self.twin.prior.walk(
                y, feature, level, lambda residual, _: annealed(residual, heat, random)
            )
            decoded = self.twin.synthesise(y_hat.contiguous(memory_format=torch.channels_last), level).float()
        bits = gaussian_bits(y_hat - means, scale_of(indices.clamp(0, SCALES - 1))).sum()
        error = F.mse_loss(decoded[0], x - 0.5)
        return lambda_of(level)[0] * 255**2 * error + bits / x[0].numel()

    @torch.inference_mode()
    def _cost(self, x: Tensor, y: Tensor, quality: float) -> float:
        """Rate and distortion as they will be, symbols chosen as always."""
        counter = RateCounter()
        decoded = self.synthesise(self.encode_latents(counter, y, quality).y_hat, quality)
        error = F.mse_loss(decoded.clamp(0, 1), x.cpu())
        return float(lambda_of(self.level(quality))[0].cpu() * 255**2 * error) + counter.bits / x[0].numel()


def annealed(residual: Tensor, heat: float, random: torch.Generator) -> Tensor:
    """Between the whole numbers around each residual: a random share, nearer to one of them as it cools."""
    below = torch.floor(residual)
    share = (residual - below).clamp(1e-4, 1 - 1e-4)
    uniform = torch.rand((2, *residual.shape), generator=random, device=residual.device, dtype=residual.dtype)
    gumbel = -torch.log(-torch.log(uniform.clamp(1e-9, 1 - 1e-7)))
    logits = torch.stack([-torch.atanh(share), -torch.atanh(1 - share)]) / heat
    return below + torch.softmax((logits + gumbel) / heat, 0)[1]


Codec = TypeVar("Codec")


def with_effort(codec: Codec, effort: int) -> Codec | ImageCodec:
    """The codec as it encodes with an effort, of EFFORTS.

    Raises:
        ValueError: one of several iterations, and it is no image model of Linnet's own, or was not trained
            for MSE.
    """
    if effort > DEFAULT_EFFORT:
        return _refined(codec, effort)
    if effort == UNCORRECTED and isinstance(codec, ImageCodec):
        return replace(codec, corrects=False)
    return codec


def _refined(codec: object, effort: int) -> RefinedCodec:
    if not isinstance(codec, ImageCodec) or "* MSE" not in str(read_card(codec.spec.path)[1].get("loss")):
        raise ValueError(f"the model takes no effort of {effort}: {REFINABLE}")
    own = {field.name: getattr(codec, field.name) for field in fields(codec)}
    return RefinedCodec(**own, twin=_twin(codec.spec, str(codec.device)), iterations=EFFORTS[effort])


@lru_cache(maxsize=2)
def _twin(spec: ModelSpec, device: str) -> ImageModel:
    config, _ = read_card(spec.path)
    twin = recovered(ImageModel(config).float(), read_tensors(spec.path, spec.sha256)).to(device)
    twin.prior.coarse_means = True  # only an estimate
    return twin.to(memory_format=torch.channels_last).eval().requires_grad_(False)
