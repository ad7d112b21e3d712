"""Skip maps, coded without loss: which blocks of 16x16 pixels are shown as predicted. FORMAT.md section 19.

The order is that of motion fields, coarse to fine: a pass is coded with one call, and its entries have
neighbours on all sides.
"""

import numpy as np
from numpy.typing import NDArray

from ..bitstream.errors import CorruptFileError
from .coder import SymbolCoder
from .motion import Directions, Field, Places, neighbours, passes
from .tables import CdfTable

NEIGHBOURS = 6  # classes of what the neighbours are
STATES = 8  # better than the frame before or not, skipped there or not, moving or not
ROWS = NEIGHBOURS * STATES
SkipMap = NDArray[np.bool_]  # [h, w], one entry for each latent's place


def neighbour_class(found: SkipMap, stride: int, places: Places, directions: Directions) -> NDArray[np.int64]:
    """0 without known neighbours; else 1 if none is skipped, 2 fewer than half, 3 half, 4 more, 5 all."""
    known, skipped = np.zeros(len(places[0]), np.int64), np.zeros(len(places[0]), np.int64)
    for inside, there in neighbours(found.shape, stride, places, directions):
        known += inside
        skipped += inside & found[there]
    some = np.where(skipped == 0, 1, np.where(skipped == known, 5, 3 + np.sign(2 * skipped - known)))
    return np.where(known == 0, 0, some)


def is_moving(field: Field) -> SkipMap:
    """[h, w]: whether any of the four blocks of 8x8 at a place moves."""
    moves = (field != 0).any(0)
    return moves[::2, ::2] | moves[1::2, ::2] | moves[::2, 1::2] | moves[1::2, 1::2]


def code_skips(
    coder: SymbolCoder,
    table: CdfTable,
    field: Field,
    before: SkipMap | None,
    better: bool,
    given: SkipMap | None = None,
) -> SkipMap:
    """Code the map of a frame; `given` to encode it, None to decode. Both give it back.

    Args:
        field: the frame's motion, [2, 2h, 2w].
        before: the map of the frame before, [h, w]; None behind a key frame.
        better: whether the frame before is an inter frame of lower quality.
    Raises:
        ValueError: the map to encode is of another size. CorruptFileError: one that is decoded has a value
            that is neither 0 nor 1.
    """
    moving = is_moving(field)
    if given is not None and given.shape != moving.shape:
        raise ValueError(f"a skip map must be {moving.shape}, found {given.shape}")
    state = 4 * better + 2 * (np.zeros_like(moving) if before is None else before) + moving
    found = np.zeros(moving.shape, np.bool_)
    for stride, places, directions in passes(*moving.shape):
        rows = STATES * neighbour_class(found, stride, places, directions) + state[places]
        symbols = None if given is None else given[places].astype(np.int32)
        decoded = coder.code(symbols, rows.astype(np.uint8), table)
        if decoded.min(initial=0) < 0 or decoded.max(initial=0) > 1:
            raise CorruptFileError("a skip map has a value that is neither 0 nor 1")
        found[places] = decoded == 1
    return found
