"""Prediction of a frame from the decoded one before it: overlapped blocks moved by a motion field.

A motion field is [N, 2, H/8, W/8]: (right, down) from a block of the new frame to where it is found in the
reference, in quarters of a pixel, whole numbers. Frames are [N, C, H, W], sides multiples of 16.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

BLOCK_PX = 8
UNITS = 4  # of motion per pixel
BAND_PX = 256  # rows that are predicted at a time


def expanded(motion: Tensor, factor: int) -> Tensor:
    """Each entry of a field repeated to factor x factor."""
    return motion.repeat_interleave(factor, 2).repeat_interleave(factor, 3)


def warp(reference: Tensor, motion: Tensor, mode: str, top: int = 0) -> Tensor:
    """Fetch pixels of [N, C, H, W] from `motion` [N, 2, h, W] away; outside, the border goes on.

    Args:
        top: the row of the frame that the first row of `motion` is of.
    """
    height, width = reference.shape[2:]
    down = top + torch.arange(motion.shape[2], device=reference.device)[:, None]
    right = torch.arange(width, device=reference.device)[None, :]
    across = (right + motion[:, 0] / UNITS) * (2 / (width - 1)) - 1
    along = (down + motion[:, 1] / UNITS) * (2 / (height - 1)) - 1
    places = torch.stack([across, along], -1)
    return F.grid_sample(reference, places, mode=mode, padding_mode="border", align_corners=True)


def predict(reference: Tensor, motion: Tensor) -> Tensor:
    """Overlapped block motion compensation, float32: four bicubic predictions, blended between block centres.

    Source: Orchard and Sullivan 1994, 10.1109/83.334974 (with bilinear windows).
    """
    with torch.autocast(reference.device.type, enabled=False):
        padded = F.pad(motion.float(), (1, 1, 1, 1), mode="replicate")
        rows, row_share = _between(reference.shape[2], motion.device)
        columns, column_share = _between(reference.shape[3], motion.device)
        bands = []
        for top in range(0, len(rows), BAND_PX):  # one at a time: memory stays near that of the frame
            band = slice(top, top + BAND_PX)
            fields, weights = [], []
            for below in (0, 1):
                weight_down = row_share[band] if below else 1 - row_share[band]
                for right in (0, 1):
                    weights.append(weight_down[:, None] * (column_share if right else 1 - column_share))
                    fields.append(padded[:, :, rows[band] + below][:, :, :, columns + right])
            # one call for all four: on a CPU torch works on them in parallel
            sources = (
                reference.float().expand(4, -1, -1, -1)
                if len(motion) == 1
                else reference.float().repeat(4, 1, 1, 1)
            )
            moved = warp(sources, torch.cat(fields), "bicubic", top)
            bands.append((moved.unflatten(0, (4, -1)) * torch.stack(weights)[:, None, None]).sum(0))
        return torch.cat(bands, 2)


def predict_twice(
    reference: Tensor, older: Tensor | None, motion: Tensor, motion_before: Tensor | None
) -> Tensor:
    """[N, 2 C, H, W]: the prediction from the frame before, and one from the frame before that.

    The older frame is reached by going on with the motion that the frame before was predicted with; behind a
    key frame there is none, and the first prediction stands in for the second.
    """
    first = predict(reference, motion)
    if older is None or motion_before is None:
        return torch.cat([first, first], 1)
    return torch.cat([first, predict(older, followed(motion, motion_before))], 1)


def followed(motion: Tensor, motion_before: Tensor) -> Tensor:
    """The motion over two frames: where a block's centre comes to lie in the frame before, it goes on."""
    height, width = motion.shape[2:]
    side = BLOCK_PX * UNITS
    down = torch.arange(height, device=motion.device)[:, None] * side + side // 2 + motion[:, 1]
    right = torch.arange(width, device=motion.device)[None, :] * side + side // 2 + motion[:, 0]
    row, column = (
        torch.floor(place / side).long().clamp(0, size - 1)
        for place, size in ((down, height), (right, width))
    )
    sample = torch.arange(len(motion), device=motion.device)[:, None, None]
    return motion + motion_before[sample, :, row, column].permute(0, 3, 1, 2)


def _between(length: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """For each pixel the block centre before it, a place in the padded field, and the share of the next."""
    place = (torch.arange(length, dtype=torch.float32, device=device) + 0.5) / BLOCK_PX + 0.5
    before = place.floor()
    return before.long(), place - before
