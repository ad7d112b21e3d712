"""The curves of a run: one row per evaluation in a CSV file, and a picture of them."""

import csv
from pathlib import Path

Row = dict[str, float]


def append_row(path: Path, row: Row) -> None:
    """Add a row; the first one brings the header.

    Raises:
        ValueError: the file has other columns, so it is of another run or version.
    """
    if path.exists() and b"\n" not in path.read_bytes():
        path.unlink()  # a kill or a full disk cut the header short: there is nothing in it
    if path.exists():
        with path.open(newline="") as stream:
            columns = next(csv.reader(stream), None)
        if columns != list(row):
            raise ValueError(
                f"{path} has other columns than this run writes: move it away or train elsewhere"
            )
    torn = path.exists() and not path.read_bytes().endswith(b"\n")
    with path.open("a", newline="") as stream:
        writer = csv.DictWriter(stream, list(row))
        if stream.tell() == 0:
            writer.writeheader()
        if torn:
            stream.write("\n")
        writer.writerow(row)


def read_rows(path: Path) -> list[Row]:
    """All rows, as numbers, without those that a full disk or a power failure cut short."""
    with path.open(newline="") as stream:
        columns, *rows = csv.reader(stream)
    return [
        dict(zip(columns, map(float, row), strict=True))
        for row in rows
        if len(row) == len(columns) and all(row)
    ]


def described(row: Row) -> str:
    """A row as a line of text."""
    levels = [name.removeprefix("bpp_") for name in row if name.startswith("bpp_")]
    points = "  ".join(f"{row[f'bpp_{k}']:.3f}/{row[f'psnr_db_{k}']:.2f}" for k in levels)
    return (
        f"step {row['step']:.0f}  train {row['train_loss']:.4f}  held-out {row['loss']:.4f}  "
        f"bpp/dB {points}  {row['steps_per_minute']:.0f} steps/min, {row['peak_share']:.0%}"
    )


def draw(rows: list[Row], target: Path) -> bool:
    """Loss over steps beside the rate-distortion curve, first and last; False without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:  # a machine that only trains need not have it
        return False
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    steps = [row["step"] for row in rows]
    left.plot(steps, [row["loss"] for row in rows], label="held-out")
    left.plot(steps, [row["train_loss"] for row in rows], label="training", alpha=0.5)
    left.set(xlabel="step", ylabel="loss")
    left.legend()
    levels = [name.removeprefix("bpp_") for name in rows[0] if name.startswith("bpp_")]
    for label, row in (("first", rows[0]), ("last", rows[-1])):
        points = [(row[f"bpp_{k}"], row[f"psnr_db_{k}"]) for k in levels]
        right.plot(*zip(*points, strict=True), marker="o", label=f"{label}, step {row['step']:.0f}")
    right.set(xlabel="bits per pixel", ylabel="PSNR, dB", title="held-out pictures")
    right.legend()
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.savefig(target, dpi=110)
    return True
