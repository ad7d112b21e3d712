"""The results of a benchmark as tables: the means of all points, and BD-rates."""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, fields

from .curves import CurvePoint
from .deltas import Delta
from .results import Results


def means_csv(results: Results) -> str:
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


def bd_csv(results: Results) -> str:
    """BD-rate and BD-quality of every pair of curves."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, [field.name for field in fields(Delta)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(delta) for delta in results.deltas)
    return stream.getvalue()
