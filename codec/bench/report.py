"""The results of a benchmark as files: results.json, summary.csv, bd.csv, plots and the page."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..files.atomic import atomic_write
from .adapters.base import Adapter
from .page import Page, PagePicture, Setting, Speed
from .plan import Row
from .plots import draw_curves, draw_items
from .result_json import json_of
from .result_tables import bd_csv, means_csv
from .results import Results


def write_results(
    results: Results, pictures: Sequence[PagePicture], view_note: str, folder: Path
) -> list[Path]:
    """Write everything into a folder, and return where.

    Raises:
        NotInstalledError: matplotlib is missing.
        OSError
    """
    files = {
        "results.json": json.dumps(json_of(results), indent=1, allow_nan=False) + "\n",
        "summary.csv": means_csv(results),
        "bd.csv": bd_csv(results),
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
