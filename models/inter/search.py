"""The encoder's motion search: coarse to fine over brightness, fields that are cheap to code preferred."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ...entropy.motion import SPREADS, expectation, passes
from ...entropy.tables import Int32
from ..quality import step_size
from .prediction import BLOCK_PX, UNITS, expanded, warp

COARSE = 4  # the first search is on pixels of 4x4
REACH = 8  # coarse pixels, to every side
LARGE_PX = 2 * BLOCK_PX  # the first searches are for blocks of this side
LARGE_STEPS, FINE_STEPS = (8, 4, 2, 1), (4, 2, 1)  # quarters of a pixel
SMOOTHINGS = 2  # rounds in which blocks may take over their neighbours' motion
SAD_PER_BIT = 0.18  # quantisation steps of absolute difference that are worth a bit of motion
SETTLED_STRIDE = 4  # coarser entries are too few to matter
# Of the fitted tables, by the spread of the neighbours: bits of a difference of 1 over none, and per octave.
FIRST_BITS, OCTAVE_BITS = (5.8, 3.0, 2.0, 1.3, 0.9, 0.9), (2.5, 3.0, 2.8, 2.2, 1.5, 0.8)
_AROUND = ((1, 0), (-1, 0), (0, 1), (0, -1))
_DIAGONAL = ((1, 1), (-1, 1), (1, -1), (-1, -1))


def bit_price(level: Tensor) -> Tensor:
    """[N] levels -> [N] sums of absolute differences (of 0..255) that a bit of motion must save."""
    return SAD_PER_BIT * 255 * step_size(level)


def luma(pixels: Tensor) -> Tensor:
    """[N, 3, H, W] RGB of 0..1 -> [N, 1, H, W] brightness of 0..255."""
    weight = torch.tensor([0.299, 0.587, 0.114], device=pixels.device).view(1, 3, 1, 1)
    return (pixels * (255 * weight)).sum(1, keepdim=True)


def neighbour_mean(motion: Tensor) -> Tensor:
    """The mean of the four neighbours of each entry, those outside as the entry itself."""
    padded = F.pad(motion, (1, 1, 1, 1), mode="replicate")
    sides = (
        padded[:, :, 1:-1, :-2] + padded[:, :, 1:-1, 2:] + padded[:, :, :-2, 1:-1] + padded[:, :, 2:, 1:-1]
    )
    return sides / 4


def motion_bits(difference: Tensor) -> Tensor:
    """[N, 2, h, w] from what is expected -> [N, h, w]: about what coding it costs."""
    size = difference.abs()
    return (2 * torch.log2(1 + size) + 0.2 * (size > 0)).sum(1)


def bits_saved(difference: Int32, spread: Int32) -> NDArray[np.float64]:
    """About what differences [N, 2, n] cost more than none would, by the spread [N, n] of the neighbours."""
    kind = np.searchsorted(SPREADS, spread)[:, None]
    size = np.abs(difference)
    bits = np.array(FIRST_BITS)[kind] + np.array(OCTAVE_BITS)[kind] * np.log2(np.maximum(size, 1))
    return np.where(size > 0, bits, 0.0).sum(1)


@torch.no_grad()
def find_motion(frame: Tensor, reference: Tensor, level: Tensor) -> Tensor:
    """The motion field [N, 2, H/8, W/8] of a frame; both [N, 3, H, W] in 0..1, levels [N] 0..63."""
    with torch.autocast(frame.device.type, enabled=False):
        search = _Search(luma(frame.float()), luma(reference.float()), bit_price(level)[:, None, None])
        motion = search.refined(search.coarse(), LARGE_PX, LARGE_STEPS)
        return search.settled(search.refined(expanded(motion, LARGE_PX // BLOCK_PX), BLOCK_PX, FINE_STEPS))


class _Search:
    def __init__(self, current: Tensor, reference: Tensor, price: Tensor) -> None:
        self.current, self.reference, self.price = current, reference, price

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
        fields, samples, _, height, width = motion.shape
        moves = expanded(motion.flatten(0, 1), side)
        found = warp(self.reference.repeat(fields, 1, 1, 1), moves, "bilinear")
        apart = (self.current.repeat(fields, 1, 1, 1) - found).abs()
        return F.avg_pool2d(apart, side).view(fields, samples, height, width) * side**2

    def refined(self, motion: Tensor, side: int, steps: tuple[int, ...]) -> Tensor:
        """Try the neighbours' motion, none, and ever smaller steps; keep what is better, block by block."""
        sad = self.differences(motion[None], side)[0]
        height, width = motion.shape[2:]
        for _ in range(SMOOTHINGS):
            padded = F.pad(motion, (1, 1, 1, 1), mode="replicate")
            beside = [
                padded[:, :, 1 + down : 1 + down + height, 1 + right : 1 + right + width]
                for right, down in _AROUND
            ]
            others = [neighbour_mean(motion).round(), torch.zeros_like(motion)]
            motion, sad = self._best(motion, sad, torch.stack(beside + others), side)
        for step in steps:
            for directions in (_AROUND, _DIAGONAL):
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

    def settled(self, motion: Tensor) -> Tensor:
        """In the order of coding, entries become what is expected of them where their bits cost more."""
        wanted, sad = motion.to(torch.int32).cpu().numpy(), self.differences(motion[None], BLOCK_PX)[0]
        field = np.zeros_like(wanted)
        for stride, places, directions in passes(*motion.shape[2:]):
            expected, spread = expectation(field, stride, places, directions)
            chosen = wanted[..., places[0], places[1]]
            if stride <= SETTLED_STRIDE:
                candidate = wanted.copy()
                candidate[..., places[0], places[1]] = expected
                loss = self.differences(torch.from_numpy(candidate).to(motion)[None], BLOCK_PX)[0] - sad
                worth = self.price[:, :, 0].cpu().numpy() * bits_saved(chosen - expected, spread)
                cheap = loss.cpu().numpy()[:, places[0], places[1]] < worth
                chosen = np.where(cheap[:, None], expected, chosen)
            field[..., places[0], places[1]] = chosen
        return torch.from_numpy(field).to(motion)
