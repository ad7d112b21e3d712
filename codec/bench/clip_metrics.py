"""How near two clips are: each metric is fed pairs of frames, and gives one figure for the clip."""

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import zip_longest
from typing import Protocol, TypeAlias

import numpy as np

from ..distortion import psnr_db
from .footage import Plane, Planes, Shot
from .metrics import MS_SSIM_SIDE, Metric, ms_ssim_if_defined
from .sequences import Vmaf, Xpsnr

FrameMeasure: TypeAlias = Callable[[Shot, Shot], float]
MOST_DB = (
    60.0  # that a frame can weigh in a mean, as libvmaf has it: one black frame would outweigh all others
)
_Y_WEIGHT, _UV_WEIGHT = 6 / 8, 1 / 8  # of the colour average that papers on video coding report


class Meter(Protocol):
    """One measurement of one clip."""

    def add(self, original: Shot, decoded: Shot) -> None:
        """Take the next pair of frames."""
        ...

    def value(self) -> float:
        """The figure, once all frames are there; not finite where it is not defined."""
        ...


@dataclass(slots=True)
class FrameMean:
    """The mean over frames of what each frame has, at most MOST_DB; infinite where no frame differs."""

    measure: FrameMeasure
    values: list[float] = field(default_factory=list)

    def add(self, original: Shot, decoded: Shot) -> None:
        """See Meter."""
        self.values.append(self.measure(original, decoded))

    def value(self) -> float:
        """See Meter."""
        return _mean_db(self.values)


@dataclass(slots=True)
class TotalPsnr:
    """PSNR in dB of the mean squared error of all frames together: bad frames weigh more than in the mean."""

    errors: list[float] = field(default_factory=list)

    def add(self, original: Shot, decoded: Shot) -> None:
        """See Meter."""
        self.errors.append(float(np.mean((original.rgb.astype(np.float64) - decoded.rgb) ** 2)))

    def value(self) -> float:
        """See Meter."""
        error = statistics.fmean(self.errors)
        return 10 * math.log10(255**2 / error) if error else math.inf


@dataclass(frozen=True, slots=True)
class ClipMetric(Metric):
    """A metric of clips. start: begins a measurement at so many frames per second."""

    start: Callable[[Fraction], Meter]


def _mean_db(values: Sequence[float]) -> float:
    if not any(map(math.isfinite, values)):
        return values[0]
    return statistics.fmean(min(value, MOST_DB) for value in values)


def _of_frames(key: str, label: str, measure: FrameMeasure) -> ClipMetric:
    return ClipMetric(key, label, lambda rate: FrameMean(measure))


def _psnr_of_plane(index: int) -> FrameMeasure:
    def measure(original: Shot, decoded: Shot) -> float:
        return psnr_db(original.planes[index], decoded.planes[index])

    return measure


def psnr_yuv_db(original: Shot, decoded: Shot) -> float:
    """(6 Y + U + V) / 8 of the PSNR of the planes, each at most MOST_DB; infinite where none differs."""
    planes = [psnr_db(a, b) for a, b in zip(original.planes, decoded.planes, strict=True)]
    if math.inf in planes and len(set(planes)) == 1:
        return math.inf
    y, u, v = (min(each, MOST_DB) for each in planes)
    return _Y_WEIGHT * y + _UV_WEIGHT * (u + v)


CLIP_METRICS = {
    metric.key: metric
    for metric in (
        _of_frames("psnr_db", "PSNR, RGB, mean of frames, dB", lambda a, b: psnr_db(a.rgb, b.rgb)),
        ClipMetric("psnr_total_db", "PSNR, RGB, of all frames' error, dB", lambda rate: TotalPsnr()),
        _of_frames("psnr_y_db", "PSNR, Y, mean of frames, dB", _psnr_of_plane(0)),
        _of_frames("psnr_u_db", "PSNR, U, mean of frames, dB", _psnr_of_plane(1)),
        _of_frames("psnr_v_db", "PSNR, V, mean of frames, dB", _psnr_of_plane(2)),
        _of_frames("psnr_yuv_db", "PSNR, YUV 6:1:1, mean of frames, dB", psnr_yuv_db),
        _of_frames("ms_ssim", "MS-SSIM, RGB, mean of frames", lambda a, b: ms_ssim_if_defined(a.rgb, b.rgb)),
        ClipMetric("xpsnr_y_db", "XPSNR, luma, dB", lambda rate: Xpsnr(rate)),
        ClipMetric("vmaf", "VMAF", lambda rate: Vmaf(rate)),
    )
}
DEFAULT_CLIP_METRICS = (
    "psnr_db",
    "psnr_total_db",
    "psnr_y_db",
    "psnr_u_db",
    "psnr_v_db",
    "psnr_yuv_db",
    "ms_ssim",
)
SERIES = ("psnr_db", "psnr_yuv_db")  # kept frame by frame: whether a chain of frames drifts


@dataclass(frozen=True, slots=True)
class ClipFigures:
    """Metrics by key, and those of each frame; None where a value is not defined or without end."""

    metrics: dict[str, float | None]
    series: dict[str, list[float | None]]


def measure_clip(
    metrics: Sequence[ClipMetric], originals: Iterable[Shot], decoded: Iterable[Shot], rate: Fraction
) -> ClipFigures:
    """Measure two clips frame by frame; neither is held in memory.

    Raises:
        ValueError: they differ in size or in the number of frames.
    """
    meters = {metric.key: metric.start(rate) for metric in metrics}
    counts = [0, 0]
    for pair in zip_longest(originals, decoded):
        original, shot = pair
        counts = [count + (each is not None) for count, each in zip(counts, pair, strict=True)]
        if original is None or shot is None:
            continue  # to the end, to say how many there are
        _check_sizes(original, shot)
        for meter in meters.values():
            meter.add(original, shot)
    if counts[0] != counts[1]:
        raise ValueError(f"clips of {counts[0]} and {counts[1]} frames cannot be compared")
    if not counts[0]:
        raise ValueError("clips without frames cannot be compared")
    frames = {key: meter.values for key, meter in meters.items() if isinstance(meter, FrameMean)}
    return ClipFigures(
        {key: _finite(meter.value()) for key, meter in meters.items()},
        {key: [_finite(value) for value in frames[key]] for key in SERIES if key in frames},
    )


def _check_sizes(original: Shot, decoded: Shot) -> None:
    if original.rgb.shape != decoded.rgb.shape:
        sizes = " and ".join(f"{shot.rgb.shape[1]}x{shot.rgb.shape[0]}" for shot in (original, decoded))
        raise ValueError(f"clips of {sizes} pixels cannot be compared")


def _finite(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None


def check_clip_metric(metric: ClipMetric) -> None:
    """Measure two grey frames, so that what is missing is said before the work begins.

    Raises:
        ImportError: a package or a tool is missing; the message says what to install.
    """
    side = MS_SSIM_SIDE + 15
    shots = [_grey(side, level) for level in (100, 101)]
    meter = metric.start(Fraction(25))
    for _ in range(2):
        meter.add(shots[0], shots[1])
    meter.value()


def _grey(side: int, level: int) -> Shot:
    def plane(size: int) -> Plane:
        return np.full((size, size), level, np.uint8)

    planes: Planes = (plane(side), plane(side // 2), plane(side // 2))
    return Shot(planes, np.full((side, side, 3), level, np.uint8))
