"""Symbols in, words out: range coding grouped by CDF row, one vectorised call for each row.

Every coder has the same method `code(symbols, rows, table)`: an encoder is given the symbols, a decoder gets
None, and both give back the symbols as the decoder will know them. A model thus walks its latents once for
both directions. The words and probabilities are FORMAT.md section 9; constriction does the arithmetic.
`code_each` does the same for symbols that have a distribution each instead of a row of a table.
"""

import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NoReturn, Protocol

import numpy as np
from numpy import typing as npt

from ..bitstream.errors import CorruptFileError
from . import escape
from .tables import CODER_PRECISION, MAX_ROW_SYMBOLS, PRECISION, CdfTable, Int32, Int64

UInt8 = npt.NDArray[np.uint8]
UInt32 = npt.NDArray[np.uint32]
Float64 = npt.NDArray[np.float64]

SKIP: Final = 255  # a row that means: no symbol, no bits, value 0


class SymbolCoder(Protocol):
    """What a latent model codes with, in either direction."""

    def code(self, symbols: Int32 | None, rows: UInt8, table: CdfTable) -> Int32:
        """Code one batch of symbols.

        Args:
            symbols: int32 [n] to encode (those of skipped rows are not looked at); None to decode.
            rows: uint8 [n], the table row of each symbol, or SKIP.
            table: at least as many rows as `rows` speaks of.
        Returns:
            int32 [n]: the symbols, 0 where skipped.
        Raises:
            ValueError: arrays that do not fit each other or the table.
            CorruptFileError: decoding, the payload is not one that an encoder writes.
        """
        ...


class IndexCoder(Protocol):
    """What an index model codes with, in either direction: each symbol has a distribution of its own."""

    def code_each(self, symbols: Int32 | None, weights: Int32) -> Int32:
        """Code one batch of symbols.

        Args:
            symbols: int32 [n] of 0 to K - 1 to encode; None to decode.
            weights: int32 [n, K], the frequencies of each symbol's row: at least 1, with sum 2**16. K of 2 to
                8192 symbols, none of which is an escape. FORMAT.md section 20.
        Returns:
            int32 [n]: the symbols.
        Raises:
            ValueError: arrays that do not fit each other or are no such frequencies.
            CorruptFileError: decoding, the payload is not one that an encoder writes.
        """
        ...


class _Model(Protocol):
    """A distribution of constriction's, opaque."""


class _WordEncoder(Protocol):
    def encode(self, symbols: Int32, model: _Model, parameters: Int32 | Float64 = ..., /) -> None: ...
    def get_compressed(self) -> UInt32: ...


class _WordDecoder(Protocol):
    def decode(self, model: _Model, parameters: int | Int32 | Float64, /) -> Int32: ...


# constriction is compiled and has no type stubs; its submodules cannot be imported by name.
_stream = importlib.import_module("constriction").stream


def _new_encoder() -> _WordEncoder:
    return _stream.queue.RangeEncoder()


def _new_decoder(words: UInt32) -> _WordDecoder:
    return _stream.queue.RangeDecoder(words)


_BITS: Final[_Model] = (
    _stream.model.Uniform()
)  # a family: each symbol comes with its size, here a power of two
_EACH: Final[_Model] = _stream.model.Categorical(perfect=False)  # a family: with its row of frequencies
_EACH_AT_ONCE: Final = 2**20  # frequencies, so that a large batch takes 8 MiB at a time


@lru_cache(maxsize=64)
def _row_models(table: CdfTable) -> tuple[_Model, ...]:
    # float64, not float32: the library multiplies cumulative frequencies (16 bits) by (2**24 - n) / 2**16.
    # Such products have 40 bits, so in float64 they are exact and the result is CdfTable.probabilities,
    # whatever machine.
    rows = (table.weights(row).astype(np.float64) for row in range(min(table.rows, SKIP)))
    return tuple(_stream.model.Categorical(weights, perfect=False) for weights in rows)


@lru_cache(maxsize=64)
def _row_bits(table: CdfTable) -> tuple[npt.NDArray[np.float64], ...]:
    return tuple(
        -np.log2(table.probabilities(row) * 2.0**-CODER_PRECISION) for row in range(min(table.rows, SKIP))
    )


@dataclass(frozen=True, slots=True)
class _Groups:
    """A batch sorted by row: order [coded] are positions in the batch, counts [256] symbols of each row."""

    order: Int64
    counts: Int64

    def __iter__(self) -> Iterator[tuple[int, slice]]:
        stops = np.cumsum(self.counts)
        for row in np.flatnonzero(self.counts[:SKIP]).tolist():
            yield row, slice(int(stops[row] - self.counts[row]), int(stops[row]))


