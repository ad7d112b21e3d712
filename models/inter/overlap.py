"""The last step of the motion search: blocks are judged by the overlapped prediction that they are part of.

A block has a share in the 16x16 pixels around its centre. Every second block of every second row is looked at
in one go: these 16x16 do not overlap, so that what one of them does changes nothing for the others.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ...entropy.motion import expectation, passes
from ...entropy.tables import Int32
from .motion_bits import AROUND, DIAGONAL, beside, bits_saved, motion_bits, neighbour_mean
from .prediction import BLOCK_PX
from .quarters import Quarters

WINDOW_PX = 2 * BLOCK_PX
STEPS = (2, 1)  # quarters of a pixel
SETTLED_STRIDE = 4  # coarser entries are too few to matter
_OUTER_PX = BLOCK_PX // 2  # by which a window goes beyond the frame
_PHASES = ((0, 0), (0, 1), (1, 0), (1, 1))


class Overlap:
    """A field, and what the overlapped prediction by it leaves of a frame's brightness.

    Args:
        current: [N, 1, H, W], 0..255. reference: of the reference.
        motion: [N, 2, H/8, W/8], whole quarters of a pixel.
        price: [N, 1, 1] sums of absolute differences that are worth a bit.
    """

    def __init__(self, current: Tensor, reference: Quarters, motion: Tensor, price: Tensor) -> None:
        self._reference, self._motion, self._price = reference, motion.clone(), price
        self._size = motion.shape[2:]
        down, across = (_shares(count, motion.device) for count in self._size)
        self._share = down[:, None, :, None] * across[None, :, None, :]
        self._rest = F.pad(current[:, 0], (_OUTER_PX,) * 4)  # of pixels that do not exist, nothing is left
        for phase in _PHASES:
            self._windows(phase).sub_(self._moved(self._motion, phase))

    def refined(self) -> "Overlap":
        """Try the neighbours' motion and small steps; keep what is better, block by block."""
        for phase in _PHASES:
            self._improve(phase, [*beside(self._motion), neighbour_mean(self._motion).round()])
        for step in STEPS:
            for phase in _PHASES:
                for directions in (AROUND, DIAGONAL):
                    offsets = step * torch.tensor(directions, device=self._motion.device).view(-1, 1, 2, 1, 1)
                    self._improve(phase, self._motion + offsets)
        return self

    def settled(self) -> Tensor:
        """The field; in the order of coding, entries become what is expected where their bits cost more."""
        field = np.zeros(self._motion.shape, np.int32)
        price = self._price[:, :, 0].cpu().numpy()
        for stride, places, directions in passes(*self._size):
            here = (..., *places)
            if stride <= SETTLED_STRIDE:
                expected, spread = expectation(field, stride, places, directions)
                other = self._integers()
                worth = np.zeros((len(field), *self._size))
                worth[here] = price * bits_saved(other[here] - expected, spread)
                other[here] = expected
                for phase in sorted(set(zip(*(each % 2 for each in places), strict=True))):
                    self._settle(phase, torch.from_numpy(other), torch.from_numpy(worth))
            field[here] = self._integers()[here]
        return torch.from_numpy(field).to(self._motion)

    def _integers(self) -> Int32:
        return self._motion.to(torch.int32).cpu().numpy()

    def _settle(self, phase: tuple[int, int], other: Tensor, worth: Tensor) -> None:
        """Blocks of a phase take over another field where that adds less to the differences than it saves."""
        own = (..., slice(phase[0], None, 2), slice(phase[1], None, 2))
        windows, other = self._windows(phase), other.to(self._motion)
        change = self._moved(self._motion, phase) - self._moved(other, phase)
        cheap = _sum(windows + change) - _sum(windows) < worth.to(self._motion)[own]
        windows.add_(change * cheap[..., None, None])
        self._motion[own] = torch.where(cheap[:, None], other[own], self._motion[own])

    @property
    def motion(self) -> Tensor:
        """The field so far, [N, 2, h, w]."""
        return self._motion

    @property
    def rest(self) -> Tensor:
        """What the prediction lacks, [N, 8 h, 8 w]."""
        return self._rest[:, _OUTER_PX:-_OUTER_PX, _OUTER_PX:-_OUTER_PX]

    def _windows(self, phase: tuple[int, int]) -> Tensor:
        """[N, h/2, w/2, 16, 16]: what is left around the blocks of a phase; a view."""
        (down, right), (height, width) = phase, self._size
        rows = slice(BLOCK_PX * down, BLOCK_PX * (down + height))
        columns = slice(BLOCK_PX * right, BLOCK_PX * (right + width))
        rest = self._rest[:, rows, columns].unflatten(1, (-1, WINDOW_PX)).unflatten(3, (-1, WINDOW_PX))
        return rest.permute(0, 1, 3, 2, 4)

    def _moved(self, motion: Tensor, phase: tuple[int, int]) -> Tensor:
        """[N, h/2, w/2, 16, 16]: what the blocks of a phase have a share of, times the share."""
        down, right = phase
        top, left = (
            BLOCK_PX * torch.arange(first, count, 2, device=motion.device) - _OUTER_PX
            for first, count in zip(phase, self._size, strict=True)
        )
        found = self._reference.blocks(motion[..., down::2, right::2], WINDOW_PX, top, left)
        return found * self._share[down::2, right::2]

    def _improve(self, phase: tuple[int, int], candidates: Tensor | list[Tensor]) -> None:
        """The best of some fields [N, 2, h, w] for the blocks of a phase, seen against their neighbours."""
        own = (..., slice(phase[0], None, 2), slice(phase[1], None, 2))
        windows = self._windows(phase)
        without = windows + self._moved(self._motion, phase)
        expected, chosen = neighbour_mean(self._motion)[own], self._motion[own].clone()
        best = _sum(windows) + self._price * motion_bits(chosen - expected)
        for candidate in candidates:
            tried = candidate[own]
            cost = _sum(without - self._moved(candidate, phase)) + self._price * motion_bits(tried - expected)
            better = cost < best
            best = torch.where(better, cost, best)
            chosen = torch.where(better[:, None], tried, chosen)
        self._motion[own] = chosen
        windows.copy_(without - self._moved(self._motion, phase))


def _sum(windows: Tensor) -> Tensor:
    return windows.abs().flatten(-2).sum(-1)


def _shares(count: int, device: torch.device) -> Tensor:
    """[count, 16]: the share that blocks of a row or column have in the pixels around them."""
    rising = (torch.arange(BLOCK_PX, dtype=torch.float32, device=device) + 0.5) / BLOCK_PX
    shares = torch.cat([rising, 1 - rising]).repeat(count, 1)
    shares[0, :BLOCK_PX] = shares[-1, BLOCK_PX:] = 1  # outside, the motion at the border goes on
    shares[0, :_OUTER_PX] = shares[-1, -_OUTER_PX:] = 0
    return shares
