"""How fast the entropy coder is: symbols of 64 Gaussian scales, encoded and decoded, medians of several runs.

    python benchmarks/entropy_coder.py --out benchmarks/results/entropy_coder.json

Beside it CompressAI's coder, where it is installed, with the same symbols and tables. Its interface takes
Python lists; the time to make them from arrays, as its own models do, counts.
"""

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy import typing as npt

from linnet.entropy.distributions import SIGMAS, gaussian_table
from linnet.entropy.range_coder import SymbolDecoder, SymbolEncoder
from linnet.entropy.rate import RateCounter
from linnet.entropy.tables import CdfTable

Symbols = npt.NDArray[np.int32]
Rows = npt.NDArray[np.uint8]

SIZES = (200_000, 4_000_000)

COMMAND = "python benchmarks/entropy_coder.py --out benchmarks/results/entropy_coder.json"


def draw(count: int, rows_in_use: int) -> tuple[Symbols, Rows]:
    """Draw Gaussian symbols: all 64 scales alike, or mostly the lowest, as of latents at a low rate."""
    generator = np.random.default_rng(count)
    if rows_in_use == len(SIGMAS):
        rows = generator.integers(0, rows_in_use, count)
    else:
        rows = np.minimum(generator.geometric(2 / rows_in_use, count), len(SIGMAS) - 1)
    symbols = np.rint(generator.normal(size=count) * np.array(SIGMAS)[rows])
    return symbols.astype(np.int32), rows.astype(np.uint8)


def median_s(work: Callable[[], object], runs: int) -> float:
    """Median time of one run, after a run to warm up."""
    work()
    times: list[float] = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def measure(count: int, rows_in_use: int, table: CdfTable, runs: int) -> dict[str, float | int]:
    """Time one batch both ways; speeds in millions of symbols a second."""
    symbols, rows = draw(count, rows_in_use)

    def encode() -> bytes:
        encoder = SymbolEncoder()
        encoder.code(symbols, rows, table)
        return encoder.finish()

    payload = encode()

    def decode() -> Symbols:
        decoder = SymbolDecoder(payload)
        decoded = decoder.code(None, rows, table)
        decoder.finish()
        return decoded

    if not np.array_equal(decode(), symbols):
        raise AssertionError("decoded symbols differ")
    counter = RateCounter()
    counter.code(symbols, rows, table)
    others = compressai_speeds(symbols, rows, table, runs)
    return {
        "symbols": count,
        "rows": rows_in_use,
        "bits_per_symbol": round(8 * len(payload) / count, 4),
        "excess_over_prediction_percent": round(100 * (8 * len(payload) / counter.bits - 1), 4),
        "encode_msymbols_s": round(count / median_s(encode, runs) / 1e6, 1),
        "decode_msymbols_s": round(count / median_s(decode, runs) / 1e6, 1),
        **others,
    }


def compressai_speeds(symbols: Symbols, rows: Rows, table: CdfTable, runs: int) -> dict[str, float | int]:
    """The same batch through CompressAI's rANS coder; nothing where CompressAI is not installed."""
    try:
        from compressai.ans import RansDecoder, RansEncoder
    except ImportError:
        return {}
    tables = [table.cdf[row, : table.size[row] + 1].tolist() for row in range(table.rows)]
    sizes, offsets = (table.size + 1).tolist(), table.offset.tolist()

    def encode() -> bytes:
        return RansEncoder().encode_with_indexes(symbols.tolist(), rows.tolist(), tables, sizes, offsets)

    payload = encode()

    def decode() -> Symbols:
        decoded = RansDecoder().decode_with_indexes(payload, rows.tolist(), tables, sizes, offsets)
        return np.array(decoded, np.int32)

    if not np.array_equal(decode(), symbols):
        raise AssertionError("CompressAI decodes other symbols")
    return {
        "compressai_bits_per_symbol": round(8 * len(payload) / len(symbols), 4),
        "compressai_encode_msymbols_s": round(len(symbols) / median_s(encode, runs) / 1e6, 1),
        "compressai_decode_msymbols_s": round(len(symbols) / median_s(decode, runs) / 1e6, 1),
    }


def main() -> None:
    """Print the speeds, and write them as JSON where --out says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, help="JSON file to write")
    parser.add_argument("--runs", type=int, default=9)
    arguments = parser.parse_args()
    table = gaussian_table()
    results: list[dict[str, float | int]] = []
    for rows_in_use in (len(SIGMAS), 8):
        for count in SIZES:
            results.append(measure(count, rows_in_use, table, arguments.runs))
            print(*(f"{key} {value}" for key, value in results[-1].items()), sep="  ")
    if arguments.out:
        setting = {
            "machine": platform.machine(),
            "numpy": np.__version__,
            "constriction": version("constriction"),
            **({"compressai": version("compressai")} if "compressai_bits_per_symbol" in results[0] else {}),
        }
        arguments.out.write_text(
            json.dumps({"command": COMMAND, "runs": arguments.runs, **setting, "results": results}, indent=2)
            + "\n"
        )


if __name__ == "__main__":
    main()
