"""Colours that alpha hides, replaced by those of the visible neighbourhood, so that filters may mix them."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..frame import Frame, Samples

_SIDE = 4  # pixels of the smallest squares


def with_hidden_filled(frame: Frame) -> Frame:
    """The picture with other colours where alpha is 0: the mean of what is visible around there.

    The mean is that of small squares, weighted by alpha and interpolated linearly between squares; where
    there is nothing visible, of squares four times as large, and so on. It takes fewer bits than the hidden
    colours, which no viewer shows, and does not ring into those that are seen. A picture of which nothing is
    visible stays what it is.
    """
    if frame.alpha is None or frame.alpha.all() or not frame.alpha.any():
        return frame
    hidden, filled, side = frame.alpha == 0, frame.pixels.copy(), _SIDE
    while hidden.any():
        sums = [Image.fromarray(plane) for plane in _weighted_sums(frame.pixels, frame.alpha, side)]
        strip = _strip(side)
        for row in range(0, frame.height, strip):
            _fill(filled[row : row + strip], hidden[row : row + strip], sums, row / side, side)
        side *= 4
    return replace(frame, pixels=filled)


def _fill(pixels: Samples, hidden: NDArray[np.bool_], sums: list[Image.Image], top: float, side: int) -> None:
    """Fill rows that begin at `top` squares, and take what could be filled out of `hidden`."""
    if not hidden.any():
        return
    rows, columns = hidden.shape
    window = 0, top, columns / side, top + rows / side
    *colours, weight = (
        np.asarray(plane.resize((columns, rows), Image.Resampling.BILINEAR, box=window)) for plane in sums
    )
    told = hidden & (weight > 0)
    for channel, colour in enumerate(colours):
        pixels[told, channel] = np.rint(colour[told] / weight[told])
    hidden[told] = False


def _weighted_sums(pixels: Samples, alpha: Samples, side: int) -> NDArray[np.float32]:
    """[channels + 1, ceil(H / side), ceil(W / side)]: of squares, colours times alpha, and alpha (0..1)."""
    starts = np.arange(0, pixels.shape[1], side)
    sums = np.empty((pixels.shape[2] + 1, -(-pixels.shape[0] // side), starts.size), np.float32)
    strip = _strip(side)
    for row in range(0, pixels.shape[0], strip):
        weight = alpha[row : row + strip].astype(np.float32) / np.iinfo(alpha.dtype).max
        of_strip = sums[:, row // side : (row + strip) // side]
        for channel, plane in enumerate(of_strip):
            colour = pixels[row : row + strip, :, channel] if channel < pixels.shape[2] else np.float32(1)
            rows = np.add.reduceat(weight * colour, np.arange(0, weight.shape[0], side), axis=0)
            plane[:] = np.add.reduceat(rows, starts, axis=1)
    return sums


def _strip(side: int) -> int:
    """Rows that are worked on together: whole squares, and few enough that memory stays bounded."""
    return max(side, 256 // side * side)
