"""Tiles of a picture: each is coded on its own, but seen with a halo, so that no border shows."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ..bitstream.header import Header
from ..models.codecs import STRIDE, Codec, StillCodec
from .frame import Frame, Samples

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


@dataclass(frozen=True)
class LatentCanvas:
    """Decoded latents or tokens of the tiles that a region needs, and the region's pixels from them.

    y_hat: [h, w, channels] int32, the first one at `origin` (column, row) of the picture; 0 where nothing is.
    """

    header: Header
    region: Box
    origin: tuple[int, int]
    y_hat: NDArray[np.int32]

    @classmethod
    def covering(cls, header: Header, region: Box, codec: StillCodec) -> "LatentCanvas":
        """An empty canvas for `region` and the halo that its synthesis reads."""
        return cls.empty(header, region, codec, codec.entropy.latent)

    @classmethod
    def empty(cls, header: Header, region: Box, codec: Codec, channels: int) -> "LatentCanvas":
        """As covering, for a codec whose latents or tokens have so many channels."""
        left, top, width, height = grown(
            region, codec.synthesis_halo, header.width, header.height, codec.alignment
        )
        column, row = left // STRIDE, top // STRIDE
        shape = latents_across(top + height) - row, latents_across(left + width) - column
        return cls(header, region, (column, row), np.zeros((*shape, channels), np.int32))

    def needs(self, box: Box) -> bool:
        """Whether a tile reaches into the canvas."""
        left, top = self.origin[0] * STRIDE, self.origin[1] * STRIDE
        right, bottom = left + self.y_hat.shape[1] * STRIDE, top + self.y_hat.shape[0] * STRIDE
        return box[0] < right and box[1] < bottom and box[0] + box[2] > left and box[1] + box[3] > top

    def place(self, box: Box, y_hat: NDArray[np.int32]) -> None:
        """Put in the latents of a tile, as far as they are wanted."""
        column, row = box[0] // STRIDE - self.origin[0], box[1] // STRIDE - self.origin[1]
        rows = slice(max(0, row), max(0, row + y_hat.shape[0]))
        columns = slice(max(0, column), max(0, column + y_hat.shape[1]))
        target = self.y_hat[rows, columns]
        first_row, first_column = max(0, -row), max(0, -column)
        target[:] = y_hat[
            first_row : first_row + target.shape[0], first_column : first_column + target.shape[1]
        ]

    def pixels(self, codec: Codec, box: Box) -> Samples:
        """Synthesise one box of the region: [H, W, channels]."""
        header = self.header
        left, top, width, height = grown(
            box, codec.synthesis_halo, header.width, header.height, codec.alignment
        )
        column, row = left // STRIDE - self.origin[0], top // STRIDE - self.origin[1]
        bottom, right = (
            latents_across(top + height) - self.origin[1],
            latents_across(left + width) - self.origin[0],
        )
        planes = codec.synthesise(self.y_hat[row:bottom, column:right], header.quality)
        x, y = box[0] - (column + self.origin[0]) * STRIDE, box[1] - (row + self.origin[1]) * STRIDE
        return from_planes(planes[:, y : y + box[3], x : x + box[2]], header.channels, header.bit_depth)


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
