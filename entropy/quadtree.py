"""The order in which latents are coded: four steps, each of which takes a corner of every 2x2 block."""

from functools import lru_cache

import torch
from torch import Tensor

STEPS = 4
TURNS = (0, 3, 2, 1)  # of the steps: each codes the corner (group xor turn) of a 2x2 block
LATENT_GROUPS = 4  # latent number c is in group c mod 4


@lru_cache(maxsize=16)
def quadtree_places(height: int, width: int, channels: int) -> tuple[Tensor, ...]:
    """For each step the flat indices, rising, of the latents [height, width, channels] that it codes.

    Channel c belongs to group c mod 4; a step codes one corner of each 2x2 block, another one in each
    group. Source: DCVC-DC, arXiv:2302.14402; FORMAT.md "Coding order".
    """
    corner = torch.arange(height)[:, None] % 2 * 2 + torch.arange(width)[None, :] % 2
    group = torch.arange(channels) % LATENT_GROUPS
    return tuple(((group ^ turn) == corner[:, :, None]).reshape(-1).nonzero()[:, 0] for turn in TURNS)
