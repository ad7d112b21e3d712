"""Residual quantisation: each stage codes what the ones before it left; any prefix is a coarser value."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .base import Quantiser

BEAM = 8  # candidates of a search
ROWS = 2048  # vectors that are searched at a time
BIT_WEIGHT = 0.1  # of a bit in a search, in squared distances that are left anyway


@dataclass(frozen=True, slots=True)
class Residual:
    """As Quantised; indices: one [N, h, w] a stage. loss: [N, h, w], of the stages that are kept."""

    value: Tensor
    indices: tuple[Tensor, ...]
    loss: Tensor


class ResidualQuantiser(nn.Module):
    """Stages in a row, with stage dropout: a sample keeps a prefix of them.

    `bits0`, ... hold what an index of each stage costs, [codes], and `left` [stages] what mean squared
    distance 1, 2, ... of them leave. They are 0 until `rates.fit_rates`: then a search sees distance alone.
    Source: SoundStream, arXiv:2107.03312 (residual VQ with quantiser dropout).
    """

    left: Tensor

    def __init__(self, stages: Sequence[Quantiser]) -> None:
        super().__init__()
        self.stages = nn.ModuleList(stages)
        self.register_buffer("left", torch.zeros(len(stages)))
        for number, stage in enumerate(stages):
            self.register_buffer(f"bits{number}", torch.zeros(stage.codes))

    def bits(self) -> list[Tensor]:
        """What an index costs, by stage, [codes]."""
        return [self.get_buffer(f"bits{number}") for number in range(len(self.stages))]

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

    @torch.no_grad()
    def search(self, x: Tensor, stages: int) -> tuple[Tensor, ...]:
        """Indices, as of `forward`, whose codes of the first `stages` stages together are nearest to x.

        What they cost counts too, once that is known, as in entropy-constrained VQ (Chou, Lookabaugh and Gray
        1989, doi:10.1109/29.17498). The other stages code what is left. A beam search: the nearest code of a
        stage is not always part of the nearest sum.
        """
        flat = x.float().permute(0, 2, 3, 1).reshape(-1, x.shape[1])
        found = torch.cat([self._search_rows(part, stages) for part in flat.split(ROWS)])
        return tuple(each.view(x.shape[0], *x.shape[2:]) for each in found.unbind(1))

    def _search_rows(self, rows: Tensor, stages: int) -> Tensor:
        """[n, C] -> [n, stages of all]."""
        left, paths = rows[:, None], torch.zeros(len(rows), 1, 0, dtype=torch.long, device=rows.device)
        last = min(stages, len(self.stages)) - 1
        price = BIT_WEIGHT * self.left[last] if last >= 0 else self.left.new_zeros(())
        spent = rows.new_zeros(len(rows), 1)
        for number, (stage, bits) in enumerate(zip(self.quantisers(), self.bits(), strict=True)):
            every = torch.arange(stage.codes, device=rows.device)
            book = stage.look_up(every[None, None])[0, :, 0].T
            fixed = left.square().sum(2) + spent
            distance = fixed[..., None] + (book.square().sum(1) + price * bits) - 2 * left @ book.T
            kept = min(BEAM, distance[0].numel()) if number + 1 < stages else 1
            place = distance.flatten(1).topk(kept, largest=False).indices
            before, code = place // stage.codes, place % stage.codes
            paths = torch.cat([paths.gather(1, before[..., None].expand(-1, -1, number)), code[..., None]], 2)
            left = left.gather(1, before[..., None].expand(-1, -1, rows.shape[1])) - book[code]
            spent = spent.gather(1, before) + price * bits[code]
        return paths[:, 0]

    def look_up(self, indices: Sequence[Tensor]) -> Tensor:
        """The sum of the codes of a prefix of stages, [N, C, h, w]."""
        codes = [stage.look_up(each) for stage, each in zip(self.quantisers(), indices, strict=False)]
        return sum(codes[1:], codes[0])  # in the order of `forward`, for the same bits

    @torch.no_grad()
    def start_from(self, samples: Tensor, generator: torch.Generator, first: int = 0) -> None:
        """Fit each stage from `first` on to what the ones before it leave of samples [n, C]."""
        left = samples.float().clone()
        for number, stage in enumerate(self.quantisers()):
            if number >= first:
                stage.start_from(left, generator)
            left -= stage.look_up(stage.nearest(left)[None, None])[0, :, 0].T
