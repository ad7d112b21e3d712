"""BD-rate and BD-PSNR: the mean distance of two curves, by the `bjontegaard` package."""

import itertools
import math
import statistics
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import NotInstalledError
from .curves import Curve
from .metrics import Metric

METHOD = "pchip"  # piecewise cubic Hermite, on the logarithm of the rate
_MIN_POINTS = 4


@dataclass(frozen=True, slots=True)
class Delta:
    """A test curve against an anchor in one metric.

    rate_percent: negative is smaller files at the same quality. gain: of the metric at the same rate, in its
    unit. low, high: where both curves are known, in the metric. note: why there are no figures, or what they
    are. item: of which file both curves are; empty for curves, or figures, that are means.
    """

    anchor: str
    test: str
    metric: str
    rate_percent: float | None = None
    gain: float | None = None
    low: float | None = None
    high: float | None = None
    note: str = ""
    item: str = ""


def all_deltas(curves: Sequence[Curve], metrics: Sequence[Metric]) -> list[Delta]:
    """Every ordered pair of curves, where not both are published, in every metric that both know.

    Raises:
        NotInstalledError: the package is missing.
    """
    pairs = [(a, t) for a, t in itertools.permutations(curves, 2) if a.spec or t.spec]
    return [delta(a, t, m) for m in metrics for a, t in pairs if a.xy(m.key)[0] and t.xy(m.key)[0]]


def deltas_of_items(curves: Mapping[str, Sequence[Curve]], metrics: Sequence[Metric]) -> list[Delta]:
    """The means over files of what `all_deltas` finds for each, and behind them those of each file.

    Args:
        curves: of each file, by its name.
    Raises:
        NotInstalledError: the package is missing.
    """
    found = [replace(d, item=name) for name, own in curves.items() for d in all_deltas(own, metrics)]
    groups: dict[tuple[str, str, str], list[Delta]] = {}
    for each in found:
        groups.setdefault((each.metric, each.anchor, each.test), []).append(each)
    return [*(_mean(group, len(curves)) for group in groups.values()), *found]


def _mean(group: Sequence[Delta], count: int) -> Delta:
    """The mean of figures of so many files; none if one of them has none: it would be of other files."""
    first = group[0]
    blank = Delta(first.anchor, first.test, first.metric)
    rates = [each.rate_percent for each in group if each.rate_percent is not None]
    gains = [each.gain for each in group if each.gain is not None]
    if len(rates) < count:
        missing = next((each for each in group if each.rate_percent is None), None)
        return replace(blank, note=f"{missing.item}: {missing.note}" if missing else "not of every file")
    mean = (round(statistics.fmean(rates), 3), round(statistics.fmean(gains), 4))
    return replace(blank, rate_percent=mean[0], gain=mean[1], note=f"mean of {count} files")


def delta(anchor: Curve, test: Curve, metric: Metric) -> Delta:
    """Compare two curves over the values of the metric that both reach.

    Raises:
        NotInstalledError: the package is missing.
    """
    try:
        import bjontegaard
    except ImportError as error:
        raise NotInstalledError("BD-rate needs bjontegaard: pip install 'linnet[bench]'") from error
    sign = 1 if metric.rising else -1
    (rate_a, value_a), (rate_t, value_t) = anchor.xy(metric.key), test.xy(metric.key)
    low, high = max(min(value_a), min(value_t)), min(max(value_a), max(value_t))
    blank = Delta(anchor.label, test.label, metric.key)
    if min(len(rate_a), len(rate_t)) < _MIN_POINTS:
        return replace(blank, note=f"fewer than {_MIN_POINTS} points")
    if high <= low:
        return replace(blank, note="no overlap")
    data = (rate_a, [sign * v for v in value_a], rate_t, [sign * v for v in value_t])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a small overlap: it is printed beside the figure
            rate = float(
                np.asarray(bjontegaard.bd_rate(*data, METHOD, require_matching_points=False, min_overlap=0))
            )
            gain = sign * float(
                np.asarray(bjontegaard.bd_psnr(*data, METHOD, require_matching_points=False, min_overlap=0))
            )
    except ValueError as error:
        return replace(blank, note=f"the quality does not rise with the rate ({error})")
    if not (math.isfinite(rate) and math.isfinite(gain)):
        return replace(blank, note="the curves do not overlap in rate")
    return replace(blank, rate_percent=round(rate, 3), gain=round(gain, 4), low=low, high=high)
