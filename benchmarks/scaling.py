"""Time against threads, and peak memory against the size of the picture.

    python benchmarks/scaling.py --out benchmarks/results/scaling.json

Every point is a process of its own that loads the model and encodes a file into a file, or decodes one into
memory. Times are medians with the model loaded. Peak memory is of the whole process, which does
it once, with all threads. The picture is a photograph that comes with matplotlib, enlarged.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch
from PIL import Image
from speed import photograph, seconds_of

import linnet

TIMED = ((768, 512), (4000, 3000))  # pixels
WEIGHED = ((768, 512), (1920, 1080), (4000, 3000), (8000, 6000))
VERBS = ("encode", "decode")
QUALITY = 40

Size = tuple[int, int]


def one_point(verb: str, folder: Path, name: str, threads: int, runs: int) -> dict[str, float]:
    """Measure in this process: the median of `runs` and one that does not count, or of none the memory."""
    torch.set_num_threads(threads)
    picture, coded = folder / f"{name}.png", folder / f"{name}.lnt"

    def work() -> object:
        if verb == "encode":
            return linnet.encode(picture, coded, quality=QUALITY, overwrite=True, device="cpu")
        return linnet.decode(coded, device="cpu")

    if runs:
        return {"seconds": round(seconds_of(work, runs), 3)}
    work()
    return {"peak_mib": peak_mib()}


def peak_mib() -> int:
    """Peak memory of this process. On Linux not ru_maxrss: a process inherits that of its parent."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return round(int(line.split()[1]) / 2**10)
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)


def in_a_process(verb: str, folder: Path, name: str, threads: int, runs: int) -> dict[str, float]:
    """The same in a process of its own."""
    words = [sys.executable, __file__, "--one", verb, str(folder), name, str(threads), str(runs)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return json.loads(done.stdout)


def thread_counts() -> list[int]:
    """1, 2, 4 and so on, and all cores that this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return [count for count in (2**power for power in range(16)) if count < cores] + [cores]


def times(folder: Path, sizes: list[Size], counts: list[int]) -> Iterator[dict[str, object]]:
    """A row for each picture, direction and number of threads."""
    for width, height in sizes:
        runs = 7 if width * height < 2e6 else 3
        for verb in VERBS:
            for threads in counts:
                found = in_a_process(verb, folder, f"{width}x{height}", threads, runs)
                yield {"picture": f"{width}x{height}", "verb": verb, "threads": threads, **found}


def memory(folder: Path, sizes: list[Size], threads: int) -> Iterator[dict[str, object]]:
    """A row for each picture and direction."""
    for width, height in sizes:
        for verb in VERBS:
            found = in_a_process(verb, folder, f"{width}x{height}", threads, 0)
            megapixels = round(width * height / 1e6, 1)
            yield {"picture": f"{width}x{height}", "megapixels": megapixels, "verb": verb, **found}


def shown(rows: Iterator[dict[str, object]]) -> list[dict[str, object]]:
    """The rows, each printed as it comes."""
    found: list[dict[str, object]] = []
    for row in rows:
        print(*row.values(), flush=True)
        found.append(row)
    return found


def parse_sizes(text: str) -> list[Size]:
    """Read WIDTHxHEIGHT,..."""
    pairs = (each.split("x") for each in text.split(","))
    return [(int(width), int(height)) for width, height in pairs]


def words_of(sizes: tuple[Size, ...]) -> str:
    """What parse_sizes reads."""
    return ",".join(f"{width}x{height}" for width, height in sizes)


def main() -> None:
    """Run every point, and write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path)
    parser.add_argument("--timed", default=words_of(TIMED), metavar="SIZES")
    parser.add_argument("--weighed", default=words_of(WEIGHED), metavar="SIZES")
    parser.add_argument("--one", nargs=5, metavar=("VERB", "FOLDER", "NAME", "THREADS", "RUNS"))
    words = parser.parse_args()
    if words.one:
        verb, folder, name, threads, runs = words.one
        print(json.dumps(one_point(verb, Path(folder), name, int(threads), int(runs))))
        return
    timed, weighed, counts = parse_sizes(words.timed), parse_sizes(words.weighed), thread_counts()
    with tempfile.TemporaryDirectory() as folder:
        for size in sorted({*timed, *weighed}):
            path = Path(folder, f"{size[0]}x{size[1]}")
            Image.fromarray(photograph(*size)).save(path.with_suffix(".png"), compress_level=1)
        found = {
            "threads": shown(times(Path(folder), timed, counts)),
            "memory": shown(memory(Path(folder), weighed, counts[-1])),
        }
    result = {
        "command": " ".join(["python benchmarks/scaling.py", *sys.argv[1:]]),
        "machine": {"processor": platform.machine(), "cores": counts[-1]},
        "torch": torch.__version__,
        "quality": QUALITY,
        **found,
    }
    if words.out:
        words.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
