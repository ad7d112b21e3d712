"""Integer CDFs: exact cumulative tables, checked before anything is coded with them."""

from dataclasses import dataclass

import numpy as np
from numpy import typing as npt

from ..bitstream.errors import FormatError

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

PRECISION = 16  # bits: every row of a table sums to 2**16
CODER_PRECISION = 24  # bits: the range coder's own probabilities sum to 2**24 (constriction's default)
MAX_ROWS = 4096  # a table read from a file may not be larger, whatever the file says
MAX_ROW_SYMBOLS = 8192
MAX_OFFSET = 2**20  # a row's smallest symbol is at most this far from 0


@dataclass(frozen=True, slots=True, eq=False)
class CdfTable:
    """Cumulative integer frequencies of symbols, a row for each distribution.

    The last symbol of a row is its escape: it says that the value lies outside the row and follows later.
    The arrays are copied and made read-only. Tables compare by identity.

    Attributes:
        cdf: int32 [rows, max_symbols + 1]; row r rises strictly from cdf[r, 0] = 0 to cdf[r, size[r]] = 2**16
            and stays there.
        size: int32 [rows], the number of symbols of the row, escape included, 2 to 8192.
        offset: int32 [rows], the smallest symbol of the row: index i stands for the value offset + i.
        precision: log2 of a row's total, 16.
    Raises:
        FormatError: the arrays are no such table (they come from a model file).
    """

    cdf: Int32
    size: Int32
    offset: Int32
    precision: int = PRECISION

    def __post_init__(self) -> None:
        _check_shapes(self)
        _check_rows(self)
        for name in ("cdf", "size", "offset"):
            array: Int32 = getattr(self, name).copy()
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.size)

    def weights(self, row: int) -> Int32:
        """Frequencies of one row, int32 [size[row]], each at least 1, with sum 2**16."""
        return np.diff(self.cdf[row, : int(self.size[row]) + 1])

    def probabilities(self, row: int) -> Int64:
        """Give the probabilities with which the range coder codes a row, in parts of 2**24.

        With n symbols and the row's cumulative frequencies c, symbol s owns the 24-bit interval from L(s) to
        L(s + 1), where L(s) = floor(c(s) * (2**24 - n) / 2**16) + s: every symbol gets one part for itself,
        and the rest is shared by frequency. FORMAT.md section 9.

        Returns:
            int64 [size[row]], with sum 2**24.
        """
        n = int(self.size[row])
        cumulative = self.cdf[row, : n + 1].astype(np.int64)
        return np.diff(coder_starts(cumulative, np.arange(n + 1), n))


def coder_starts(cumulative: Int64, symbol: npt.NDArray[np.integer], count: int) -> Int64:
    """L(s) of CdfTable.probabilities: where intervals begin, of rows with so many symbols."""
    return (cumulative * (2**CODER_PRECISION - count) >> PRECISION) + symbol


def _check_shapes(table: CdfTable) -> None:
    for name, array, dimensions in (
        ("cdf", table.cdf, 2),
        ("size", table.size, 1),
        ("offset", table.offset, 1),
    ):
        if array.dtype != np.int32 or array.ndim != dimensions:
            raise FormatError(
                f"CDF table: {name} must be int32 with {dimensions} axes, found {array.dtype} {array.shape}"
            )
    rows, columns = table.cdf.shape
    if table.precision != PRECISION:
        raise FormatError(f"CDF table: precision must be {PRECISION}, found {table.precision}")
    if not 1 <= rows <= MAX_ROWS or not 3 <= columns <= MAX_ROW_SYMBOLS + 1:
        raise FormatError(
            f"CDF table: at most {MAX_ROWS} rows of 2 to {MAX_ROW_SYMBOLS} symbols, found {table.cdf.shape}"
        )
    if table.size.shape != (rows,) or table.offset.shape != (rows,):
        raise FormatError(
            f"CDF table: {rows} rows, but sizes {table.size.shape} and offsets {table.offset.shape}"
        )


def _check_rows(table: CdfTable) -> None:
    symbols = table.cdf.shape[1] - 1
    wrong_size = (table.size < 2) | (table.size > symbols)
    wrong_offset = np.abs(table.offset.astype(np.int64)) > MAX_OFFSET
    steps = np.diff(table.cdf.astype(np.int64), axis=1)
    used = np.arange(symbols) < table.size[:, None]
    wrong_step = np.where(used, steps <= 0, steps != 0).any(axis=1)
    wrong_ends = (table.cdf[:, 0] != 0) | (table.cdf[:, -1] != 2**PRECISION)
    for wrong, what in (
        (wrong_size, f"must have 2 to {symbols} symbols"),
        (wrong_offset, f"must start within {MAX_OFFSET} of 0"),
        (wrong_ends, f"must go from 0 to {2**PRECISION}"),
        (wrong_step, "must rise at each of its symbols and then stay"),
    ):
        if wrong.any():
            raise FormatError(f"CDF table: row {int(np.flatnonzero(wrong)[0])} {what}")
