"""Curves over a dataset: means over its files, measured here or published by others."""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from .adapters.base import Adapter
from .items import Item
from .plan import Row

_KODAK_PICTURES = 24
_KODAK_SIZES = {(768, 512), (512, 768)}


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Means over files; value is of the knob, times in seconds; None where not measured.

    kbps, encode_fps, decode_fps: of clips, kbit and frames per second.
    """

    bpp: float
    metrics: Mapping[str, float | None]
    value: float | None = None
    encode_s: float | None = None
    decode_s: float | None = None
    kbps: float | None = None
    encode_fps: float | None = None
    decode_fps: float | None = None


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


def common_items(rows: Sequence[Row]) -> list[str]:
    """The files that count: no codec failed on them, codecs that failed on all of them set aside."""
    names = list(dict.fromkeys(row.point.item.name for row in rows))
    failed: dict[str, set[str]] = {}
    for row in rows:
        if row.error and not row.point.matched:
            failed.setdefault(row.point.codec, set()).add(row.point.item.name)
    partly = [items for items in failed.values() if len(items) < len(names)]
    return [name for name in names if not any(name in items for items in partly)]


def measured_curves(rows: Sequence[Row], adapters: Mapping[str, Adapter]) -> list[Curve]:
    """A curve for each codec that coded every file that counts."""
    wanted = set(common_items(rows))
    curves = []
    for spec, adapter in adapters.items():
        by_value: dict[float, list[Row]] = {}
        for row in rows:
            ours = row.point.codec == spec and not row.point.matched and not row.error
            if ours and row.point.item.name in wanted:
                by_value.setdefault(row.point.value, []).append(row)
        whole = {value: each for value, each in by_value.items() if len(each) == len(wanted)}
        if whole:
            points = sorted((_mean(value, each) for value, each in whole.items()), key=lambda p: p.bpp)
            curves.append(Curve(adapter.label, points, spec))
    return curves


def item_curves(rows: Sequence[Row], adapters: Mapping[str, Adapter]) -> dict[str, list[Curve]]:
    """The curves of each file that counts, by its name."""
    return {
        name: measured_curves([row for row in rows if row.point.item.name == name], adapters)
        for name in common_items(rows)
    }


def _mean(value: float, rows: Sequence[Row]) -> CurvePoint:
    def mean(metric: str) -> float | None:
        values = [each for row in rows if (each := row.metrics[metric]) is not None]
        return statistics.fmean(values) if len(values) == len(rows) else None

    seconds = sum(row.point.item.seconds for row in rows)  # 0 of pictures, which have no rates over time
    frames = sum(row.point.item.frames for row in rows) if seconds else 0
    times = [sum(row.encode_s for row in rows), sum(row.decode_s for row in rows)]
    speeds = [frames / time if frames and time else None for time in times]
    kbps = [row.bytes * 8 / 1000 / row.point.item.seconds for row in rows] if seconds else []
    return CurvePoint(
        bpp=statistics.fmean(row.bpp for row in rows),
        metrics={metric: mean(metric) for metric in rows[0].metrics},
        value=value,
        encode_s=times[0] / len(rows),
        decode_s=times[1] / len(rows),
        kbps=statistics.fmean(kbps) if kbps else None,
        encode_fps=speeds[0],
        decode_fps=speeds[1],
    )


def is_kodak(pictures: Sequence[Item]) -> bool:
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
        data = json.loads(source.read_text(encoding="utf-8"))
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
