"""A picture at every quarter of a pixel: blocks moved by a field are then copied, not computed."""

import torch
from torch import Tensor
from torch.nn import functional as F

from .prediction import UNITS

LARGEST_PX = 16  # side of the blocks that are fetched, at most
MARGIN_PX = LARGEST_PX + 2  # a block outside by its own side sees the border alone
SHARPNESS = -0.75  # of the bicubic kernel, as `prediction.warp` has it


def bicubic(distance: float) -> float:
    """The weight of a sample so far away (Keys 1981, 10.1109/TASSP.1981.1163711)."""
    x, a = abs(distance), SHARPNESS
    if x <= 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    return a * (x**3 - 5 * x**2 + 8 * x - 4)


class Quarters:
    """Brightness [N, 1, H, W] of 0..255, in whole steps, at quarters of a pixel; its border goes on."""

    def __init__(self, picture: Tensor) -> None:
        samples, _, self._height, self._width = picture.shape
        self._stride = self._width + 2 * MARGIN_PX
        self._rows = self._height + 2 * MARGIN_PX
        padded = F.pad(picture, (MARGIN_PX + 1, MARGIN_PX + 2) * 2, mode="replicate")
        taps = torch.tensor([[bicubic(part / UNITS - k) for k in (-1, 0, 1, 2)] for part in range(UNITS)])
        taps = taps.to(padded)
        shape = (samples, UNITS, UNITS, self._rows, self._stride)
        planes = torch.empty(shape, dtype=torch.uint8, device=picture.device)
        for part in range(UNITS):  # one at a time: memory stays near that of the planes
            down = F.conv2d(padded, taps[part].view(1, 1, 4, 1))
            planes[:, part] = F.conv2d(down, taps.view(UNITS, 1, 1, 4)).round_().clamp_(0, 255)
        self._planes = planes.view(-1)
        self._start = torch.arange(samples, device=picture.device)[:, None, None] * planes[0].numel()

    def blocks(self, motion: Tensor, side: int, top: Tensor, left: Tensor) -> Tensor:
        """Moved blocks.

        Args:
            motion: [..., N, 2, h, w] in quarters of a pixel.
            side: of a block, at most LARGEST_PX. top, left: [h] and [w], pixels where the blocks begin.
        Returns:
            [..., N, h, w, side, side] uint8.
        """
        whole = motion.to(torch.int64)
        y, x = UNITS * top[:, None] + whole[..., 1, :, :], UNITS * left + whole[..., 0, :, :]
        part = (y % UNITS) * UNITS + x % UNITS
        row = (y // UNITS).clamp(-MARGIN_PX, self._height + MARGIN_PX - side) + MARGIN_PX
        column = (x // UNITS).clamp(-MARGIN_PX, self._width + MARGIN_PX - side) + MARGIN_PX
        place = self._start + (part * self._rows + row) * self._stride + column
        count = self._planes.numel() - (side - 1) * (self._stride + 1)
        every = self._planes.as_strided((count, side, side), (1, self._stride, 1))
        return every.index_select(0, place.flatten()).view(*place.shape, side, side)
