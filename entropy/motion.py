"""Motion fields, coded without loss from coarse to fine: each entry is expected between those around it.

The entries on a grid of 2^k go first, then those in the middle of each four, then those between; all entries
of one pass are coded with one call, in raster order, first all of the right component, then all of the down
component. FORMAT.md section 19.
"""

import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..bitstream.errors import CorruptFileError
from .coder import SymbolCoder
from .tables import CdfTable, Int32

MOTION_LIMIT = 2**14  # quarters of a pixel, to every side
SPREADS = (0, 2, 6, 16, 48)  # of the neighbours, last values of a class; one more class follows
STRIDES = 3  # classes of passes: to the finest entries, one and more steps coarser
STATES = 3  # right; down where right was as expected; down elsewhere
ROWS = (len(SPREADS) + 1) * STRIDES * STATES
Field = Int32  # [2, h, w]: right and down
Places = tuple[NDArray[np.intp], NDArray[np.intp]]
Directions = tuple[tuple[int, int], ...]

_ACROSS = ((-1, -1), (-1, 1), (1, -1), (1, 1))
_ALONG = ((-1, 0), (1, 0), (0, -1), (0, 1))


def passes(height: int, width: int) -> Iterator[tuple[int, Places, Directions]]:
    """Stride, places (rows, columns) in raster order, and directions of the known neighbours of each pass."""
    stride = 1
    while stride < max(height, width):
        stride *= 2
    yield stride, (np.zeros(1, np.intp), np.zeros(1, np.intp)), ()
    while stride > 1:
        stride //= 2
        down, right = np.meshgrid(np.arange(0, height, stride), np.arange(0, width, stride), indexing="ij")
        odd_down, odd_right = down // stride % 2 == 1, right // stride % 2 == 1
        for chosen, directions in ((odd_down & odd_right, _ACROSS), (odd_down ^ odd_right, _ALONG)):
            if chosen.any():
                yield stride, (down[chosen], right[chosen]), directions


def neighbours(
    size: tuple[int, ...], stride: int, places: Places, directions: Directions
) -> Iterator[tuple[NDArray[np.bool_], Places]]:
    """For each direction, which places have a neighbour there in a field of size (h, w), and where.

    A place without one is given another of the field.
    """
    height, width = size
    for below, right in directions:
        row, column = places[0] + below * stride, places[1] + right * stride
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        yield inside, (row.clip(0, height - 1), column.clip(0, width - 1))


def expectation(field: Field, stride: int, places: Places, directions: Directions) -> tuple[Int32, Int32]:
    """What the known neighbours say of some entries: their trimmed mean [2, n], and their spread [n].

    Of four neighbours the largest and the smallest are left out, of three the median is taken, of two the
    mean; halves are rounded up. The spread is the largest less the smallest, added over the components.
    A field may have more axes in front: several are then looked at together.
    """
    count = np.zeros(len(places[0]), np.int32)
    total = np.zeros((*field.shape[:-2], len(count)), np.int32)
    high, low = np.full_like(total, -(2**30)), np.full_like(total, 2**30)
    for inside, (row, column) in neighbours(field.shape[-2:], stride, places, directions):
        value = field[..., row, column]
        count += inside
        total += np.where(inside, value, 0)
        high, low = (
            np.where(inside, np.maximum(high, value), high),
            np.where(inside, np.minimum(low, value), low),
        )
    trimmed = np.where(count >= 3, total - high - low, total)
    halved = (count == 2) | (count == 4)
    expected = np.where(halved, (trimmed + 1) >> 1, trimmed)
    spread = np.where(count > 0, (high - low).sum(-2), 2**20)
    return expected.astype(np.int32), spread.astype(np.int32)


def first_rows(spread: Int32, stride: int) -> NDArray[np.uint8]:
    """The table row of the right component; that of the down component is 1 or 2 further."""
    of_spread = np.searchsorted(SPREADS, spread, side="left")
    of_stride = min(stride.bit_length() - 1, STRIDES - 1)
    return ((of_spread * STRIDES + of_stride) * STATES).astype(np.uint8)


def motion_hash(field: Field, skips: NDArray[np.bool_]) -> int:
    """CRC-32 of the field as little-endian int32, its right component in raster order and then the down one,
    and of the skip map, a byte of 0 or 1 each."""
    return zlib.crc32(skips.astype(np.uint8).tobytes(), zlib.crc32(field.astype("<i4").tobytes()))


def code_motion(
    coder: SymbolCoder, size: tuple[int, int], table: CdfTable, given: Field | None = None
) -> Field:
    """Code a field of (h, w) entries; `given` to encode it, None to decode. Both give it back.

    Raises:
        ValueError: the field to encode is of another size or type, or an entry is beyond the limit.
        CorruptFileError: one that is decoded is.
    """
    if given is not None:
        if given.shape != (2, *size) or given.dtype != np.int32:
            raise ValueError(
                f"motion to encode must be int32 {(2, *size)}, found {given.dtype} {given.shape}"
            )
        if (worst := _farthest(given)) > MOTION_LIMIT:
            raise ValueError(f"motion of {worst} is beyond {MOTION_LIMIT}")
    field = np.zeros((2, *size), np.int32)
    for stride, places, directions in passes(*size):
        expected, spread = expectation(field, stride, places, directions)
        rows = first_rows(spread, stride)
        for component in range(2):
            symbols = None
            if given is not None:
                symbols = given[component][places] - expected[component]
            found = coder.code(symbols, rows, table)
            field[component][places] = expected[component] + found
            if not component:
                rows = (rows + np.where(found == 0, 1, 2)).astype(np.uint8)
        # before anything is expected of these entries, so that no sum leaves 32 bits; a value far outside
        # its row is below 2^24
        if (worst := _farthest(field)) > MOTION_LIMIT:
            raise CorruptFileError(f"motion of {worst} is beyond {MOTION_LIMIT}")
    return field


def _farthest(field: Field) -> int:
    """The largest magnitude; that of -2^31 too, of which int32 has none."""
    return max(int(field.max(initial=0)), -int(field.min(initial=0)))
