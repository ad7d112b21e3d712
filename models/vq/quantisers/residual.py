"""Residual quantisation: each stage codes what the ones before it left; any prefix is a coarser value."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .base import Quantiser


@dataclass(frozen=True, slots=True)
class Residual:
    """As Quantised; indices: one [N, h, w] a stage. loss: [N, h, w], of the stages that are kept."""

    value: Tensor
    indices: tuple[Tensor, ...]
    loss: Tensor


class ResidualQuantiser(nn.Module):
    """Stages in a row, with stage dropout: a sample keeps a prefix of them.

    Source: SoundStream, arXiv:2107.03312 (residual VQ with quantiser dropout).
    """

    def __init__(self, stages: Sequence[Quantiser]) -> None:
        super().__init__()
        self.stages = nn.ModuleList(stages)

    def quantisers(self) -> list[Quantiser]:
        """The stages, typed."""
        return [stage for stage in self.stages if isinstance(stage, Quantiser)]

    def forward(self, x: Tensor, kept: Tensor | None = None) -> Residual:
        """Quantise [N, C, h, w] by the first `kept` [N] stages, or by all; with none the value is 0."""
        x = x.float()
        if kept is None:
            kept = torch.full((len(x),), len(self.stages), device=x.device)
        value, loss = torch.zeros_like(x), torch.zeros_like(x[:, 0])
        indices: list[Tensor] = []
        for number, stage in enumerate(self.quantisers()):
            found = stage(x - value)
            keeps = (kept > number)[:, None, None]
            value = value + torch.where(keeps[:, None], found.value, 0.0)
            loss = loss + torch.where(keeps, found.loss, 0.0)
            indices.append(found.indices)
        return Residual(value, tuple(indices), loss)

    def look_up(self, indices: Sequence[Tensor]) -> Tensor:
        """The sum of the codes of a prefix of stages, [N, C, h, w]."""
        codes = [stage.look_up(each) for stage, each in zip(self.quantisers(), indices, strict=False)]
        return sum(codes[1:], codes[0])  # in the order of `forward`, for the same bits

    @torch.no_grad()
    def start_from(self, samples: Tensor, generator: torch.Generator) -> None:
        """Fit each stage to what the ones before it leave of samples [n, C]."""
        left = samples.float().clone()
        for stage in self.quantisers():
            stage.start_from(left, generator)
            left -= stage.look_up(stage.nearest(left)[None, None])[0, :, 0].T
