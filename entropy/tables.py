"""Integer CDFs: probabilities in, exact cumulative tables out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy import typing as npt

from ..bitstream.errors import FormatError

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]

PRECISION = 16  # bits: every row of a table sums to 2**16
CODER_PRECISION = 24  # bits: the range coder's own probabilities sum to 2**24 (constriction's default)
MAX_ROWS = 4096  # a table read from a file may not be larger, whatever the file says
MAX_ROW_SYMBOLS = 8192
MAX_OFFSET = 2**20  # a row's smallest symbol is at most this far from 0

SIGMAS: tuple[float, ...] = tuple(
    0.11 * (64 / 0.11) ** (i / 63) for i in range(64)
)  # log-spaced scale levels

# Of a Gaussian, what lies further out is left to the escape. Wider rows cost rate themselves, for each of
# their symbols takes at least one of 2**16 parts.
_TAIL_MASS = 2.0**-16


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
        return np.diff((cumulative * (2**CODER_PRECISION - n) >> PRECISION) + np.arange(n + 1))


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


def gaussian_table(sigmas: Sequence[float] = SIGMAS) -> CdfTable:
    """Tabulate Gaussians of mean 0, integrated over each integer's interval: at export only.

    Floats may differ in the last bit between machines, so the table that files depend on is the one stored
    with the model, never one built anew.

    Args:
        sigmas: standard deviations in quantisation steps, each above 0.
    Returns:
        A row for each sigma, symmetric around 0 but for the escape.
    Source: Balle et al. 2018, arXiv:1802.01436, equation 11 without the uniform floor.
    """
    rows: list[tuple[int, list[float]]] = []
    for sigma in sigmas:
        if not sigma > 0:
            raise ValueError(f"sigma must be above 0, found {sigma}")
        half = 1
        while math.erfc((half + 0.5) / (sigma * math.sqrt(2))) > _TAIL_MASS:
            half += 1
        rows.append((-half, [_gaussian_mass(abs(s), sigma) for s in range(-half, half + 1)]))
    return pmf_table(rows)


def _gaussian_mass(symbol: int, sigma: float) -> float:
    # Differences of erfc, not erf: in the tail erf is 1 in every digit.
    inner, outer = ((symbol + edge) / (sigma * math.sqrt(2)) for edge in (-0.5, 0.5))
    return 0.5 * (math.erfc(inner) - math.erfc(outer))


def pmf_table(rows: Sequence[tuple[int, Sequence[float] | npt.NDArray[np.floating]]]) -> CdfTable:
    """Quantise probability mass functions to integer frequencies: at export only.

    Args:
        rows: for each row its smallest symbol and the probabilities of the symbols from there on. What they
            lack to 1 is the escape's.
    Returns:
        The table with sum 2**16 in each row, frequencies as near to the best code for the given probabilities
        as integers of at least 1 allow.
    Raises:
        ValueError: no row, or a row empty, too long, with a negative or not finite probability, or a sum
            above 1.
    """
    if not rows:
        raise ValueError("a table needs at least one row")
    weights = [_quantise(pmf) for _, pmf in rows]
    size = np.array([len(row) for row in weights], dtype=np.int32)
    cdf = np.full((len(rows), int(size.max()) + 1), 2**PRECISION, dtype=np.int32)
    for row, weight in enumerate(weights):
        cdf[row, 0] = 0
        cdf[row, 1 : len(weight) + 1] = np.cumsum(weight)
    return CdfTable(cdf, size, np.array([offset for offset, _ in rows], dtype=np.int32))


def _quantise(pmf: Sequence[float] | npt.NDArray[np.floating]) -> Int64:
    mass = np.asarray(pmf, dtype=np.float64)
    if mass.ndim != 1 or not 1 <= mass.size < MAX_ROW_SYMBOLS:
        raise ValueError(f"a row needs 1 to {MAX_ROW_SYMBOLS - 1} probabilities, found shape {mass.shape}")
    if not np.isfinite(mass).all() or mass.min() < 0 or mass.sum() > 1 + 1e-6:
        raise ValueError(f"probabilities must be 0 or more with sum 1, found sum {mass.sum()}")
    mass = np.append(mass, max(0.0, 1 - mass.sum()))  # the escape
    weights = np.maximum(np.rint(mass * 2**PRECISION), 1).astype(np.int64)
    # One part at a time to or from the symbol where it saves most or costs least: length is -mass *
    # log2(weight).
    while (missing := 2**PRECISION - int(weights.sum())) > 0:
        weights[np.argmax(mass * np.log1p(1 / weights))] += 1
    for _ in range(-missing):
        cost = np.full(mass.shape, np.inf)
        np.divide(mass, weights - 1, out=cost, where=weights > 1)
        weights[np.argmin(cost)] -= 1
    return weights
