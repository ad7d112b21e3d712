"""What int8 products of the exact path save: encoding and decoding with them and in float32, in turn.

    python benchmarks/byte_products.py --out benchmarks/results/byte_products.json [--threads 2]

Pixels in memory to bytes in memory and back, model loaded; the files are the same, byte by byte, or the
benchmark fails. Ratios are of medians.
"""

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from speed import photograph

import linnet
from linnet.entropy import tensor_source
from linnet.entropy.int8 import multiplies_int8
from linnet.models import image_codec

SIZE = (2048, 1536)
WAYS: dict[str, Callable[[torch.device], bool]] = {
    "int8": lambda device: True,
    "float32": lambda device: False,
}


def timed(pixels: np.ndarray, quality: float) -> tuple[float, float, bytes]:
    """Seconds to encode and to decode, and the file."""
    linnet.encode(pixels, quality=quality)  # loads the model
    started = time.perf_counter()
    data = linnet.encode(pixels, quality=quality).data
    encoded = time.perf_counter()
    assert data is not None
    linnet.decode(data)
    return encoded - started, time.perf_counter() - encoded, data


def measure(pixels: np.ndarray, quality: float, runs: int) -> dict[str, object]:
    """Medians of both ways and directions, and their ratios."""
    times: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    files: set[bytes] = set()
    for _ in range(runs):
        for way, choice in WAYS.items():
            tensor_source.multiplies_int8 = choice
            image_codec.load.cache_clear()
            encode_s, decode_s, data = timed(pixels, quality)
            times[way].append((encode_s, decode_s))
            files.add(data)
    assert len(files) == 1, "the ways gave different files"
    medians = {
        way: [statistics.median(column) for column in zip(*found, strict=True)]
        for way, found in times.items()
    }
    ratios = [new / old for new, old in zip(medians["int8"], medians["float32"], strict=True)]
    named = {**{f"{way}_s": each for way, each in medians.items()}, "ratio": ratios}
    return {
        name: {"encode": round(encode, 3), "decode": round(decode, 3)}
        for name, (encode, decode) in named.items()
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path)
    words = parser.parse_args()
    if not multiplies_int8(torch.device("cpu")):
        raise SystemExit("this processor has no int8 products that add up in 32 bits")
    torch.set_num_threads(words.threads)
    pixels = photograph(*SIZE)
    result = {
        "command": f"python benchmarks/byte_products.py --threads {words.threads} --runs {words.runs}",
        "machine": {"processor": platform.machine(), "threads": words.threads},
        "torch": torch.__version__,
        "size": SIZE,
        "qualities": {f"q{quality}": measure(pixels, quality, words.runs) for quality in (30, 80)},
    }
    print(json.dumps(result, indent=1))
    if words.out:
        words.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
