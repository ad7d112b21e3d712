"""Rotation: the display matrix of a container as one of EXIF's eight orientations, and back."""

import warnings

import numpy as np

from ..errors import MediaWarning

ONE = 1 << 16  # 16.16 fixed point
# What becomes of the vectors to the right (a, b) and down (c, d), y pointing down.
_MATRICES = {
    1: (1, 0, 0, 1),
    2: (-1, 0, 0, 1),
    3: (-1, 0, 0, -1),
    4: (1, 0, 0, -1),
    5: (0, 1, 1, 0),
    6: (0, 1, -1, 0),
    7: (0, -1, -1, 0),
    8: (0, -1, 1, 0),
}


def orientation_of(data: bytes | None) -> int:
    """EXIF orientation, 1 to 8, of a display matrix of nine 32-bit integers; 1 where there is none.

    Warns:
        MediaWarning: it turns by something else than quarters.
    """
    if data is None or len(data) < 36:
        return 1
    a, b, _, c, d = np.frombuffer(data[:20], np.int32).tolist()
    found = tuple(round(value / ONE) for value in (a, b, c, d))
    for orientation, matrix in _MATRICES.items():
        if matrix == found:
            return orientation
    warnings.warn("the clip is turned by an odd angle, which is not kept", MediaWarning, stacklevel=2)
    return 1


def matrix_of(orientation: int) -> list[int]:
    """The display matrix of an EXIF orientation."""
    a, b, c, d = (value * ONE for value in _MATRICES[orientation])
    return [a, b, 0, c, d, 0, 0, 0, 1 << 30]
