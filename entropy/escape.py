"""Values outside a table: an Exp-Golomb code whose prefix and suffix are coded apart."""

from typing import Final

import numpy as np

from .tables import PRECISION, CdfTable, Int32, Int64

PREFIXES = 24  # classes 0 to 23: class q holds codes from 2**q - 1 to 2**(q + 1) - 2
MAX_EXCESS = 2 ** (PREFIXES - 1) - 2  # how far beyond the first value outside its row a value may lie


def _prefix_table() -> CdfTable:
    # The unary prefix of Exp-Golomb as one symbol: class q has probability 2**-(q + 1), as its q + 1 bits
    # would. The classes from 16 on get one part each, taken from class 0. The escape of this row itself is
    # class 23.
    weights = [2**15 - (PREFIXES - 17)] + [2 ** max(0, 15 - q) for q in range(1, PREFIXES)]
    cdf = np.cumsum([0, *weights]).astype(np.int32)[None]
    assert cdf[0, -1] == 2**PRECISION
    return CdfTable(cdf, np.array([PREFIXES], dtype=np.int32), np.zeros(1, dtype=np.int32))


PREFIX_TABLE: Final = _prefix_table()


def split(values: Int32, low: Int32, high: Int32) -> tuple[Int32, Int32]:
    """Turn values outside [low, high] into prefix classes and suffixes.

    With e the distance beyond the border less 1, the code is 2e above the row and 2e + 1 below it; code + 1
    has its leading bit at position q, the class, and the q bits under it are the suffix.

    Args:
        values: [n], each below low or above high.
        low, high: [n], the smallest and largest symbol of each value's row.
    Returns:
        Classes 0 to 23, [n]; suffixes below 2**class, [n].
    Raises:
        ValueError: a value lies further outside than MAX_EXCESS.
    Source: Teuhola 1978, the Exp-Golomb code of order 0; FORMAT.md section 9.
    """
    value, floor, ceiling = (array.astype(np.int64) for array in (values, low, high))
    below = value < floor
    excess = np.where(below, floor - value, value - ceiling) - 1
    if excess.size and (excess.min() < 0 or excess.max() > MAX_EXCESS):
        worst = int(value[np.argmax(np.abs(excess))])
        raise ValueError(
            f"symbol {worst} cannot be coded: more than {MAX_EXCESS + 1} outside its table's row"
        )
    code = 2 * excess + below + 1
    prefix = np.frexp(code.astype(np.float64))[1] - 1  # floor(log2), exact for integers below 2**53
    return prefix.astype(np.int32), (code - (np.int64(1) << prefix.astype(np.int64))).astype(np.int32)


def join(prefix: Int32, suffix: Int32, low: Int32, high: Int32) -> Int32:
    """Undo split: prefix classes, suffixes and the borders of the rows give the values, [n]."""
    code: Int64 = (np.int64(1) << prefix.astype(np.int64)) + suffix - 1
    excess = (code >> 1) + 1
    return np.where(code & 1, low - excess, high + excess).astype(np.int32)
