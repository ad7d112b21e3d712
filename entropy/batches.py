"""Batches of symbols: sorted by the row of their table, or cut into parts that take little memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from .coder import SKIP, UInt8
from .tables import MAX_ROW_SYMBOLS, PRECISION, CdfTable, Int32, Int64

_AT_ONCE: Final = 2**20  # frequencies, so that a large batch takes 8 MiB at a time


@dataclass(frozen=True, slots=True)
class Groups:
    """A batch sorted by row: order [coded] are positions in the batch, counts [256] symbols of each row."""

    order: Int64
    counts: Int64

    def __iter__(self) -> Iterator[tuple[int, slice]]:
        stops = np.cumsum(self.counts)
        for row in np.flatnonzero(self.counts[:SKIP]).tolist():
            yield row, slice(int(stops[row] - self.counts[row]), int(stops[row]))


def group(rows: UInt8, table: CdfTable) -> Groups:
    """Sort a batch. Raises ValueError: rows of another type, or that the table does not have."""
    if rows.dtype != np.uint8 or rows.ndim != 1:
        raise ValueError(f"rows must be uint8 with one axis, found {rows.dtype} {rows.shape}")
    counts = np.bincount(rows, minlength=SKIP + 1)
    if counts[table.rows : SKIP].any():
        raise ValueError(f"row {int(rows[rows != SKIP].max())} of a table with {table.rows} rows")
    # Stable: within a row the symbols keep raster order. For uint8 numpy sorts by counting, in one pass.
    order = np.argsort(rows, kind="stable")
    return Groups(order[: len(rows) - int(counts[SKIP])], counts)


def borders(rows: UInt8, table: CdfTable) -> tuple[Int32, Int32]:
    """The smallest and the largest symbol of each row, escapes left out."""
    low = table.offset[rows]
    return low, low + table.size[rows] - 2


def parts(weights: Int32) -> Iterator[slice]:
    """Rows that are coded at a time. Raises ValueError where they are no frequencies."""
    if weights.dtype != np.int32 or weights.ndim != 2 or not 2 <= weights.shape[1] <= MAX_ROW_SYMBOLS:
        raise ValueError(f"weights must be int32 [n, 2..8192], found {weights.dtype} {weights.shape}")
    length = max(1, _AT_ONCE // weights.shape[1])
    for start in range(0, len(weights), length):
        part = weights[start : start + length]
        if part.min() < 1 or (part.sum(1, dtype=np.int64) != 1 << PRECISION).any():
            raise ValueError(f"weights must be at least 1 with sum 2**{PRECISION} in every row")
        yield slice(start, start + length)
