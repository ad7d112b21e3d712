"""The results of a benchmark as files: results.json, summary.csv, plots and the page."""

import csv
import io
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from ... import __version__
from ..atomic import atomic_write
from .adapters.base import Adapter
from .curves import Curve, CurvePoint, common_items
from .deltas import METHOD, Delta
from .page import Page, PagePicture, Setting, Speed, Trouble
from .plan import Plan, Row
from .plots import draw_curves, draw_items

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Results:
    """All that a run found; why some files cannot be read and some codecs are missing, by name."""

    dataset: str
    command: str
    plan: Plan
    rows: Sequence[Row]
    curves: Sequence[Curve]
    deltas: Sequence[Delta]
    unreadable: Mapping[str, str]
    missing: Mapping[str, str]
    item_curves: Mapping[str, Sequence[Curve]] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """One line on what was measured, for people."""
        kind = self.plan.medium.kind.value
        counted, asked = len(common_items(self.rows)), len(self.plan.items) + len(self.unreadable)
        items = f"{counted} {kind}" if counted == asked else f"{counted} of {asked} {kind}"
        return (
            f"{self.dataset}: means over {items}; whole files with their headers, decoded by other "
            f"processes than those that encoded, each on one thread. Linnet {__version__}."
        )

    @property
    def errors(self) -> list[Trouble]:
        """Everything that failed."""
        files = [Trouble(name, why) for name, why in self.unreadable.items()]
        codecs = [Trouble(spec, why) for spec, why in self.missing.items()]
        rows = [Trouble(row.where, row.error) for row in self.rows if row.error]
        return [*files, *codecs, *rows]


def write_results(
    results: Results, pictures: Sequence[PagePicture], view_note: str, folder: Path
) -> list[Path]:
    """Write everything into a folder, and return where.

    Raises:
        NotInstalledError: matplotlib is missing.
        OSError
    """
    files = {
        "results.json": json.dumps(_json(results), indent=1, allow_nan=False) + "\n",
        "summary.csv": _csv(results),
        "bd.csv": _bd_csv(results),
        "report.html": _page(results, pictures, view_note).html(),
    }
    for name, text in files.items():
        with atomic_write(folder / name, overwrite=True) as stream:
            stream.write(text.encode())
    title = f"{results.dataset}, mean of {results.plan.medium.kind.value}"
    drawn = []
    for metric in results.plan.known_metrics:
        if any(curve.spec and curve.xy(metric.key)[0] for curve in results.curves):
            drawn.append(draw_curves(results.curves, metric, title, folder))
            if results.item_curves:
                drawn.append(draw_items(results.item_curves, metric, folder))
    return [*(folder / name for name in files), *(path for paths in drawn for path in paths)]


def row_fields(row: Row, adapter: Adapter) -> dict[str, Any]:
    """A row as JSON has it."""
    point = row.point
    place = {
        "file": point.item.name,
        "codec": point.codec,
        "knob": adapter.knob.name,
        "value": point.value,
        "matched": point.matched,
    }
    if row.error:
        return {**place, "error": row.error}
    return {
        **place,
        "bytes": row.bytes,
        "bpp": round(row.bpp, 6),
        **_clip_fields(row),
        "metrics": dict(row.metrics),
        "encode_s": round(row.encode_s, 4),
        "decode_s": round(row.decode_s, 4),
        "versions": dict(adapter.versions),
        "command": adapter.command(point.value),
    }


def _clip_fields(row: Row) -> dict[str, Any]:
    """What rows of clips have beside those of pictures."""
    item = row.point.item
    if not item.seconds:
        return {}
    return {
        "frames": item.frames,
        "kbps": round(row.bytes * 8 / 1000 / item.seconds, 3),
        "encode_fps": round(item.frames / row.encode_s, 3) if row.encode_s else None,
        "decode_fps": round(item.frames / row.decode_s, 3) if row.decode_s else None,
        "by_frame": {key: list(values) for key, values in row.series.items()},
    }


