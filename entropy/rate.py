"""What symbols cost: the bits that an encoder would write, without writing them."""

from functools import lru_cache

import numpy as np

from .coder import SKIP
from .range_coder import Sender
from .tables import CODER_PRECISION, CdfTable, Float64, Int32, coder_starts


class RateCounter(Sender):
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
        low, high = (
            coder_starts(np.take_along_axis(sums, index[:, None], 1), index[:, None], count)
            for index in (indices, indices + 1)
        )
        self.bits += float(np.sum(CODER_PRECISION - np.log2(high - low)))


@lru_cache(maxsize=64)
def _row_bits(table: CdfTable) -> tuple[Float64, ...]:
    return tuple(
        -np.log2(table.probabilities(row) * 2.0**-CODER_PRECISION) for row in range(min(table.rows, SKIP))
    )
