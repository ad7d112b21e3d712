"""The eight EXIF orientations: arrays turned upright and back, regions mapped between the two."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Sample = TypeVar("Sample", bound=np.generic)

# What turns stored pixels upright: (transpose first, then flip vertically, then flip horizontally).
# Source: EXIF 2.32 (CIPA DC-008), tag 0x0112 Orientation.
_STEPS = {
    1: (False, False, False),
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}

# Transposing first swaps the roles of the flips, so that 6 and 8 undo each other; the others undo themselves.
INVERSE = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}


def check_orientation(orientation: int) -> None:
    """Raise ValueError unless orientation is one of EXIF's eight."""
    if orientation not in _STEPS:
        raise ValueError(f"orientation must be 1 to 8 as in EXIF, not {orientation!r}")


def swaps_sides(orientation: int) -> bool:
    """Whether width and height change places when the picture is turned upright."""
    check_orientation(orientation)
    return _STEPS[orientation][0]


def upright_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """(width, height) of a picture turned upright, of its (width, height) as stored."""
    width, height = size
    return (height, width) if swaps_sides(orientation) else (width, height)


def turn_upright(array: NDArray[Sample], orientation: int) -> NDArray[Sample]:
    """Turn stored pixels as a viewer shows them.

    Args:
        array: [H, W] or [H, W, C] as stored.
        orientation: 1 to 8, EXIF meaning.
    Returns:
        [H', W'] or [H', W', C], contiguous; the array itself where nothing is to do.
    Raises:
        ValueError: another orientation.
    """
    check_orientation(orientation)
    transpose, flip_rows, flip_columns = _STEPS[orientation]
    if transpose:
        array = array.swapaxes(0, 1)
    array = array[:: -1 if flip_rows else 1, :: -1 if flip_columns else 1]
    # torch takes no negative strides.
    return np.ascontiguousarray(array)


def turn_back(array: NDArray[Sample], orientation: int) -> NDArray[Sample]:
    """Turn upright pixels as they are stored: undoes turn_upright with the same orientation."""
    check_orientation(orientation)
    return turn_upright(array, INVERSE[orientation])


def stored_region(
    region: tuple[int, int, int, int], size: tuple[int, int], orientation: int
) -> tuple[int, int, int, int]:
    """Find where a region of the upright picture lies in the stored one.

    Args:
        region: (x, y, width, height) in upright pixels.
        size: (width, height) of the upright picture.
        orientation: 1 to 8, EXIF meaning.
    Returns:
        (x, y, width, height) in stored pixels; turned upright, they are the region.
    Raises:
        ValueError: another orientation.
    """
    check_orientation(orientation)
    x, y, width, height = region
    transpose, flip_rows, flip_columns = _STEPS[orientation]
    if flip_rows:
        y = size[1] - y - height
    if flip_columns:
        x = size[0] - x - width
    return (y, x, height, width) if transpose else (x, y, width, height)
