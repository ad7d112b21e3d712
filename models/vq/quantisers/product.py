"""Quantisers whose index is made of several symbols: a value per channel, or a code per group."""

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor

from .base import Quantiser


class ProductQuantiser(Quantiser):
    """An index is a number of mixed radix, its first symbol the least significant.

    Args:
        alphabets: how many values each symbol has.
    Raises:
        ValueError: there is no symbol, one has less than two values, or their product is beyond int64.
    """

    def __init__(self, alphabets: Sequence[int]) -> None:
        super().__init__()
        if not alphabets or min(alphabets) < 2:
            raise ValueError(f"every symbol needs two values or more, not {tuple(alphabets)}")
        if prod(alphabets) >= 2**63:
            raise ValueError(f"the product of {tuple(alphabets)} is too large for an index of 64 bits")
        self._alphabets = tuple(alphabets)
        self.codes = prod(alphabets)

    @property
    def alphabets(self) -> tuple[int, ...]:
        """See Quantiser."""
        return self._alphabets

    def symbols(self, indices: Tensor) -> tuple[Tensor, ...]:
        """See Quantiser."""
        found = []
        for count in self._alphabets:
            found.append(indices % count)
            indices = indices.div(count, rounding_mode="floor")
        return tuple(found)

    def join(self, symbols: Sequence[Tensor]) -> Tensor:
        """The index of symbols, one int64 tensor each: what `symbols` takes apart."""
        indices = torch.zeros_like(symbols[0])
        for count, symbol in zip(reversed(self._alphabets), reversed(symbols), strict=True):
            indices = indices * count + symbol
        return indices


def per_channel(values: Tensor, like: Tensor) -> Tensor:
    """[C] values in a shape that goes with [N, C, ...]."""
    return values.view(-1, *[1] * (like.ndim - 2))
