"""The payload as FORMAT.md section 9 defines it: decoded and written by Python integers, and golden bytes.

This stands between the files and the library that codes them: should its arithmetic ever change, this fails.
"""

import hashlib
import struct
from collections.abc import Sequence

import numpy as np
import pytest

from linnet.entropy.coder import SKIP
from linnet.entropy.distributions import gaussian_table, pmf_table
from linnet.entropy.range_coder import SymbolEncoder
from linnet.entropy.tables import CdfTable

PREFIX_WEIGHTS = [32761, *(2 ** (15 - q) for q in range(1, 16)), *([1] * 8)]


def bounds(weights: Sequence[int]) -> list[int]:
    """The borders of the symbols' 24-bit intervals."""
    n = len(weights)
    return [sum(weights[:s]) * (2**24 - n) // 2**16 + s for s in range(n + 1)]


class IntegerDecoder:
    """FORMAT.md section 9, "Words to symbols"."""

    def __init__(self, payload: bytes) -> None:
        self.words = list(struct.unpack(f"<{len(payload) // 4}I", payload))
        self.low, self.range = 0, 2**64 - 1
        self.point = self.next_word() << 32 | self.next_word()

    def next_word(self) -> int:
        return self.words.pop(0) if self.words else 0

    def symbol(self, borders: list[int]) -> int:
        scale = self.range >> 24
        quantile = (self.point - self.low) % 2**64 // scale
        symbol = max(s for s in range(len(borders) - 1) if borders[s] <= quantile)
        self.low = (self.low + scale * borders[symbol]) % 2**64
        self.range = scale * (borders[symbol + 1] - borders[symbol])
        if self.range < 2**32:
            self.low = self.low << 32 & (2**64 - 1)
            self.range <<= 32
            self.point = (self.point << 32 & (2**64 - 1)) | self.next_word()
        return symbol

    def bits(self, count: int) -> int:
        return self.symbol([i << 24 - count for i in range(2**count + 1)]) if count else 0

    def batch(self, rows: Sequence[int], table: CdfTable) -> list[int]:
        values, escapes = [0] * len(rows), []
        for row in sorted(set(rows) - {SKIP}):
            weights = [int(weight) for weight in table.weights(row)]
            borders, low = bounds(weights), int(table.offset[row])
            for position in (p for p in range(len(rows)) if rows[p] == row):
                symbol = self.symbol(borders)
                values[position] = low + symbol
                if symbol == len(weights) - 1:
                    escapes.append((position, low, low + symbol - 1))
        classes = [self.symbol(bounds(PREFIX_WEIGHTS)) for _ in escapes]
        for (position, low, high), width in zip(escapes, classes, strict=True):
            code = 2**width + self.bits(width) - 1
            values[position] = low - 1 - code // 2 if code % 2 else high + 1 + code // 2
        return values


class IntegerEncoder:
    """FORMAT.md section 9, "Symbols to words": low is one long integer, so that carries need no thought."""

    def __init__(self) -> None:
        self.low, self.range, self.count = 0, 2**64 - 1, 0

    def symbol(self, symbol: int, borders: list[int]) -> None:
        scale = self.range >> 24
        self.low += scale * borders[symbol]
        self.range = scale * (borders[symbol + 1] - borders[symbol])
        if self.range < 2**32:
            self.low, self.range, self.count = self.low << 32, self.range << 32, self.count + 1

    def finish(self) -> bytes:
        if self.range == 2**64 - 1:
            return b""
        number = self.low + 2**32 - 1 >> 32
        tail = b"\0\0\0\0" if self.low + self.range >> 32 == number else b""
        words = [number >> 32 * i & 0xFFFFFFFF for i in range(self.count, -1, -1)]
        return struct.pack(f"<{len(words)}I", *words) + tail


def _batch(seed: int, count: int = 700) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    rows = generator.integers(0, 64, count).astype(np.uint8)
    rows[rows > 50] = SKIP
    values = np.rint(generator.standard_cauchy(count) * 4).clip(-4000, 4000).astype(np.int32)
    return np.where(rows == SKIP, np.int32(0), values), rows


@pytest.mark.parametrize("seed", range(5))
def test_plain_integers_decode_our_bytes(seed: int) -> None:
    table = gaussian_table()
    encoder = SymbolEncoder()
    batches = [_batch(seed * 10 + i) for i in range(2)]
    for values, rows in batches:
        encoder.code(values, rows, table)
    decoder = IntegerDecoder(encoder.finish())
    for values, rows in batches:
        assert decoder.batch(rows.tolist(), table) == values.tolist()


def test_plain_integers_decode_the_rarest_symbols_and_the_largest_escapes() -> None:
    table = pmf_table([(-1, [1e-9, 1 - 2e-9, 1e-9]), (-2000, np.full(4001, 1 / 4002))])
    values = np.array([-1, 0, 1, -1, 2**12, -(2**12), 7, 0, 2, -2, -2000, 2000, 2001, 1234], dtype=np.int32)
    rows = np.array([0] * 10 + [1] * 4, dtype=np.uint8)
    encoder = SymbolEncoder()
    encoder.code(values, rows, table)
    assert IntegerDecoder(encoder.finish()).batch(rows.tolist(), table) == values.tolist()


@pytest.mark.parametrize("seed", range(40))
def test_plain_integers_write_our_bytes(seed: int) -> None:
    generator = np.random.default_rng(seed)
    # Hardly any probability for the middle symbol: long runs at the borders provoke carries.
    table = pmf_table([(0, generator.dirichlet(np.full(4, 0.05)) * (1 - 1e-4))])
    values = generator.integers(0, 4, 200).astype(np.int32)
    rows = np.zeros(200, dtype=np.uint8)
    ours, plain = SymbolEncoder(), IntegerEncoder()
    for count in (0, 1, 2, 3, 197):
        ours.code(values[:count], rows[:count], table)
        for value in values[:count].tolist():
            plain.symbol(value, bounds(table.weights(0).tolist()))
        assert ours.finish() == plain.finish()


GOLDEN_TABLE = CdfTable(
    np.array([[0, 1000, 60000, 64000, 65536], [0, 65535, 65536, 65536, 65536]], dtype=np.int32),
    np.array([4, 2], dtype=np.int32),
    np.array([-1, 0], dtype=np.int32),
)


@pytest.mark.parametrize(
    ("symbols", "rows", "payload"),
    [
        ([0], [0], "0000e803"),
        ([-1, 0, 1, 0, 0, -1, 1, 1], [0] * 8, "81bb4903"),
        ([0] * 12 + [-1], [1] * 12 + [0], "00000000"),
        (
            [5, -7, 9, 1, 0, 1, -1000, 2**20],
            [1, 0, SKIP, 1, 1, 0, 0, 1],
            "f3ffdbff822aecfb1e8002a301c451b8e0d535cb",
        ),
    ],
)
def test_golden_payloads_of_format_1(symbols: list[int], rows: list[int], payload: str) -> None:
    encoder = SymbolEncoder()
    encoder.code(np.array(symbols, dtype=np.int32), np.array(rows, dtype=np.uint8), GOLDEN_TABLE)
    assert encoder.finish().hex() == payload


def test_a_golden_payload_of_a_large_batch() -> None:
    # The weights come from a formula in integers, not from floats that another machine may round otherwise.
    steps = np.array([[1 + (7 * i + 3 * row) % 90 for i in range(40)] for row in range(200)])
    steps[:, -1] += 2**16 - steps.sum(axis=1)
    cdf = np.concatenate([np.zeros((200, 1)), np.cumsum(steps, axis=1)], axis=1).astype(np.int32)
    table = CdfTable(cdf, np.full(200, 40, dtype=np.int32), np.full(200, -20, dtype=np.int32))
    index = np.arange(5000)
    encoder = SymbolEncoder()
    encoder.code((index * 37 % 61 - 30).astype(np.int32), (index * 89 % 200).astype(np.uint8), table)
    payload = encoder.finish()
    assert (len(payload), hashlib.sha256(payload).hexdigest()) == (
        5864,
        "767eadd6069704207980ac67e5ba152104082d698a72a7238abf4274b2ed61c3",
    )
