"""A folder of small pictures through `linnet encode -r`: `-j 2` against one process.

    python benchmarks/batch.py PHOTOS --out benchmarks/results/batch.json

Cuts of the photographs in PHOTOS, 128x128 and 256x256 in turn, are encoded by the command, `-j 1` with one
thread and `-j N` with one thread in each process, in turn, several times. Times are of whole runs, medians:
with the start of Python and the loading of the model, which every process does for itself. Beside them the
same without the start: less the time of a run over N pictures, one for each process.
"""

import argparse
import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from PIL import Image

SIDES = (128, 256)  # pixels
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


def cuts(photos: Path, count: int) -> Iterator[Image.Image]:
    """So many cuts, from one photograph after the other, at places that chance chose once."""
    found = sorted(path for path in photos.rglob("*") if path.suffix.lower() in SUFFIXES)
    paths = [path for path in found if min(size_of(path)) >= max(SIDES)]
    if not paths:
        raise SystemExit(f"{photos}: no photograph of at least {max(SIDES)} pixels a side")
    chance = random.Random(0)
    for number in range(count):
        with Image.open(paths[number % len(paths)]) as image:
            side = SIDES[number % len(SIDES)]
            left, top = chance.randint(0, image.width - side), chance.randint(0, image.height - side)
            yield image.convert("RGB").crop((left, top, left + side, top + side))


def size_of(path: Path) -> tuple[int, int]:
    """Width and height in pixels."""
    with Image.open(path) as image:
        return image.size


def seconds_of(folder: Path, processes: int) -> float:
    """Wall time of one run with one thread in each process."""
    with tempfile.TemporaryDirectory() as out:
        words = ["encode", "-r", str(folder), "-o", out, "-j", str(processes), "--device", "cpu", "--quiet"]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "linnet", *words], check=True, env=environment)
        seconds = time.perf_counter() - started
        if len(list(Path(out).iterdir())) != len(list(folder.iterdir())):
            raise SystemExit("some files are missing")
    return seconds


def medians(folder: Path, processes: int, runs: int) -> tuple[float, float, list[float], list[float]]:
    """Of `-j 1` and of `-j processes`, in turn; and all times."""
    one: list[float] = []
    several: list[float] = []
    for _ in range(runs):
        one.append(seconds_of(folder, 1))
        several.append(seconds_of(folder, processes))
        print(f"{len(list(folder.iterdir()))} pictures: {one[-1]:.2f} s, {several[-1]:.2f} s", flush=True)
    return statistics.median(one), statistics.median(several), one, several


def measure(pictures: Path, processes: int, runs: int) -> dict[str, object]:
    """Throughputs with and without the start."""
    count = len(list(pictures.iterdir()))
    with tempfile.TemporaryDirectory() as few:
        for path in sorted(pictures.iterdir())[:processes]:
            shutil.copy(path, few)
        start_one, start_several, *_ = medians(Path(few), processes, runs)
    one, several, all_one, all_several = medians(pictures, processes, runs)
    net_one = (count - processes) / (one - start_one)
    net_several = (count - processes) / (several - start_several)
    return {
        "pictures": count,
        "processes": processes,
        "pictures_per_s_j1": round(count / one, 2),
        f"pictures_per_s_j{processes}": round(count / several, 2),
        f"ratio_to_{processes}_times_j1": round(one / several / processes, 3),
        "without_start": {
            "start_s_j1": round(start_one, 2),
            f"start_s_j{processes}": round(start_several, 2),
            "pictures_per_s_j1": round(net_one, 2),
            f"pictures_per_s_j{processes}": round(net_several, 2),
            f"ratio_to_{processes}_times_j1": round(net_several / net_one / processes, 3),
        },
        "seconds_j1": [round(each, 2) for each in all_one],
        f"seconds_j{processes}": [round(each, 2) for each in all_several],
    }


def main() -> None:
    """Make the folder, run both ways, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", type=Path, help="folder of photographs")
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--out", type=Path)
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for number, cut in enumerate(cuts(words.photos, words.pictures)):
            cut.save(Path(folder, f"{number:04}.png"))
        found = measure(Path(folder), words.processes, words.runs)
    print(json.dumps(found, indent=1))
    if words.out:
        result = {
            "command": " ".join(["python benchmarks/batch.py", words.photos.name, *sys.argv[2:]]),
            "machine": {"processor": platform.machine(), "cores": os.cpu_count()},
            "torch": torch.__version__,
            "runs": words.runs,
            **found,
        }
        words.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