def _group(rows: UInt8, table: CdfTable) -> _Groups:
    if rows.dtype != np.uint8 or rows.ndim != 1:
        raise ValueError(f"rows must be uint8 with one axis, found {rows.dtype} {rows.shape}")
    counts = np.bincount(rows, minlength=SKIP + 1)
    if counts[table.rows : SKIP].any():
        raise ValueError(f"row {int(rows[rows != SKIP].max())} of a table with {table.rows} rows")
    # Stable: within a row the symbols keep raster order. For uint8 numpy sorts by counting, in one pass.
    order = np.argsort(rows, kind="stable")
    return _Groups(order[: len(rows) - int(counts[SKIP])], counts)


def _borders(rows: UInt8, table: CdfTable) -> tuple[Int32, Int32]:
    low = table.offset[rows]
    return low, low + table.size[rows] - 2


def _parts(weights: Int32) -> Iterator[slice]:
    """Rows that are coded at a time. Raises ValueError where they are no frequencies."""
    if weights.dtype != np.int32 or weights.ndim != 2 or not 2 <= weights.shape[1] <= MAX_ROW_SYMBOLS:
        raise ValueError(f"weights must be int32 [n, 2..8192], found {weights.dtype} {weights.shape}")
    length = max(1, _EACH_AT_ONCE // weights.shape[1])
    for start in range(0, len(weights), length):
        part = weights[start : start + length]
        if part.min() < 1 or (part.sum(1, dtype=np.int64) != 1 << PRECISION).any():
            raise ValueError(f"weights must be at least 1 with sum 2**{PRECISION} in every row")
        yield slice(start, start + length)


class _Sender(ABC):
    """What encoding and counting share: symbols to indices, and which indices follow which."""

    @abstractmethod
    def _put(self, indices: Int32, table: CdfTable, row: int) -> None: ...

    @abstractmethod
    def _put_bits(self, values: Int32, widths: Int32) -> None: ...

    @abstractmethod
    def _put_each(self, indices: Int32, weights: Int32) -> None: ...

    def code(self, symbols: Int32 | None, rows: UInt8, table: CdfTable) -> Int32:
        """Encode a batch: see SymbolCoder."""
        if symbols is None or symbols.dtype != np.int32 or symbols.shape != rows.shape:
            found = None if symbols is None else f"{symbols.dtype} {symbols.shape}"
            raise ValueError(f"symbols to encode must be int32 {rows.shape}, found {found}")
        groups = _group(rows, table)
        picked = symbols[groups.order]
        escaped: list[Int64] = []
        for row, span in groups:
            last = int(table.size[row]) - 1
            # Unsigned, what lies below the row is larger than all of it: one minimum finds both sides.
            indices = np.minimum((picked[span] - table.offset[row]).view(np.uint32), last).view(np.int32)
            self._put(indices, table, row)
            escaped.append(np.flatnonzero(indices == last) + span.start)
        if escaped and (outside := np.concatenate(escaped)).size:
            self._put_escapes(picked[outside], *_borders(rows[groups.order[outside]], table))
        return np.where(rows == SKIP, np.int32(0), symbols)

    def code_each(self, symbols: Int32 | None, weights: Int32) -> Int32:
        """Encode a batch: see IndexCoder."""
        if symbols is None or symbols.dtype != np.int32 or symbols.shape != weights.shape[:1]:
            found = None if symbols is None else f"{symbols.dtype} {symbols.shape}"
            raise ValueError(f"symbols to encode must be int32 {weights.shape[:1]}, found {found}")
        if symbols.size and not 0 <= symbols.min() <= symbols.max() < weights.shape[-1]:
            raise ValueError(
                f"symbols must be 0 to {weights.shape[-1] - 1}, found {symbols.min()} to {symbols.max()}"
            )
        for part in _parts(weights):
            self._put_each(symbols[part], weights[part])
        return symbols.copy()

    def _put_escapes(self, values: Int32, low: Int32, high: Int32) -> None:
        prefix, suffix = escape.split(values, low, high)
        self._put(prefix, escape.PREFIX_TABLE, 0)
        wide = prefix > 0
        self._put_bits(suffix[wide], prefix[wide])


class SymbolEncoder(_Sender):
    """Writes the payload of a tile."""

    def __init__(self) -> None:
        self._words = _new_encoder()

    def _put(self, indices: Int32, table: CdfTable, row: int) -> None:
        self._words.encode(indices, _row_models(table)[row])

    def _put_bits(self, values: Int32, widths: Int32) -> None:
        if values.size:
            self._words.encode(values, _BITS, np.left_shift(np.int32(1), widths))

    def _put_each(self, indices: Int32, weights: Int32) -> None:
        # float64 for the reason that _row_models gives
        self._words.encode(np.ascontiguousarray(indices), _EACH, weights.astype(np.float64))

    def finish(self) -> bytes:
        """Give the payload: a multiple of 4 bytes, none if no symbol was coded."""
        return _to_bytes(self._words)


class RateCounter(_Sender):
    """Counts what a SymbolEncoder would write.

    Attributes:
        bits: sum of -log2 of the coder's own probabilities, escapes included. A payload is at most a few
            hundredths of a percent larger, and 64 bits for its end.
    """

    def __init__(self) -> None:
        self.bits = 0.0

    def _put(self, indices: Int32, table: CdfTable, row: int) -> None:
        bits = _row_bits(table)[row]
        self.bits += float(np.bincount(indices, minlength=len(bits)) @ bits)

    def _put_bits(self, values: Int32, widths: Int32) -> None:
        self.bits += float(widths.sum())

    def _put_each(self, indices: Int32, weights: Int32) -> None:
        sums = np.concatenate([np.zeros((len(weights), 1), np.int64), weights.cumsum(1, dtype=np.int64)], 1)
        count = weights.shape[1]
        # as CdfTable.probabilities
        low, high = (
            (np.take_along_axis(sums, index[:, None], 1) * (2**CODER_PRECISION - count) >> PRECISION)
            + index[:, None]
            for index in (indices, indices + 1)
        )
        self.bits += float(np.sum(CODER_PRECISION - np.log2(high - low)))


class SymbolDecoder:
    """Reads a payload back.

    Args:
        payload: what SymbolEncoder.finish gave. Damaged bytes decode to other symbols or raise
            CorruptFileError; work and memory depend only on how many symbols are asked for.
    Raises:
        CorruptFileError: a length that is no multiple of 4.
    """

    def __init__(self, payload: bytes) -> None:
        if len(payload) % 4:
            raise CorruptFileError(
                f"an entropy-coded payload has whole words of 4 bytes, found {len(payload)} bytes"
            )
        self._payload = payload
        self._words = _new_decoder(np.frombuffer(payload, dtype="<u4").astype(np.uint32))
        # The range coder reads zeros after its end without a word. What is decoded is therefore encoded
        # again, at a quarter of the decoding's time: the payload is exactly used up if that gives the same
        # bytes.
        self._again = SymbolEncoder()

    def code(self, symbols: Int32 | None, rows: UInt8, table: CdfTable) -> Int32:
        """Decode a batch: see SymbolCoder."""
        if symbols is not None:
            raise ValueError("a decoder is given None for the symbols")
        groups = _group(rows, table)
        picked = np.empty(len(groups.order), dtype=np.int32)
        escaped: list[Int64] = []
        for row, span in groups:
            indices = self._take(table, row, span.stop - span.start)
            np.add(indices, table.offset[row], out=picked[span])
            escaped.append(np.flatnonzero(indices == table.size[row] - 1) + span.start)
        if escaped and (outside := np.concatenate(escaped)).size:
            picked[outside] = self._take_escapes(*_borders(rows[groups.order[outside]], table))
        values = np.zeros(len(rows), dtype=np.int32)
        values[groups.order] = picked
        return values

    def code_each(self, symbols: Int32 | None, weights: Int32) -> Int32:
        """Decode a batch: see IndexCoder."""
        if symbols is not None:
            raise ValueError("a decoder is given None for the symbols")
        found = np.empty(len(weights), dtype=np.int32)
        for part in _parts(weights):
            found[part] = self._decode(_EACH, weights[part].astype(np.float64))
            self._again._put_each(found[part], weights[part])
        return found

    def finish(self) -> None:
        """Check that the payload is exactly what an encoder writes for the symbols decoded.

        Raises:
            CorruptFileError: words are missing, left over or different.
        """
        again = self._again.finish()
        if again != self._payload:
            raise CorruptFileError(
                f"entropy-coded payload: its symbols take {len(again)} bytes, found {len(self._payload)}"
                + (" bytes that differ" if len(again) == len(self._payload) else "")
            )

    def _take(self, table: CdfTable, row: int, count: int) -> Int32:
        indices = self._decode(_row_models(table)[row], count)
        self._again._put(indices, table, row)
        return indices

    def _take_escapes(self, low: Int32, high: Int32) -> Int32:
        prefix = self._take(escape.PREFIX_TABLE, 0, len(low))
        suffix = np.zeros_like(prefix)
        wide = prefix > 0
        if wide.any():
            suffix[wide] = self._decode(_BITS, np.left_shift(np.int32(1), prefix[wide]))
            self._again._put_bits(suffix[wide], prefix[wide])
        return escape.join(prefix, suffix, low, high)

    def _decode(self, model: _Model, parameters: int | Int32 | Float64) -> Int32:
        try:
            return self._words.decode(model, parameters)
        except BaseException as error:
            _blame(error)


def _to_bytes(encoder: _WordEncoder) -> bytes:
    return encoder.get_compressed().astype("<u4", copy=False).tobytes()


def _blame(error: BaseException) -> NoReturn:
    # Of impossible words constriction says AssertionError; if it panics, that is a BaseException of Rust's.
    of_rust = type(error).__name__ == "PanicException"
    if of_rust or (isinstance(error, Exception) and not isinstance(error, MemoryError)):
        raise CorruptFileError(f"entropy-coded payload: no symbol has these bits ({error})") from error
    raise error
