"""The encoder's motion search: coarse to fine over brightness, fields that are cheap to code preferred."""

import torch
from torch import Tensor
from torch.nn import functional as F

from .motion_bits import AROUND, DIAGONAL, beside, bit_price, motion_bits, neighbour_mean
from .overlap import Overlap
from .prediction import BLOCK_PX, UNITS, expanded
from .quarters import Quarters

COARSE = 4  # the first search is on pixels of 4x4
REACH = 8  # coarse pixels, to every side
LARGE_PX = 2 * BLOCK_PX  # the first searches are for blocks of this side
LARGE_STEPS, FINE_STEPS = (8, 4, 2, 1), (4, 2, 1)  # quarters of a pixel
SMOOTHINGS = 2  # rounds in which blocks may take over their neighbours' motion


def luma(pixels: Tensor) -> Tensor:
    """[N, 3, H, W] RGB of 0..1 -> [N, 1, H, W] brightness of 0..255."""
    weight = pixels.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    return (pixels * (255 * weight)).sum(1, keepdim=True)


@torch.no_grad()
def find_motion(frame: Tensor, reference: Tensor, level: Tensor, before: Tensor | None = None) -> Tensor:
    """The motion field of a frame, in quarters of a pixel.

    Args:
        frame, reference: [N, 3, H, W] in 0..1. level: [N], 0..63.
        before: the field of the reference, if it has one: motion goes on.
    Returns:
        [N, 2, H/8, W/8].
    """
    with torch.autocast(frame.device.type, enabled=False):
        price = bit_price(level)[:, None, None]
        search = _Search(luma(frame.float()), luma(reference.float()), price)
        known = [] if before is None else [before.float()]
        sparse = [each[:, :, down::2, right::2] for each in known for down, right in ((0, 0), (1, 1))]
        motion = search.refined(search.coarse(), LARGE_PX, LARGE_STEPS, sparse)
        motion = search.refined(expanded(motion, LARGE_PX // BLOCK_PX), BLOCK_PX, FINE_STEPS, known)
        return Overlap(search.current, search.quarters, motion, price).refined().settled()


class _Search:
    def __init__(self, current: Tensor, reference: Tensor, price: Tensor) -> None:
        self.current, self.reference, self.price = current, reference, price
        self.quarters = Quarters(reference)

    def coarse(self) -> Tensor:
        """The best whole displacement of each large block, all within reach tried."""
        current, reference = (F.avg_pool2d(x, COARSE) for x in (self.current, self.reference))
        height, width = current.shape[2:]
        padded = F.pad(reference, (REACH,) * 4, mode="replicate")
        side, rows = LARGE_PX // COARSE, []
        for down in range(2 * REACH + 1):  # a row of displacements at a time: memory stays bounded
            moved = padded[:, 0, down : down + height].unfold(2, width, 1).permute(0, 2, 1, 3)
            rows.append(F.avg_pool2d((moved - current).abs(), side) * LARGE_PX**2)
        sad = torch.cat(rows, 1)
        line = torch.arange(-REACH, REACH + 1, device=sad.device).float() * COARSE * UNITS
        down, right = torch.meshgrid(line, line, indexing="ij")
        tried = torch.stack([right.flatten(), down.flatten()])
        cost = sad + self.price[:, None] * motion_bits(tried[None, :, :, None])[:, :, :, None]
        for _ in range(SMOOTHINGS):
            motion = tried.T[cost.argmin(1)].permute(0, 3, 1, 2)
            apart = (tried.T[None, :, :, None, None] - neighbour_mean(motion)[:, None]).flatten(0, 1)
            cost = sad + self.price[:, None] * motion_bits(apart).view_as(sad)
        return tried.T[cost.argmin(1)].permute(0, 3, 1, 2)

    def differences(self, motion: Tensor, side: int) -> Tensor:
        """[K, N, 2, h, w] -> [K, N, h, w]: the sum of absolute differences of each block, for K fields."""
        top, left = (side * torch.arange(count, device=motion.device) for count in motion.shape[3:])
        found = self.quarters.blocks(motion, side, top, left)
        own = self.current[:, 0].unflatten(1, (-1, side)).unflatten(3, (-1, side)).permute(0, 1, 3, 2, 4)
        current = own.round().to(torch.uint8)
        apart = torch.maximum(found, current) - torch.minimum(found, current)
        return apart.flatten(-2).sum(-1, dtype=torch.int32).float()

    def refined(self, motion: Tensor, side: int, steps: tuple[int, ...], known: list[Tensor]) -> Tensor:
        """Try known fields, the neighbours' motion, none, and ever smaller steps; keep what is better."""
        sad = self.differences(motion[None], side)[0]
        for turn in range(SMOOTHINGS):
            others = [neighbour_mean(motion).round(), torch.zeros_like(motion)] + known * (turn == 0)
            motion, sad = self._best(motion, sad, torch.stack(beside(motion) + others), side)
        for step in steps:
            for directions in (AROUND, DIAGONAL):
                offsets = step * torch.tensor(directions, device=motion.device).view(-1, 1, 2, 1, 1)
                motion, sad = self._best(motion, sad, motion + offsets, side)
        return motion

    def _best(self, motion: Tensor, sad: Tensor, candidates: Tensor, side: int) -> tuple[Tensor, Tensor]:
        """The best of candidates [K, N, 2, h, w] and what there is, measured against the field as it is."""
        expected = neighbour_mean(motion)
        tried = torch.cat([motion[None], candidates])
        found = torch.cat([sad[None], self.differences(candidates, side)])
        bits = motion_bits((tried - expected).flatten(0, 1)).view_as(found)
        best = (found + self.price * bits).argmin(0, keepdim=True)
        chosen = tried.gather(0, best[:, :, None].expand(-1, -1, 2, -1, -1))
        return chosen[0], found.gather(0, best)[0]
