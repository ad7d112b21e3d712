"""The search for the quality that meets a target, whatever it is that is encoded."""

from collections.abc import Callable
from dataclasses import dataclass

from ..errors import TargetError
from ..wish import Aim, Target

MAX_ENCODES = 14
FINEST = 0.01  # of quality: what a header can hold


@dataclass(frozen=True, slots=True)
class Attempt:
    """One encode: its quality and resampling, what was aimed at as it came out, the file, its estimate."""

    quality: float
    found: float
    data: bytes
    estimated_bits: float
    resampling: int = 1


def search(target: Target, make: Callable[[float], Attempt]) -> Attempt:
    """The attempt that meets `target`: the best picture of at most the size, or the smallest with the PSNR.

    Both rise with quality. A straight line through the ends of the bracket guesses well, and halving the
    miss of an end that stays (the Illinois rule) keeps both ends moving.

    Raises:
        TargetError: quality 0 is too large, or quality 100 not good enough.
    """
    low, high = target.accepted
    sized = target.aim is not Aim.PSNR_DB
    below = make(0.0)
    below_miss = target.miss(below.found)
    if sized and below_miss > high:
        raise TargetError(unreachable(target, "no less than ", below))
    above = make(100.0)
    above_miss = target.miss(above.found)
    if not sized and above_miss < low:
        raise TargetError(unreachable(target, "", above))
    if sized and above_miss <= high:
        return above
    if low <= below_miss and not (sized and below_miss > high):
        return below
    aim = (low + high) / 2
    for _ in range(MAX_ENCODES - 2):
        share = min(max((aim - below_miss) / (above_miss - below_miss), 0.02), 0.98)
        attempt = make(round(below.quality + share * (above.quality - below.quality), 2))
        miss = target.miss(attempt.found)
        if low <= miss <= high:
            return attempt
        if miss < aim:
            below, below_miss, above_miss = attempt, miss, aim + (above_miss - aim) / 2
        else:
            above, above_miss, below_miss = attempt, miss, aim + (below_miss - aim) / 2
        if above.quality - below.quality <= FINEST * 1.5:
            break
    return below if sized else above


def unreachable(target: Target, limit: str, nearest: Attempt) -> str:
    """What a TargetError says: how near to the target the nearest attempt comes."""
    smaller = f" at resampling {nearest.resampling}" if nearest.resampling > 1 else ""
    return (
        f"a target of {target.value:g} {target.aim.value} cannot be met: quality {nearest.quality:g}"
        f"{smaller} gives {limit}{nearest.found:.6g}"
    )
