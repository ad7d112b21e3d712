"""Encoding where others want the cores too: how long OpenMP's threads wait awake.

    python benchmarks/contention.py --runs 3 --out benchmarks/results/contention.json

`linnet encode` of a photograph, enlarged, each time in a fresh process: with the command's own count of turns
in the waiting loop and with others, alone and beside one busy process per core. All in turn; wall times,
medians.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import torch
from PIL import Image
from speed import photograph

SIZE = (2048, 1536)
GNU_SPINS = 300_000  # what GNU's OpenMP does unless told
COUNTS = (None, 1000, 30_000, GNU_SPINS)  # None: what the command chooses
COMMAND = "python benchmarks/contention.py"
BUSY = "while True: pass"


def seconds_of(picture: Path, spins: int | None, busy: int) -> float:
    """Wall time of one run beside so many busy processes."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("GOMP_", "OMP_"))}
    environment = own if spins is None else {**own, "GOMP_SPINCOUNT": str(spins)}
    command = [sys.executable, "-m", "linnet", "encode", "-f", str(picture), "--device", "cpu"]
    with ExitStack() as stack:
        for _ in range(busy):
            other = stack.enter_context(subprocess.Popen([sys.executable, "-c", BUSY]))
            stack.callback(other.kill)
        started = time.perf_counter()
        subprocess.run([*command, "--quiet"], check=True, env=environment)
        return time.perf_counter() - started


def measure(picture: Path, runs: int) -> dict[str, dict[str, object]]:
    """Medians and all times, of each count alone and beside others."""
    cores = len(os.sched_getaffinity(0))
    times: dict[tuple[int | None, int], list[float]] = {
        (spins, busy): [] for busy in (0, cores) for spins in COUNTS
    }
    for number in range(runs + 1):  # the first is not counted
        for (spins, busy), seconds in times.items():
            found = seconds_of(picture, spins, busy)
            if number:
                seconds.append(round(found, 2))
        print(number, {key: seconds[-1:] for key, seconds in times.items()}, flush=True)
    return {
        f"{'own choice' if spins is None else spins}, {'alone' if not busy else f'{busy} busy processes'}": {
            "median_s": statistics.median(seconds),
            "seconds": seconds,
        }
        for (spins, busy), seconds in times.items()
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "photograph.png"
        Image.fromarray(photograph(*SIZE)).save(picture, compress_level=1)
        rows = measure(picture, words.runs)
    result = {
        "command": f"{COMMAND} --runs {words.runs} --out benchmarks/results/contention.json",
        "machine": {"processor": platform.machine(), "cores": os.cpu_count()},
        "torch": torch.__version__,
        "picture": f"{SIZE[0]}x{SIZE[1]}",
        "turns_of_the_waiting_loop": rows,
    }
    if words.out:
        words.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
