"""What motion-compensated prediction leaves, as pictures for `block_basis`."""

import torch
from torch import Tensor

from ..inter.prediction import predict
from ..inter.search import find_motion
from .clips import ClipSampler

LEVEL = 32.0  # of the motion search


class ResidualSampler:
    """Batches of residuals, moved to the middle of 0..1; pairs of frames come from a sampler of chains."""

    def __init__(self, chains: ClipSampler) -> None:
        self.chains = chains

    def batch(self, count: int, generator: torch.Generator) -> Tensor:
        """[count, 3, size, size] around 0.5."""
        reference, frame = self.chains.batch(count, generator).unbind(1)
        level = torch.full((count,), LEVEL, device=frame.device)
        return 0.5 + frame - predict(reference, find_motion(frame, reference, level))