def _json(results: Results) -> dict[str, Any]:
    adapters = results.plan.adapters
    rows = [row_fields(row, adapters[row.point.codec]) for row in results.rows]
    broken = [{"file": name, "codec": None, "error": why} for name, why in results.unreadable.items()]
    return {
        "schema": SCHEMA,
        "dataset": results.dataset,
        "command": results.command,
        "linnet": __version__,
        "machine": {
            "processor": platform.machine(),
            "system": platform.system(),
            "python": platform.python_version(),
        },
        f"counted_{results.plan.medium.kind.value}": common_items(results.rows),
        "codecs": {
            spec: {"label": each.label, "settings": each.settings, "versions": dict(each.versions)}
            for spec, each in adapters.items()
        },
        "missing_codecs": dict(results.missing),
        "curves": [asdict(curve) for curve in results.curves],
        "bd": {
            "method": METHOD,
            "rate": "logarithmic",
            "deltas": [asdict(delta) for delta in results.deltas],
        },
        "rows": [*broken, *rows],
    }


def _csv(results: Results) -> str:
    """The means, a line for each codec and value; published points too; of clips those of each as well."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    keys, each = results.plan.metrics, results.plan.medium.each
    over_time = ["kbps", "encode_fps", "decode_fps"] if each else []
    heads = ["codec", "measured", "value", "bpp", *keys, "encode_s", "decode_s", *over_time]
    writer.writerow(["clip", *heads] if each else heads)
    groups = {"mean": results.curves, **results.item_curves}
    for name, curve, point in ((n, c, p) for n, curves in groups.items() for c in curves for p in c.points):
        cells = [curve.label, "yes" if curve.spec else "published", *_figures(point, keys, over_time)]
        writer.writerow([name, *cells] if each else cells)
    return stream.getvalue()


def _figures(point: CurvePoint, keys: Sequence[str], over_time: Sequence[str]) -> list[str]:
    values = [point.metrics.get(key) for key in keys]
    times = [point.encode_s, point.decode_s, *(getattr(point, name) for name in over_time)]
    figures = [point.value, point.bpp, *values, *times]
    return ["" if figure is None else f"{figure:.6g}" for figure in figures]


def _bd_csv(results: Results) -> str:
    """BD-rate and BD-quality of every pair of curves."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, [field.name for field in fields(Delta)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(delta) for delta in results.deltas)
    return stream.getvalue()


def _page(results: Results, pictures: Sequence[PagePicture], view_note: str) -> Page:
    adapters = results.plan.adapters
    return Page(
        title=f"Rate and distortion: {results.dataset}",
        summary=results.summary,
        metrics=results.plan.known_metrics,
        curves=results.curves,
        item_curves=results.item_curves,
        knobs={each.label: each.knob.name for each in adapters.values()},
        deltas=results.deltas,
        speed=speeds(results.rows, adapters),
        speed_note=results.plan.medium.speed,
        pictures=pictures,
        view_note=view_note,
        settings=[
            Setting(
                each.label,
                each.settings,
                ", ".join(f"{name} {version}" for name, version in each.versions.items()),
                each.command(each.knob.grid[len(each.knob.grid) // 2]),
            )
            for each in adapters.values()
        ],
        troubles=results.errors,
        command=results.command,
    )


def speeds(rows: Sequence[Row], adapters: Mapping[str, Adapter]) -> list[Speed]:
    """Means of each codec over all of its rows."""
    found = []
    for spec, adapter in adapters.items():
        ours = [row for row in rows if row.point.codec == spec and not row.error]
        encode_s, decode_s = sum(row.encode_s for row in ours), sum(row.decode_s for row in ours)
        megapixels = sum(row.point.item.pixels for row in ours) / 1e6
        frames = sum(row.point.item.frames for row in ours if row.point.item.seconds)
        if ours and encode_s and decode_s:
            means = (encode_s / len(ours), decode_s / len(ours))
            over_time = (frames / encode_s, frames / decode_s) if frames else ()
            rates = (megapixels / encode_s, megapixels / decode_s)
            found.append(Speed(adapter.label, *means, *rates, *over_time))
    return found
