"""What models code with, whichever way: the methods that an encoder, a decoder and a rate counter share.

Every coder has the same method `code(symbols, rows, table)`: an encoder is given the symbols, a decoder gets
None, and both give back the symbols as the decoder will know them. A model thus walks its latents once for
both directions. `code_each` does the same for symbols that have a distribution each instead of a row of a
table.
"""

from typing import Final, Protocol

import numpy as np
from numpy import typing as npt

from .tables import CdfTable, Int32

UInt8 = npt.NDArray[np.uint8]

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
