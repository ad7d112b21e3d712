"""The results of a benchmark as files: results.json, summary.csv, plots and the page."""

import csv
import io
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ... import __version__
from ..atomic import atomic_write
from .adapters.base import Adapter
from .curves import Curve, common_pictures
from .deltas import METHOD, Delta
from .metrics import METRICS
from .page import Page, PagePicture, Setting, Speed, Trouble
from .plots import draw_curves
from .runner import Plan, Row

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Results:
    """All that a run found; why some files are no pictures and some codecs are missing, by name."""

    dataset: str
    command: str
    plan: Plan
    rows: Sequence[Row]
    curves: Sequence[Curve]
    deltas: Sequence[Delta]
    unreadable: Mapping[str, str]
    missing: Mapping[str, str]

    @property
    def summary(self) -> str:
        """One line on what was measured, for people."""
        counted, asked = len(common_pictures(self.rows)), len(self.plan.pictures) + len(self.unreadable)
        pictures = f"{counted} pictures" if counted == asked else f"{counted} of {asked} pictures"
        return (
            f"{self.dataset}: means over {pictures}; whole files with their headers, decoded by other "
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
    drawn = [
        draw_curves(results.curves, METRICS[key], f"{results.dataset}, mean of pictures", folder)
        for key in results.plan.metrics
        if any(curve.spec and curve.xy(key)[0] for curve in results.curves)
    ]
    return [*(folder / name for name in files), *(path for paths in drawn for path in paths)]


def row_fields(row: Row, adapter: Adapter) -> dict[str, Any]:
    """A row as JSON has it."""
    point = row.point
    place = {
        "file": point.picture.name,
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
        "metrics": dict(row.metrics),
        "encode_s": round(row.encode_s, 4),
        "decode_s": round(row.decode_s, 4),
        "versions": dict(adapter.versions),
        "command": adapter.command(point.value),
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
        "counted_pictures": common_pictures(results.rows),
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
    """The means, a line for each codec and value; published points too."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["codec", "measured", "value", "bpp", *results.plan.metrics, "encode_s", "decode_s"])
    for curve in results.curves:
        for point in curve.points:
            values = [point.metrics.get(key) for key in results.plan.metrics]
            figures = [point.value, point.bpp, *values, point.encode_s, point.decode_s]
            shown = ["" if figure is None else f"{figure:.6g}" for figure in figures]
            writer.writerow([curve.label, "yes" if curve.spec else "published", *shown])
    return stream.getvalue()


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
        metrics=[METRICS[key] for key in results.plan.metrics],
        curves=results.curves,
        knobs={each.label: each.knob.name for each in adapters.values()},
        deltas=results.deltas,
        speed=speeds(results.rows, adapters),
        speed_note="Means over all pictures and points; one thread; models loaded before; pixels in memory "
        "to file and back. Programs of the user include their start and raw planes on disk.",
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
        megapixels = sum(row.point.picture.width * row.point.picture.height for row in ours) / 1e6
        if ours and encode_s and decode_s:
            means = (encode_s / len(ours), decode_s / len(ours))
            found.append(Speed(adapter.label, *means, megapixels / encode_s, megapixels / decode_s))
    return found
