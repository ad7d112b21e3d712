"""Grouped quantisation: the channels in equal groups, a codebook for each; all are searched at once."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .base import Quantiser
from .product import ProductQuantiser


class GroupedQuantiser(ProductQuantiser):
    """A vector is cut into as many equal parts as there are groups; its index holds one symbol a group.

    Args:
        groups: the quantiser of each part, from the first channels on.
    Source: the multi-codebook quantiser of McQuic, arXiv:2203.10897; the factorised one of FQGAN,
    arXiv:2411.16681, without its regularisers.
    """

    def __init__(self, groups: Sequence[Quantiser]) -> None:
        super().__init__([group.codes for group in groups])
        self.groups = nn.ModuleList(groups)

    def quantisers(self) -> list[Quantiser]:
        """The groups, typed."""
        return [group for group in self.groups if isinstance(group, Quantiser)]

    def _parts(self, x: Tensor) -> list[tuple[Quantiser, Tensor]]:
        if x.shape[1] % len(self.groups):
            raise ValueError(f"{x.shape[1]} channels cannot be cut into {len(self.groups)} equal groups")
        return list(zip(self.quantisers(), x.chunk(len(self.groups), 1), strict=True))

    def nearest(self, x: Tensor) -> Tensor:
        """See Quantiser. Raises ValueError: the groups do not divide the channels."""
        return self.join([group.nearest(part) for group, part in self._parts(x)])

    def look_up(self, indices: Tensor) -> Tensor:
        """See Quantiser."""
        pairs = zip(self.quantisers(), self.symbols(indices), strict=True)
        return torch.cat([group.look_up(symbol) for group, symbol in pairs], 1)

    def prepare(self, x: Tensor) -> Tensor:
        """See Quantiser: each group does it to its part."""
        return torch.cat([group.prepare(part) for group, part in self._parts(x)], 1)

    def penalty(self, ready: Tensor, code: Tensor) -> Tensor:
        """See Quantiser: the mean of the groups'."""
        pairs = zip(self._parts(ready), code.chunk(len(self.groups), 1), strict=True)
        return torch.stack([group.penalty(part, found) for (group, part), found in pairs]).mean(0)

    @torch.no_grad()
    def start_from(self, samples: Tensor, generator: torch.Generator) -> None:
        """See Quantiser."""
        for group, part in self._parts(samples):
            group.start_from(part, generator)
