"""Restart segments of a JPEG: where they are, which rows of pixels they hold, and doing without some."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

ROW_PX = 16  # of blocks, in a JPEG of 4:2:0
_SCAN, _END = 0xDA, 0xD9
_RESTARTS = range(0xD0, 0xD8)


def restart_segments(data: bytes) -> list[slice]:
    """Where the entropy-coded bytes between restart markers are, in a JPEG of one scan.

    Raises:
        ValueError: no scan, or no end behind it.
    Source: ITU-T T.81, annex B.
    """
    start = _scan_start(data)
    found: list[slice] = []
    place = start
    while (place := data.find(b"\xff", place)) >= 0 and place + 1 < len(data):
        marker = data[place + 1]
        if marker in _RESTARTS or marker == _END:
            found.append(slice(start, place))
            start = place + 2
        if marker == _END:
            return found
        place += 2  # also past 0xff 0x00, which stands for a byte of data
    raise ValueError("the JPEG has no end marker")


def _scan_start(data: bytes) -> int:
    """The first byte behind the scan header."""
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        length = int.from_bytes(data[place + 2 : place + 4], "big")
        if data[place + 1] == _SCAN:
            return place + 2 + length
        place += 2 + length
    raise ValueError("the JPEG has no scan")


def segment_rows(numbers: Sequence[int], height: int) -> NDArray[np.bool_]:
    """[height], true where a row of pixels is in one of the segments, each being one row of blocks."""
    rows = np.zeros(height, np.bool_)
    for number in numbers:
        rows[number * ROW_PX : (number + 1) * ROW_PX] = True
    return rows


def with_rows_interpolated(pixels: NDArray[np.uint8], lost: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """[H, W, 3] with lost rows between those kept, linearly; repeated at the edges, grey if none is kept."""
    kept = np.flatnonzero(~lost)
    if not len(kept):
        return np.full_like(pixels, 128)
    rows = np.arange(len(pixels))
    right = np.searchsorted(kept, rows)
    below, above = kept[np.minimum(right, len(kept) - 1)], kept[np.maximum(right - 1, 0)]
    above = np.where(lost, above, rows)
    span = np.maximum(below - above, 1)
    weight = np.clip((rows - above) / span, 0, 1)[:, None, None]
    mixed = pixels[above] * (1 - weight) + pixels[below] * weight
    return np.where(lost[:, None, None], np.rint(mixed).astype(np.uint8), pixels)
