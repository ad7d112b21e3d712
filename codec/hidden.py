"""Colours that alpha hides, replaced by those of the visible neighbourhood, so that filters may mix them."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .frame import Frame, Samples

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
        for row in range(0, frame.height, side):
            _fill(filled[row : row + side], hidden[row : row + side], sums, row / side, side)
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
    for number, row in enumerate(range(0, pixels.shape[0], side)):
        weight = alpha[row : row + side].astype(np.float32) / np.iinfo(alpha.dtype).max
        weighted = np.dstack([pixels[row : row + side] * weight[:, :, None], weight])
        sums[:, number] = np.add.reduceat(weighted.sum(0), starts, axis=0).T
    return sums
