"""Symbols in, a payload out, and back: range coding grouped by CDF row, one vectorised call for each row."""

from abc import ABC, abstractmethod

import numpy as np

from ..bitstream.errors import CorruptFileError
from . import escape
from .batches import borders, group, parts
from .coder import SKIP, UInt8
from .tables import CdfTable, Int32, Int64
from .words import BITS, EACH, decode_words, new_decoder, new_encoder, row_models, to_bytes


class Sender(ABC):
    """What encoding and counting share: symbols to indices, and which indices follow which."""

    @abstractmethod
    def _put(self, indices: Int32, table: CdfTable, row: int) -> None: ...

    @abstractmethod
    def _put_bits(self, values: Int32, widths: Int32) -> None: ...

    @abstractmethod
    def _put_each(self, indices: Int32, weights: Int32) -> None: ...

    def code(self, symbols: Int32 | None, rows: UInt8, table: CdfTable) -> Int32:
        """Encode a batch: see SymbolCoder."""
        symbols = _checked(symbols, rows.shape)
        groups = group(rows, table)
        picked = symbols[groups.order]
        escaped: list[Int64] = []
        for row, span in groups:
            last = int(table.size[row]) - 1
            # Unsigned, what lies below the row is larger than all of it: one minimum finds both sides.
            indices = np.minimum((picked[span] - table.offset[row]).view(np.uint32), last).view(np.int32)
            self._put(indices, table, row)
            escaped.append(np.flatnonzero(indices == last) + span.start)
        if escaped and (outside := np.concatenate(escaped)).size:
            self._put_escapes(picked[outside], *borders(rows[groups.order[outside]], table))
        return np.where(rows == SKIP, np.int32(0), symbols)

    def code_each(self, symbols: Int32 | None, weights: Int32) -> Int32:
        """Encode a batch: see IndexCoder."""
        symbols = _checked(symbols, weights.shape[:1])
        if symbols.size and not 0 <= symbols.min() <= symbols.max() < weights.shape[-1]:
            raise ValueError(
                f"symbols must be 0 to {weights.shape[-1] - 1}, found {symbols.min()} to {symbols.max()}"
            )
        for part in parts(weights):
            self._put_each(symbols[part], weights[part])
        return symbols.copy()

    def _put_escapes(self, values: Int32, low: Int32, high: Int32) -> None:
        prefix, suffix = escape.split(values, low, high)
        self._put(prefix, escape.PREFIX_TABLE, 0)
        wide = prefix > 0
        self._put_bits(suffix[wide], prefix[wide])


def _checked(symbols: Int32 | None, shape: tuple[int, ...]) -> Int32:
    """Symbols to encode. Raises ValueError where they are none of that shape."""
    if symbols is None or symbols.dtype != np.int32 or symbols.shape != shape:
        found = None if symbols is None else f"{symbols.dtype} {symbols.shape}"
        raise ValueError(f"symbols to encode must be int32 {shape}, found {found}")
    return symbols


class SymbolEncoder(Sender):
    """Writes the payload of a tile."""

    def __init__(self) -> None:
        self._words = new_encoder()

    def _put(self, indices: Int32, table: CdfTable, row: int) -> None:
        self._words.encode(indices, row_models(table)[row])

    def _put_bits(self, values: Int32, widths: Int32) -> None:
        if values.size:
            self._words.encode(values, BITS, np.left_shift(np.int32(1), widths))

    def _put_each(self, indices: Int32, weights: Int32) -> None:
        # float64 for the reason that row_models gives
        self._words.encode(np.ascontiguousarray(indices), EACH, weights.astype(np.float64))

    def finish(self) -> bytes:
        """Give the payload: a multiple of 4 bytes, none if no symbol was coded."""
        return to_bytes(self._words)


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
        self._words = new_decoder(np.frombuffer(payload, dtype="<u4").astype(np.uint32))
        # The range coder reads zeros after its end without a word. What is decoded is therefore encoded
        # again, at a quarter of the decoding's time: the payload is exactly used up if that gives the same
        # bytes.
        self._again = SymbolEncoder()

    def code(self, symbols: Int32 | None, rows: UInt8, table: CdfTable) -> Int32:
        """Decode a batch: see SymbolCoder."""
        if symbols is not None:
            raise ValueError("a decoder is given None for the symbols")
        groups = group(rows, table)
        picked = np.empty(len(groups.order), dtype=np.int32)
        escaped: list[Int64] = []
        for row, span in groups:
            indices = self._take(table, row, span.stop - span.start)
            np.add(indices, table.offset[row], out=picked[span])
            escaped.append(np.flatnonzero(indices == table.size[row] - 1) + span.start)
        if escaped and (outside := np.concatenate(escaped)).size:
            picked[outside] = self._take_escapes(*borders(rows[groups.order[outside]], table))
        values = np.zeros(len(rows), dtype=np.int32)
        values[groups.order] = picked
        return values

    def code_each(self, symbols: Int32 | None, weights: Int32) -> Int32:
        """Decode a batch: see IndexCoder."""
        if symbols is not None:
            raise ValueError("a decoder is given None for the symbols")
        found = np.empty(len(weights), dtype=np.int32)
        for part in parts(weights):
            found[part] = decode_words(self._words, EACH, weights[part].astype(np.float64))
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
        indices = decode_words(self._words, row_models(table)[row], count)
        self._again._put(indices, table, row)
        return indices

    def _take_escapes(self, low: Int32, high: Int32) -> Int32:
        prefix = self._take(escape.PREFIX_TABLE, 0, len(low))
        suffix = np.zeros_like(prefix)
        wide = prefix > 0
        if wide.any():
            suffix[wide] = decode_words(self._words, BITS, np.left_shift(np.int32(1), prefix[wide]))
            self._again._put_bits(suffix[wide], prefix[wide])
        return escape.join(prefix, suffix, low, high)
