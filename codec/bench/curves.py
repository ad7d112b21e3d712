"""Curves over a dataset: means over pictures, measured here or published by others."""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from .adapters.base import Adapter
from .pictures import Picture
from .runner import Row

_KODAK_PICTURES = 24
_KODAK_SIZES = {(768, 512), (512, 768)}


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Means over pictures; value is of the knob, times in seconds; None where not measured."""

    bpp: float
    metrics: Mapping[str, float | None]
    value: float | None = None
    encode_s: float | None = None
    decode_s: float | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """Points from the smallest rate to the largest. spec: of the codec; empty for a published curve."""

    label: str
    points: Sequence[CurvePoint]
    spec: str = ""
    source: str = ""  # of a published curve

    def xy(self, metric: str) -> tuple[list[float], list[float]]:
        """Rates, and the values of a metric where it is known."""
        pairs = [(p.bpp, p.metrics.get(metric)) for p in self.points]
        known = [(bpp, value) for bpp, value in pairs if value is not None]
        return [bpp for bpp, _ in known], [value for _, value in known]


def common_pictures(rows: Sequence[Row]) -> list[str]:
    """The pictures that count: no codec failed on them, codecs that failed on all of them set aside."""
    names = list(dict.fromkeys(row.point.picture.name for row in rows))
    failed: dict[str, set[str]] = {}
    for row in rows:
        if row.error and not row.point.matched:
            failed.setdefault(row.point.codec, set()).add(row.point.picture.name)
    partly = [pictures for pictures in failed.values() if len(pictures) < len(names)]
    return [name for name in names if not any(name in pictures for pictures in partly)]


def measured_curves(rows: Sequence[Row], adapters: Mapping[str, Adapter]) -> list[Curve]:
    """A curve for each codec that coded every picture that counts."""
    wanted = set(common_pictures(rows))
    curves = []
    for spec, adapter in adapters.items():
        by_value: dict[float, list[Row]] = {}
        for row in rows:
            ours = row.point.codec == spec and not row.point.matched and not row.error
            if ours and row.point.picture.name in wanted:
                by_value.setdefault(row.point.value, []).append(row)
        whole = {value: each for value, each in by_value.items() if len(each) == len(wanted)}
        if whole:
            points = sorted((_mean(value, each) for value, each in whole.items()), key=lambda p: p.bpp)
            curves.append(Curve(adapter.label, points, spec))
    return curves


def _mean(value: float, rows: Sequence[Row]) -> CurvePoint:
    def mean(metric: str) -> float | None:
        values = [each for row in rows if (each := row.metrics[metric]) is not None]
        return statistics.fmean(values) if len(values) == len(rows) else None

    return CurvePoint(
        bpp=statistics.fmean(row.bpp for row in rows),
        metrics={metric: mean(metric) for metric in rows[0].metrics},
        value=value,
        encode_s=statistics.fmean(row.encode_s for row in rows),
        decode_s=statistics.fmean(row.decode_s for row in rows),
    )


def is_kodak(pictures: Sequence[Picture]) -> bool:
    """Whether these are the 24 pictures of the Kodak set, by number and size."""
    numbers = sorted("".join(c for c in Path(p.name).stem if c.isdigit())[-2:] for p in pictures)
    sizes = {(picture.width, picture.height) for picture in pictures}
    return numbers == [f"{n:02d}" for n in range(1, _KODAK_PICTURES + 1)] and sizes <= _KODAK_SIZES


def published_curves(path: Path | None = None) -> list[Curve]:
    """Curves of a file like kodak_published.json, which is the default.

    Raises:
        ValueError: a file of another kind.
        OSError
    """
    source = path or files(__package__ or "") / "kodak_published.json"
    try:
        data = json.loads(source.read_text())
        return [
            Curve(
                f"{label} (published)",
                [CurvePoint(p["bpp"], {k: v for k, v in p.items() if k != "bpp"}) for p in points],
                source=data["source"],
            )
            for label, points in data["curves"].items()
        ]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{path}: no file of curves ({error}); see kodak_published.json for one") from error
