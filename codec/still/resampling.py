"""A picture coded smaller than it is shown: reduced before the encoder, enlarged behind the decoder."""

import math

import numpy as np
from PIL import Image

from ...bitstream.header import Header
from ..frame import Frame, Samples
from .tiles import Box

LOBES = 3  # of the Lanczos window: pixels of the smaller picture that it reaches over, to either side
_STRIP = 256  # rows of the larger picture that are looked at together, so that memory stays bounded


def reduced(frame: Frame, header: Header) -> Frame:
    """The picture that a header says is coded, without alpha.

    Edges are replicated up to sides that are multiples of the factor.
    """
    if header.resampling is None:
        return Frame(frame.pixels)
    size, factor = (header.width, header.height), header.resampling.factor
    full = size[0] * factor, size[1] * factor
    return Frame(_scaled(frame.pixels, full, (0, 0, *full), size))


def coded_box(box: Box, header: Header) -> Box:
    """What of the coded picture has to be known to show a box of the full one, both as stored."""
    if header.resampling is None:
        return box
    factor = header.resampling.factor
    left, top = (max(0, start // factor - LOBES) for start in box[:2])
    right, bottom = (
        min(side, -(-(start + length) // factor) + LOBES)
        for start, length, side in zip(box[:2], box[2:], (header.width, header.height), strict=True)
    )
    return left, top, right - left, bottom - top


def enlarged(pixels: Samples, known: Box, box: Box, header: Header) -> Samples:
    """The pixels [H, W, channels] of a box of the full picture, from those of the coded one in `known`."""
    if header.resampling is None:
        return pixels
    factor = header.resampling.factor
    left, top = box[0] / factor - known[0], box[1] / factor - known[1]
    return _scaled(pixels, known[2:], (left, top, box[2] / factor, box[3] / factor), box[2:])


def _scaled(
    pixels: Samples, extent: tuple[int, int], box: tuple[float, float, float, float], size: tuple[int, int]
) -> Samples:
    """A box (left, top, width, height) of pixels [H, W, channels], scaled to `size` by a Lanczos window.

    The last column and row are repeated up to `extent` (columns, rows). What lies around the box counts too;
    beyond the extent there is nothing.
    """
    left, top, width, height = box
    step = height / size[1]
    reach = LOBES * max(1, step) + 1
    strip = max(1, int(_STRIP / max(1, step)))
    scaled = np.empty((size[1], size[0], pixels.shape[2]), pixels.dtype)
    for row in range(0, size[1], strip):
        rows = min(strip, size[1] - row)
        begin, end = top + row * step, top + (row + rows) * step
        first, last = max(0, math.floor(begin - reach)), min(extent[1], math.ceil(end + reach))
        known = pixels[first:last]
        beyond = (0, last - first - known.shape[0]), (0, extent[0] - known.shape[1]), (0, 0)
        source = np.pad(known, beyond, mode="edge").astype(np.float32)
        window = left, begin - first, left + width, end - first
        for channel in range(pixels.shape[2]):
            plane = Image.fromarray(np.ascontiguousarray(source[:, :, channel]))
            part = np.asarray(plane.resize((size[0], rows), Image.Resampling.LANCZOS, box=window))
            limited = np.clip(np.rint(part), 0, np.iinfo(pixels.dtype).max)
            scaled[row : row + rows, :, channel] = limited
    return scaled
