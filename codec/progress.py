"""Progress: called with how much is done of a long work, and how much there is."""

from collections.abc import Callable
from typing import TypeAlias

Progress: TypeAlias = Callable[[int, int], None]  # (done, total)


def quiet(done: int, total: int) -> None:
    """The progress of those who do not ask."""
