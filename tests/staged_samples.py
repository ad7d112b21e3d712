"""Files in stages of the model `blocks`, and what they should decode to."""

import numpy as np
from numpy.typing import NDArray
from vq_samples import BlocksCodec

import linnet
from linnet.bitstream import Header
from linnet.codec.frame import Frame, Samples
from linnet.codec.still.tiles import to_planes

Photo = NDArray[np.uint8]


def encoded(
    pixels: Samples | Frame, stages: int = 3, tile: int = 1024, resilience: int | None = None
) -> bytes:
    frame = pixels if isinstance(pixels, Frame) else Frame.from_array(pixels)
    made = linnet.encode(frame, model="blocks", stages=stages, tile=tile, resilience=resilience)
    return made.data or b""


def expected(pixels: Samples, stages: int = 3) -> Samples:
    """What the codec itself makes of its tokens: coding loses nothing of them."""
    codec = BlocksCodec()
    tokens = codec.analyse(to_planes(pixels, 32), 0).numpy()
    tokens[..., stages:] = 0
    planes = codec.synthesise(tokens, 0)[:, : pixels.shape[0], : pixels.shape[1]]
    if pixels.shape[2] == 1:
        planes = planes.mean(0, keepdim=True)
    peak = np.iinfo(pixels.dtype).max
    return (planes * peak).round().clamp(0, peak).permute(1, 2, 0).numpy().astype(pixels.dtype)


def partial(data: bytes) -> tuple[Samples, linnet.Losses]:
    frame = linnet.decode(data, allow_partial=True)
    assert frame.losses is not None
    return frame.pixels, frame.losses


def tile_of(header: Header, pixels: Samples, tile: int) -> Samples:
    left, top, width, height = header.tile_box(tile)
    return pixels[top : top + height, left : left + width]
