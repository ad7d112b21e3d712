"""Pixels of which nothing is known, continued smoothly from those around them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..frame import Samples
from .tiles import Box

Cells = NDArray[np.float32]

CELL_PX = 8  # a hole has no detail, so one value for so many pixels a side will do; divides every tile
_BAND_CELLS = 64  # rows of cells averaged at a time, so that memory stays bounded
_ROUNDS = 20  # of relaxation on each level; three times as many, or finer cells, were no better


def smooth_over(pixels: Samples, holes: Sequence[Box]) -> None:
    """Fill holes, in place, with the smoothest surface that continues what is around them.

    It solves Laplace's equation, coarse to fine, on the means of small squares. Of a hole as large as a tile
    no model of this size knows better: a guess of what was there costs more than no detail.

    Args:
        pixels: [H, W, C], of which something is known.
        holes: boxes whose corners are on the grid of tiles.
    """
    height, width, _ = pixels.shape
    known = np.ones((-(-height // CELL_PX), -(-width // CELL_PX)), np.bool_)
    for left, top, across, down in holes:
        row, column = top // CELL_PX, left // CELL_PX
        known[row : row + -(-down // CELL_PX), column : column + -(-across // CELL_PX)] = False
    cells = _relaxed(_means(pixels), known)
    for left, top, across, down in holes:
        rows, columns = np.arange(top, top + down), np.arange(left, left + across)
        smooth = _between(_between(cells, rows, 0), columns, 1)
        pixels[top : top + down, left : left + across] = np.rint(smooth)


def _means(pixels: Samples) -> Cells:
    """[h, w, C]: the mean of each cell."""
    step = _BAND_CELLS * CELL_PX
    bands = (pixels[start : start + step].astype(np.float32) for start in range(0, len(pixels), step))
    return np.concatenate([_pooled(band, CELL_PX) / _pooled(np.ones_like(band), CELL_PX) for band in bands])


def _pooled(values: Cells, step: int) -> Cells:
    """Sums over squares of step x step, less at the right and at the bottom."""
    rows = np.add.reduceat(values, np.arange(0, values.shape[0], step), axis=0)
    return np.add.reduceat(rows, np.arange(0, values.shape[1], step), axis=1)


def _relaxed(cells: Cells, known: NDArray[np.bool_]) -> Cells:
    """The cells with each unknown one as near to the mean of its four neighbours as a few rounds make it."""
    if known.all():
        return cells
    weights = known[..., None].astype(np.float32)
    if max(known.shape) == 1:
        return cells
    count = _pooled(weights, 2)
    coarse = _relaxed(_pooled(cells * weights, 2) / np.maximum(count, 1), count[..., 0] > 0)
    found = coarse.repeat(2, 0).repeat(2, 1)[: known.shape[0], : known.shape[1]]
    found[known] = cells[known]
    for _ in range(_ROUNDS):
        around = np.pad(found, ((1, 1), (1, 1), (0, 0)), mode="edge")
        mean = (around[:-2, 1:-1] + around[2:, 1:-1] + around[1:-1, :-2] + around[1:-1, 2:]) / 4
        found[~known] = mean[~known]
    return found


def _between(cells: Cells, places: NDArray[np.int64], axis: int) -> Cells:
    """Values at pixels along an axis, linear between the middles of cells."""
    position = (places + 0.5) / CELL_PX - 0.5
    first = np.clip(np.floor(position).astype(np.int64), 0, max(0, cells.shape[axis] - 2))
    shape = (-1, 1, 1) if axis == 0 else (1, -1, 1)
    share = np.clip(position - first, 0, 1).astype(np.float32).reshape(shape)
    after = np.minimum(first + 1, cells.shape[axis] - 1)
    return cells.take(first, axis) * (1 - share) + cells.take(after, axis) * share
