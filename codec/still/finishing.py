"""From a canvas to the picture that is given back: upright, with alpha and metadata, and what was lost."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import index as whole

import numpy as np

from ...bitstream.errors import LinnetError
from ...bitstream.header import Header
from ...bitstream.reader import Reader
from ...models.codecs import Codec
from ..frame import Frame, Samples
from ..orientation import stored_region, upright_size
from .alpha import alpha_from_png
from .canvas import LatentCanvas, paint
from .inpainting import smooth_over
from .losses import losses_of
from .resampling import enlarged
from .tiles import Box, blocks_of, whole_box


def stored_box(region: Box | None, header: Header) -> Box:
    """Where a region of the upright picture, or all of it, is stored. Raises ValueError outside of it."""
    size = header.full_width, header.full_height
    if region is None:
        return 0, 0, *size
    width, height = upright_size(size, header.orientation)
    x, y, w, h = (whole(side) for side in region)
    if not (x >= 0 and y >= 0 and w > 0 and h > 0 and x + w <= width and y + h <= height):
        raise ValueError(f"region {x},{y},{w},{h} is not inside the picture of {width}x{height} pixels")
    return stored_region((x, y, w, h), (width, height), header.orientation)


def finished(
    reader: Reader,
    canvas: LatentCanvas,
    codec: Codec,
    step: Callable[[int], None],
    damage: Sequence[LinnetError],
    known: dict[int, int],
    stored: Box,
    holes: Sequence[Box] = (),
) -> Frame:
    """The upright picture of a box of the full one, with alpha and metadata, and what it has lost.

    Args:
        stored: that box; it needs the canvas's region.
        holes: boxes to smooth over; for this the canvas has the whole picture, whatever its region.
    """
    header = reader.header
    seen = whole_box(header) if holes else canvas.region
    boxes = blocks_of(seen, header)
    pixels = paint(replace(canvas, region=seen), boxes, codec, step)
    step(len(boxes))
    if holes:
        smooth_over(pixels, holes)
        left, top, width, height = canvas.region
        pixels = np.ascontiguousarray(pixels[top : top + height, left : left + width])
    pixels = enlarged(pixels, canvas.region, stored, header)
    alpha_lost = header.has_alpha and reader.alpha is None
    losses = losses_of(header, damage, known, alpha_lost, reader.intact_shares)
    frame = Frame(pixels, _alpha(reader, stored), header.orientation, reader.metadata, losses)
    return replace(frame.oriented(), metadata=reader.metadata)


def _alpha(reader: Reader, stored: Box) -> Samples | None:
    header = reader.header
    if reader.alpha is None:
        return None
    alpha = alpha_from_png(reader.alpha, header.full_width, header.full_height, header.bit_depth)
    left, top, width, height = stored
    return np.ascontiguousarray(alpha[top : top + height, left : left + width])
