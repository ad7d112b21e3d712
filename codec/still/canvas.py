"""Decoded latents of the tiles that a region needs, and the pixels that they become."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...bitstream.header import Header
from ...models.codecs import STRIDE, Codec, StillCodec
from ..frame import Samples
from .tiles import Box, from_planes, grown, latents_across


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


def paint(canvas: LatentCanvas, boxes: list[Box], codec: Codec, step: Callable[[int], None]) -> Samples:
    """The pixels [H, W, channels] of a canvas's region, box by box; `step` is told how many are done."""
    left, top, width, height = canvas.region
    header = canvas.header
    pixels = np.empty((height, width, header.channels), np.uint8 if header.bit_depth == 8 else np.uint16)
    for done, box in enumerate(boxes):
        step(done)
        x, y = box[0] - left, box[1] - top
        pixels[y : y + box[3], x : x + box[2]] = canvas.pixels(codec, box)
    return pixels
