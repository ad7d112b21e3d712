"""Revival in a training run: what `revive` needs and what must follow a change of the codes."""

import torch
from torch import Tensor
from torch.optim.optimizer import Optimizer

from ..vq.quantisers.revival import revive
from ..vq.quantisers.simvq import SimVQ
from ..vq.start import vectors_of
from .vq import VqTraining

CROPS = 512
MOST = 48_000  # vectors of a grid


def revive_codes(net: VqTraining, pictures: Tensor, generator: torch.Generator) -> list[list[int]]:
    """Even out the use of the codes of both grids on training pictures [N, 3, H, W] in 0..1.

    Returns:
        See quantisers.revival.revive, for the coarse and the fine grid.
    """
    moved: list[list[int]] = []
    for codes, vectors in vectors_of(net.model, net.model.latents_of(pictures)):
        chosen = torch.randperm(len(vectors), generator=generator)[:MOST]
        moved.append(revive(codes, vectors[chosen.to(vectors.device)], generator))
    return moved


@torch.no_grad()
def follow(net: VqTraining, average: VqTraining, optimiser: Optimizer) -> None:
    """The codes of the moving average become those of `net`, and the optimiser forgets how these moved."""
    for part, other in zip(net.modules(), average.modules(), strict=True):
        if isinstance(part, SimVQ) and isinstance(other, SimVQ):
            other.load_state_dict(part.state_dict())
            for parameter in part.parameters():
                optimiser.state.pop(parameter, None)
