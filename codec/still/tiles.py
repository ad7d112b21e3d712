"""Tiles of a picture: each is coded on its own, but seen with a halo, so that no border shows."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ...bitstream.header import Header
from ...models.codecs import STRIDE, Codec
from ..frame import Frame, Samples

Box = tuple[int, int, int, int]  # left, top, width, height
BLOCK = 1024  # pixels: what the networks see at a time, at least, so that small tiles do not cost halos


def latents_across(pixels: int) -> int:
    """Latents that cover so many pixels."""
    return -(-pixels // STRIDE)


def grown(box: Box, halo: int, width: int, height: int, alignment: int = STRIDE) -> Box:
    """`box` with a halo on all sides, out to multiples of `alignment`, cut to a picture of width x height."""
    left, top = ((max(0, start - halo) // alignment * alignment) for start in box[:2])
    right, bottom = (
        min(side, -(-(start + length + halo) // alignment) * alignment)
        for start, length, side in zip(box[:2], box[2:], (width, height), strict=True)
    )
    return left, top, right - left, bottom - top


def to_planes(pixels: Samples, alignment: int = STRIDE) -> Tensor:
    """[H, W, 1 or 3] integers -> [3, H', W'] float 0..1, edges replicated to multiples of `alignment`."""
    scale = float(np.iinfo(pixels.dtype).max)
    planes = torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1) / scale
    return padded(planes, alignment)


def padded(planes: Tensor, alignment: int = STRIDE) -> Tensor:
    """[1 or 3, H, W] -> [3, H', W'], edges replicated to multiples of `alignment`."""
    padding = (0, -planes.shape[2] % alignment, 0, -planes.shape[1] % alignment)
    return F.pad(planes.expand(3, -1, -1)[None], padding, mode="replicate")[0]


def from_planes(planes: Tensor, channels: int, bit_depth: int) -> Samples:
    """[3, H, W] float 0..1 -> [H, W, channels] integers, rounded; grey is the mean of the three."""
    kept = planes.mean(0, keepdim=True) if channels == 1 else planes
    top = 2**bit_depth - 1
    whole = (kept * top).round_().clamp_(0, top).permute(1, 2, 0).contiguous().numpy()
    return whole.astype(np.uint8 if bit_depth == 8 else np.uint16)


def analyse_tile(codec: Codec, frame: Frame, box: Box, quality: float) -> Tensor:
    """Latents or tokens [h, w, channels] of one box that begins on the tile grid, computed with its halo."""
    window = grown(box, codec.analysis_halo, frame.width, frame.height, codec.alignment)
    left, top, width, height = window
    planes = to_planes(frame.pixels[top : top + height, left : left + width], codec.alignment)
    return part_of(codec.analyse(planes, quality), window, box)


def part_of(y: Tensor, window: Box, box: Box) -> Tensor:
    """What belongs to `box` of the latents or tokens [h, w, channels] of `window`."""
    row, column = (box[1] - window[1]) // STRIDE, (box[0] - window[0]) // STRIDE
    return y[row : row + latents_across(box[3]), column : column + latents_across(box[2])]


def analysed(frame: Frame, header: Header, codec: Codec) -> Iterator[tuple[int, Tensor]]:
    """The number of each tile, and its latents or tokens [h, w, channels]; several small ones at a time."""
    for block in blocks_of(whole_box(header), header):
        y = analyse_tile(codec, frame, block, header.quality)
        for tile in header.tiles_in(block):
            yield tile, part_of(y, block, header.tile_box(tile))


def blocks_of(region: Box, header: Header) -> list[Box]:
    """What the networks see of a region at a time: tiles, or several small ones together."""
    return boxes_of(region, max(header.tile_size, BLOCK))


def boxes_of(region: Box, side: int) -> list[Box]:
    """Cut a region along a grid of squares of `side`, so that memory stays bounded."""
    left, top, width, height = region
    boxes: list[Box] = []
    for y in range(top // side * side, top + height, side):
        for x in range(left // side * side, left + width, side):
            x0, y0 = max(x, left), max(y, top)
            boxes.append((x0, y0, min(x + side, left + width) - x0, min(y + side, top + height) - y0))
    return boxes


def whole_box(header: Header) -> Box:
    """All of the picture as it is coded."""
    return 0, 0, header.width, header.height
