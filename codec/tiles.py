"""Tiles of a picture: each is coded on its own, but seen with a halo, so that no border shows."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ..bitstream.header import Header
from ..models.codecs import STRIDE, StillCodec
from .frame import Frame, Samples

Box = tuple[int, int, int, int]  # left, top, width, height


def latents_across(pixels: int) -> int:
    """Latents that cover so many pixels."""
    return -(-pixels // STRIDE)


def grown(box: Box, halo: int, width: int, height: int) -> Box:
    """`box` with a halo on all sides, cut to a picture of width x height."""
    left, top = max(0, box[0] - halo), max(0, box[1] - halo)
    right, bottom = min(width, box[0] + box[2] + halo), min(height, box[1] + box[3] + halo)
    return left, top, right - left, bottom - top


def to_planes(pixels: Samples) -> Tensor:
    """[H, W, 1 or 3] integers -> [3, H', W'] float 0..1, edges replicated to multiples of 16."""
    scale = float(np.iinfo(pixels.dtype).max)
    planes = torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1) / scale
    return padded(planes)


def padded(planes: Tensor) -> Tensor:
    """[1 or 3, H, W] -> [3, H', W'], edges replicated to multiples of 16."""
    padding = (0, -planes.shape[2] % STRIDE, 0, -planes.shape[1] % STRIDE)
    return F.pad(planes.expand(3, -1, -1)[None], padding, mode="replicate")[0]


def from_planes(planes: Tensor, channels: int, bit_depth: int) -> Samples:
    """[3, H, W] float 0..1 -> [H, W, channels] integers, rounded; grey is the mean of the three."""
    kept = planes.mean(0, keepdim=True) if channels == 1 else planes
    top = 2**bit_depth - 1
    whole = (kept * top).round_().clamp_(0, top).permute(1, 2, 0).contiguous().numpy()
    return whole.astype(np.uint8 if bit_depth == 8 else np.uint16)


def analyse_tile(codec: StillCodec, frame: Frame, box: Box, quality: float) -> Tensor:
    """Latents [h, w, latent] of one tile, computed with its halo."""
    left, top, width, height = grown(box, codec.analysis_halo, frame.width, frame.height)
    y = codec.analyse(to_planes(frame.pixels[top : top + height, left : left + width]), quality)
    row, column = (box[1] - top) // STRIDE, (box[0] - left) // STRIDE
    return y[row : row + latents_across(box[3]), column : column + latents_across(box[2])]


@dataclass(frozen=True)
class LatentCanvas:
    """Decoded latents of the tiles that a region needs, and the region's pixels from them.

    y_hat: [h, w, latent] int32 on the grid 2^-6, its first latent at `origin` (column, row) of the picture.
    """

    header: Header
    region: Box
    origin: tuple[int, int]
    y_hat: NDArray[np.int32]

    @classmethod
    def covering(cls, header: Header, region: Box, codec: StillCodec) -> "LatentCanvas":
        """An empty canvas for `region` and the halo that its synthesis reads."""
        left, top, width, height = grown(region, codec.synthesis_halo, header.width, header.height)
        column, row = left // STRIDE, top // STRIDE
        shape = latents_across(top + height) - row, latents_across(left + width) - column
        return cls(header, region, (column, row), np.zeros((*shape, codec.entropy.latent), np.int32))

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

    def pixels(self, codec: StillCodec, box: Box) -> Samples:
        """Synthesise one box of the region: [H, W, channels]."""
        header = self.header
        left, top, width, height = grown(box, codec.synthesis_halo, header.width, header.height)
        column, row = left // STRIDE - self.origin[0], top // STRIDE - self.origin[1]
        bottom, right = (
            latents_across(top + height) - self.origin[1],
            latents_across(left + width) - self.origin[0],
        )
        planes = codec.synthesise(self.y_hat[row:bottom, column:right], header.quality)
        x, y = box[0] - (column + self.origin[0]) * STRIDE, box[1] - (row + self.origin[1]) * STRIDE
        return from_planes(planes[:, y : y + box[3], x : x + box[2]], header.channels, header.bit_depth)


def boxes_of(region: Box, side: int) -> list[Box]:
    """Cut a region along the tile grid: what is synthesised at a time, so that memory stays bounded."""
    left, top, width, height = region
    boxes: list[Box] = []
    for y in range(top // side * side, top + height, side):
        for x in range(left // side * side, left + width, side):
            x0, y0 = max(x, left), max(y, top)
            boxes.append((x0, y0, min(x + side, left + width) - x0, min(y + side, top + height) - y0))
    return boxes
