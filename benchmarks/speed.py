"""Seconds and peak memory of encoding and decoding, model loaded, one picture size after the other.

    python benchmarks/speed.py --models fast,high --out FILE [--device cpu] [--threads 2]

Each size runs in a process of its own, so that its peak memory is its own. The picture is a photograph that
comes with matplotlib, enlarged. Times are medians, pixels in memory to bytes in memory and back.
"""

import argparse
import json
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import linnet

SIZES = ((768, 512), (1920, 1080), (4000, 3000))


def photograph(width: int, height: int) -> np.ndarray:
    """[height, width, 3] uint8."""
    import matplotlib  # only here: what measures memory shall not hold it

    path = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    with Image.open(path) as image:
        scaled = image.convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(scaled)


def seconds_of(work: Callable[[], object], runs: int) -> float:
    """Median wall time; a first run is not counted."""
    work()
    times: list[float] = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def one_size(width: int, height: int, verb: str, words: argparse.Namespace) -> dict[str, object]:
    """Measure one direction in this process."""
    torch.set_num_threads(words.threads)
    pixels = photograph(width, height)
    runs = 7 if width * height < 2e6 else 2
    path = Path(words.scratch) / f"{width}x{height}.lnt"
    if verb == "encode":
        seconds = seconds_of(
            lambda: linnet.encode(
                pixels, path, quality=40, model=words.models, overwrite=True, device=words.device
            ),
            runs,
        )
    else:
        seconds = seconds_of(lambda: linnet.decode(path, device=words.device), runs)
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": round(seconds, 3), "peak_mib": round(peak_mib)}


def measured(model: str, width: int, height: int, verb: str, words: argparse.Namespace) -> dict[str, object]:
    """What one_size finds in a process of its own."""
    command = [sys.executable, __file__, "--one", str(width), str(height), verb, "--models", model]
    options = ["--device", words.device, "--threads", str(words.threads), "--scratch", words.scratch]
    done = subprocess.run([*command, *options], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def main() -> None:
    """Run every size and direction in a process of its own, and write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", default="fast", help="names, with commas")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--scratch", default="/tmp")
    parser.add_argument("--one", nargs=3, metavar=("WIDTH", "HEIGHT", "VERB"))
    words = parser.parse_args()
    if words.one:
        print(json.dumps(one_size(int(words.one[0]), int(words.one[1]), words.one[2], words)))
        return
    rows: dict[str, dict[str, object]] = {}
    for model in words.models.split(","):
        rows[model] = {}
        for width, height in SIZES:
            for verb in ("encode", "decode"):
                found = measured(model, width, height, verb, words)
                rows[model][f"{width}x{height} {verb}"] = found
                print(model, width, height, verb, found, flush=True)
    result = {
        "command": f"python benchmarks/speed.py --models {words.models} --out benchmarks/results/speed.json",
        "machine": {"processor": platform.machine(), "threads": words.threads, "device": words.device},
        "torch": torch.__version__,
        "rows": rows,
    }
    if words.out:
        words.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
