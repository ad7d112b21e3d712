"""What a metric is, and those of pictures: functions of two [H, W, 3] uint8 pictures, from libraries."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

import numpy as np

from ..distortion import ms_ssim, psnr_db
from .adapters.base import Pixels
from .colour import luma
from .perception import lpips, ssimulacra2, vmaf, xpsnr_y_db

Measure: TypeAlias = Callable[[Pixels, Pixels], float]
MS_SSIM_SIDE = 161  # pixels: five scales of an 11x11 window need more than 160


def psnr_y_db(original: Pixels, decoded: Pixels) -> float:
    """Peak signal-to-noise ratio of the luma of BT.709, not rounded, in dB."""
    mean = np.mean((luma(original) - luma(decoded)) ** 2)
    return float(10 * np.log10(255**2 / mean)) if mean else math.inf


def ms_ssim_if_defined(original: Pixels, decoded: Pixels) -> float:
    """MS-SSIM over RGB, 0 to 1; NaN for pictures with a side below 161 pixels, where it is not defined."""
    return math.nan if min(original.shape[:2]) < MS_SSIM_SIDE else ms_ssim(original, decoded)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. key: in results; label: on axes; rising: more is better."""

    key: str
    label: str
    rising: bool = field(default=True, kw_only=True)


AnyMetric = TypeVar("AnyMetric", bound=Metric)


@dataclass(frozen=True, slots=True)
class PictureMetric(Metric):
    """A metric of pictures."""

    measure: Measure


METRICS = {
    metric.key: metric
    for metric in (
        PictureMetric("psnr_db", "PSNR, RGB, dB", psnr_db),
        PictureMetric("psnr_y_db", "PSNR, luma BT.709, dB", psnr_y_db),
        PictureMetric("ms_ssim", "MS-SSIM, RGB", ms_ssim_if_defined),
        PictureMetric("xpsnr_y_db", "XPSNR, luma, dB", xpsnr_y_db),
        PictureMetric("vmaf", "VMAF", vmaf),
        PictureMetric("lpips", "LPIPS (less is better)", lpips, rising=False),
        PictureMetric("ssimulacra2", "SSIMULACRA2", ssimulacra2),
    )
}
DEFAULT_METRICS = ("psnr_db", "psnr_y_db", "ms_ssim")


def find_metrics(names: Sequence[str], metrics: Mapping[str, AnyMetric]) -> list[AnyMetric]:
    """Metrics by key, where endings such as _db may be left out.

    Args:
        metrics: those that there are, such as METRICS.
    Raises:
        ValueError: no metric of this name.
    """
    short = {key.removesuffix("_db"): key for key in metrics} | {key: key for key in metrics}
    wanted = [name.strip().replace("-", "_") for name in names]
    for name in wanted:
        if name not in short:
            known = ", ".join(key.removesuffix("_db") for key in metrics)
            raise ValueError(f"no metric is called '{name}'; known: {known}")
    return [metrics[short[name]] for name in dict.fromkeys(wanted)]


def check_metric(metric: PictureMetric) -> None:
    """Measure a picture of one colour, so that what is missing is said before the work begins.

    Raises:
        ImportError: a package, tool or weights are missing; the message says what to install.
    """
    grey = np.full((MS_SSIM_SIDE + 15, MS_SSIM_SIDE + 15, 3), 128, np.uint8)
    grey[::8] = 100
    metric.measure(grey, grey + np.uint8(1))


def measure_all(
    metrics: Sequence[PictureMetric], original: Pixels, decoded: Pixels
) -> dict[str, float | None]:
    """Every metric by its key; None where it is not a number or without end (equal pictures).

    Raises:
        ValueError: the pictures differ in size.
    """
    if original.shape != decoded.shape:
        sizes = " and ".join(f"{p.shape[1]}x{p.shape[0]}" for p in (original, decoded))
        raise ValueError(f"pictures of {sizes} pixels cannot be compared")
    values = {metric.key: metric.measure(original, decoded) for metric in metrics}
    return {key: round(value, 6) if math.isfinite(value) else None for key, value in values.items()}
