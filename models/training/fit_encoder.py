"""How an exported model is best encoded with: measured on whole encodes of training pictures."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_msssim import ms_ssim
from torch import Tensor
from torch.nn import functional as F

from ...entropy.quantise import ERROR_BITS
from ...entropy.rate import RateCounter
from ..encoder_tuning import EncoderTuning
from ..image_codec import ImageCodec
from ..quality import LEVELS
from .data import Pictures
from .validation import held_out_crop

QUALITIES = (4, 20, 36, 52, 68, 84, 98)
CORRECTIONS = (0.0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9)
WEIGHTS = (13.0, 20.0, ERROR_BITS, 45.0, 60.0, 90.0, 130.0, 180.0)
Point = tuple[float, float]  # fidelity in dB, logarithm of the bits


def psnr_db(decoded: Tensor, given: Tensor) -> float:
    """Of pictures [3, H, W] in 0..1."""
    return -10 * float(torch.log10(F.mse_loss(decoded, given)))


def ms_ssim_db(decoded: Tensor, given: Tensor) -> float:
    """Of pictures [3, H, W] in 0..1, sides of 161 pixels or more."""
    return -10 * float(torch.log10(1 - ms_ssim(decoded[None], given[None], data_range=1.0)))


FIDELITY: dict[str, Callable[[Tensor, Tensor], float]] = {"mse": psnr_db, "ms-ssim": ms_ssim_db}


@dataclass(frozen=True)
class Bench:
    """Encodes the same pictures again and again, as a codec with other tunings would."""

    codec: ImageCodec
    pictures: list[Tensor]
    fidelity: Callable[[Tensor, Tensor], float]

    def point(self, quality: float, correction: float, error_bits: float) -> Point:
        """Mean fidelity and logarithm of all bits."""
        tuning = EncoderTuning(np.full(LEVELS, correction), np.full(LEVELS, error_bits))
        codec, counter, fidelity = replace(self.codec, tuning=tuning), RateCounter(), 0.0
        for picture in self.pictures:
            latents = codec.encode_latents(counter, codec.analyse(picture, quality), quality)
            decoded = codec.synthesise(latents.y_hat, quality).clamp(0, 1)
            fidelity += self.fidelity(decoded, picture) / len(self.pictures)
        return fidelity, float(np.log(counter.bits))


def fit_encoder(codec: ImageCodec, train: Pictures, crops: int, metric: str) -> EncoderTuning:
    """The correction that saves the most bits at equal fidelity, then the weight of errors, by quality."""
    pictures = [held_out_crop(train, number * 13 % len(train))[0] for number in range(crops)]
    bench = Bench(codec, pictures, FIDELITY[metric])
    plain = [bench.point(quality, 0.0, ERROR_BITS) for quality in QUALITIES]
    corrections, weights = [], []
    for number, quality in enumerate(QUALITIES):
        saved = _saving(plain, number)
        corrections.append(max(CORRECTIONS, key=lambda c: saved(bench.point(quality, c, ERROR_BITS))))
        weights.append(max(WEIGHTS, key=lambda w: saved(bench.point(quality, corrections[-1], w))))
        print(f"quality {quality}: correction {corrections[-1]}, errors weigh {weights[-1]}", flush=True)
    return EncoderTuning(_over_levels(corrections), _over_levels(weights))


def _saving(plain: list[Point], number: int) -> Callable[[Point], float]:
    """What a point near plain[number] saves over the plain curve, as a difference of logarithms."""
    first = min(max(number - 1, 0), len(plain) - 3)
    db, bits = np.array(plain[first : first + 3]).T
    near = plain[number][0]
    curve = np.polyfit(db - near, bits, 2)
    return lambda point: float(np.polyval(curve, point[0] - near) - point[1])


def _over_levels(values: list[float]) -> NDArray[np.float64]:
    knots = np.array(QUALITIES) * (LEVELS - 1) / 100
    return np.interp(np.arange(LEVELS), knots, values)
