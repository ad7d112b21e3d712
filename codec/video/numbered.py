"""Numbered pictures: the files that a pattern such as frame%04d.png names."""

import os
import re
from itertools import pairwise

from ..errors import UnreadableMediaError

_FIRSTS = range(5)  # numbers that FFmpeg looks for to begin with


def numbers_of(pattern: str) -> list[int]:
    """The numbers of the files that are there, rising."""
    folder, name = os.path.split(pattern)
    front, _, rest = name.partition("%")
    form = re.compile(f"{re.escape(front)}([0-9]+){re.escape(rest.lstrip('0123456789')[1:])}")
    found = (form.fullmatch(each) for each in os.listdir(folder or "."))
    return sorted(int(match[1]) for match in found if match and name % int(match[1]) == match[0])


def check_unbroken(pattern: str) -> None:
    """FFmpeg reads up to the first number that is missing, and says nothing of those behind it.

    Raises:
        UnreadableMediaError: there are some.
    """
    name, numbers = os.path.basename(pattern), numbers_of(pattern)
    if not numbers or numbers[0] not in _FIRSTS:
        return  # FFmpeg says so
    for before, after in pairwise(numbers):
        if after != before + 1:
            raise UnreadableMediaError(
                f"{pattern}: {name % (before + 1)} is missing, {name % before} and {name % after} are there"
            )
