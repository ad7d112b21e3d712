"""Files of one size from codecs with different knobs: which value to try next."""

import math
from collections.abc import Mapping
from itertools import pairwise

from .adapters.base import Knob

TOLERANCE = 0.02  # of the size


def nearest_value(sizes: Mapping[float, int], target_bytes: int) -> float:
    """Of the values tried, the one whose size is nearest, by ratio."""
    return min(sizes, key=lambda value: abs(math.log(sizes[value] / max(1, target_bytes))))


def next_value(sizes: Mapping[float, int], target_bytes: int, knob: Knob) -> float | None:
    """Interpolate between the sizes around the target: log size is nearly a line over short distances.

    Args:
        sizes: bytes of the file at each value tried.
    Returns:
        a value between two of those tried; None where one is near enough, nothing lies between them, or all
        files are larger or all are smaller than the target.
    """
    target_bytes = max(1, target_bytes)  # a pixel at few bits rounds to none
    if abs(math.log(sizes[nearest_value(sizes, target_bytes)] / target_bytes)) <= TOLERANCE:
        return None
    values = sorted(sizes)
    for low, high in pairwise(values):
        small, large = sorted((sizes[low], sizes[high]))
        if not small < target_bytes < large:
            continue
        share = math.log(target_bytes / sizes[low]) / math.log(sizes[high] / sizes[low])
        steps = round((high - low) / knob.step)
        if steps < 2:
            continue
        step = min(max(round(share * steps), 1), steps - 1)
        return round(low + step * knob.step, 6)
    return None
