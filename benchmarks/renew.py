"""Put a codec that was measured again in place of what stored results say of it.

    linnet bench PICTURES -o report -j 2 --codecs linnet:fast --view none
    python benchmarks/renew.py report benchmarks/results/kodak --codec linnet:fast

Rows of other codecs stay as they are; BD figures against them come from the six digits of summary.csv.
"""

import argparse
import csv
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from tables import rows_of

from linnet.codec.bench.curves import Curve, CurvePoint, published_curves
from linnet.codec.bench.deltas import all_deltas, deltas_of_items
from linnet.codec.bench.items import Kind
from linnet.codec.bench.media import MEDIA
from linnet.codec.bench.plots import EACH, draw_curves, draw_items, plot_name

Row = Mapping[str, str]
MEAN = "mean"  # the curves that are means over files
NO_METRICS = {"clip", "codec", "measured", "value", "bpp", "encode_s", "decode_s"}
NO_METRICS |= {"kbps", "encode_fps", "decode_fps"}


def place_of(row: Row) -> tuple[str, str]:
    """Which curve a row of summary.csv is a point of."""
    return row.get("clip", MEAN), row["codec"]


def replaced(stored: Sequence[Row], fresh: Sequence[Row]) -> list[Row]:
    """Rows with fresh curves where the stored ones are; those that are new come last."""
    curves: dict[tuple[str, str], list[Row]] = {place_of(row): [] for row in (*stored, *fresh)}
    anew = {place_of(row) for row in fresh}
    for row in (*(row for row in stored if place_of(row) not in anew), *fresh):
        curves[place_of(row)].append(row)
    return [row for rows in curves.values() for row in rows]


def curves_of(rows: Sequence[Row], specs: Mapping[str, str]) -> dict[str, list[Curve]]:
    """The curves of each clip, and the means, of pictures alone. specs: of what is measured, by label."""
    points: dict[tuple[str, str], list[CurvePoint]] = {}
    for row in rows:
        metrics = {
            key: float(value) if value else None for key, value in row.items() if key not in NO_METRICS
        }
        points.setdefault(place_of(row), []).append(CurvePoint(float(row["bpp"]), metrics))
    published = {curve.label: curve for curve in published_curves()}
    found: dict[str, list[Curve]] = {}
    for (item, label), each in points.items():
        curve = Curve(label, each, specs[label]) if label in specs else published[label]
        found.setdefault(item, []).append(curve)
    return found


def renew(report: Path, stored: Path, spec: str) -> None:
    """Write summary.csv, bd.csv, run.json and those plots that are there anew.

    Raises:
        ValueError: the report lacks the codec. OSError.
    """
    run, found = (
        json.loads((path / name).read_text())
        for path, name in ((stored, "run.json"), (report, "results.json"))
    )
    if spec not in found["codecs"]:
        raise ValueError(f"{report} has no {spec}, only {', '.join(found['codecs'])}")
    run["codecs"][spec] = found["codecs"][spec]
    specs = {each["label"]: name for name, each in run["codecs"].items()}
    label = run["codecs"][spec]["label"]
    fresh = [row for row in rows_of(report / "summary.csv") if row["codec"] == label]
    rows = replaced(rows_of(stored / "summary.csv"), fresh)
    curves = curves_of(rows, specs)
    means = curves.pop(MEAN)
    medium = MEDIA[Kind.CLIPS if curves else Kind.PICTURES]
    metrics = [metric for key, metric in medium.metrics.items() if key in rows[0]]
    deltas = deltas_of_items(curves, metrics) if curves else all_deltas(means, metrics)
    old = {
        (row["anchor"], row["test"], row["metric"], row["item"]): row for row in rows_of(stored / "bd.csv")
    }
    both = [(each, old.get((each.anchor, each.test, each.metric, each.item))) for each in deltas]
    figures = [
        asdict(each) if row is None or label in (each.anchor, each.test) else row for each, row in both
    ]
    write(stored / "summary.csv", rows)
    write(stored / "bd.csv", figures)
    (stored / "run.json").write_text(json.dumps(run, indent=1) + "\n")
    title = f"{run['dataset']}, mean of {medium.kind.value}"
    with tempfile.TemporaryDirectory() as name:
        for metric in metrics:
            if (stored / f"{plot_name(metric)}.png").exists():
                draw_curves(means, metric, title, Path(name))
            if (stored / f"{plot_name(metric, EACH)}.png").exists():
                draw_items(curves, metric, Path(name))
        for plot in Path(name).glob("*.png"):
            shutil.copy(plot, stored)


def write(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """A CSV file."""
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    """Renew."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("report", type=Path)
    parser.add_argument("stored", type=Path)
    parser.add_argument("--codec", required=True)
    words = parser.parse_args()
    renew(words.report, words.stored, words.codec)


if __name__ == "__main__":
    main()
