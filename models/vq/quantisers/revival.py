"""Codes that are hardly used move to where many vectors share one: use becomes even, the error smaller."""

from collections.abc import Sequence

import torch
from torch import Tensor

from .residual import ResidualQuantiser
from .simvq import SimVQ

RARE, POPULAR = 0.3, 0.9  # of even use: codes with less move, next to codes with more
ROUNDS = 10  # at most
FEW = 0.01  # of all codes: when no more of them moved, use is even


@torch.no_grad()
def revive(
    codes: ResidualQuantiser, samples: Tensor, generator: torch.Generator, rounds: int = ROUNDS
) -> list[int]:
    """Even out the use that the encoder's search makes of each stage of SimVQ.

    A round splits the most used codes, each by half the way to one of its vectors and back, in place of rare
    ones; then every code moves to the mean of the vectors that it is nearest to. Learned maps are folded into
    the codes, since a code can then be moved alone. Deterministic for a generator (on the CPU).

    Args:
        samples: [n, C], far more than there are codes in a stage.
    Returns:
        How many codes moved in each round.
    Raises:
        TypeError: a stage is no SimVQ.
    Source: splitting as Linde, Buzo and Gray, doi:10.1109/TCOM.1980.1094577.
    """
    order = torch.randperm(len(samples), generator=generator)
    samples = samples[order.to(samples.device)].float()
    for bits in codes.bits():
        bits.zero_()  # of other codes
    moved: list[int] = []
    few = FEW * sum(stage.codes for stage in codes.quantisers())
    while len(moved) < rounds and (not moved or moved[-1] > few):
        found = _searched(codes, samples, len(codes.stages))
        moved.append(
            sum(_split(codes, stage, samples, found, generator) for stage in range(len(codes.stages)))
        )
        _centre(codes, samples)
    return moved


@torch.no_grad()
def use(codes: ResidualQuantiser, samples: Tensor) -> list[Tensor]:
    """Of each stage: how often the search chooses each code, [codes] int64, for samples [n, C]."""
    found = _searched(codes, samples, len(codes.stages))
    return [
        torch.bincount(each, minlength=stage.codes)
        for stage, each in zip(codes.quantisers(), found.unbind(1), strict=True)
    ]


def _searched(codes: ResidualQuantiser, samples: Tensor, stages: int) -> Tensor:
    """[n, C] -> indices [n, all stages]."""
    return torch.stack([each[0, :, 0] for each in codes.search(samples.T[None, :, :, None], stages)], 1)


def _books(codes: ResidualQuantiser) -> list[Tensor]:
    stages = codes.quantisers()
    books = [stage.codebook() for stage in stages if isinstance(stage, SimVQ)]
    if len(books) < len(stages):
        raise TypeError("only the codes of SimVQ can be moved one by one")
    return books


def _set(codes: ResidualQuantiser, stage: int, book: Tensor) -> None:
    quantiser = codes.quantisers()[stage]
    assert isinstance(quantiser, SimVQ)
    quantiser.set_codebook(book)


def _left(samples: Tensor, books: Sequence[Tensor], found: Tensor, stage: int) -> Tensor:
    """What the codes of all stages found but this one leave."""
    others = [book[found[:, n]] for n, book in enumerate(books[: found.shape[1]]) if n != stage]
    return samples - sum(others, torch.zeros_like(samples))


def _split(
    codes: ResidualQuantiser, stage: int, samples: Tensor, found: Tensor, generator: torch.Generator
) -> int:
    books = _books(codes)
    book, chosen = books[stage].clone(), found[:, stage]
    even = len(samples) / len(book)
    count = torch.bincount(chosen, minlength=len(book))
    rare = (count < RARE * even).nonzero()[:, 0]
    popular = count.argsort(descending=True)[: len(rare)]
    popular = popular[count[popular] >= POPULAR * even]
    rare = count.argsort()[: len(popular)]
    order = torch.randperm(len(samples), generator=generator).to(samples.device)
    place = torch.arange(len(order), device=order.device)
    # not by assignment: which of several would be kept depends on the threads
    last = torch.zeros_like(count).scatter_reduce(0, chosen[order], place, "amax")
    drawn = order[last[popular]]
    step = 0.5 * (_left(samples[drawn], books, found[drawn], stage) - book[popular])
    book[rare] = book[popular] + step
    book[popular] -= step
    _set(codes, stage, book)
    return len(rare)


def _centre(codes: ResidualQuantiser, samples: Tensor) -> None:
    """One step of k-means, a stage after the other, on what the nearest codes of those before leave."""
    left = samples.clone()
    for stage, quantiser in enumerate(codes.quantisers()):
        nearest, book = quantiser.nearest(left), _books(codes)[stage]
        sums = torch.zeros_like(book).index_add_(0, nearest, left)
        count = torch.bincount(nearest, minlength=len(book))[:, None]
        _set(codes, stage, torch.where(count > 0, sums / count.clamp(min=1), book))
        left -= _books(codes)[stage][nearest]
