"""A training run's state on disk: everything that a resumed run needs, written whole or not at all."""

import pickle
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch

from ..whole_file import whole_file

BEST = ("model", "step", "loss", "seconds")  # what best.pt holds
_NO_CHECKPOINT = (
    *(RuntimeError, pickle.UnpicklingError, EOFError, OSError),
    *(ValueError, LookupError, AttributeError, TypeError),
)


def save_state(state: dict[str, object], path: Path) -> None:
    """Write a state whole: a full disk or a kill leaves the last good one. Raises OSError."""
    with whole_file(path) as stream:
        try:
            torch.save(state, stream)
        except RuntimeError as error:  # of the archive that the stream did not take
            if isinstance(error.__context__, OSError):
                raise error.__context__ from None
            raise


def load_state(path: Path, device: torch.device, holds: Sequence[str] = ()) -> dict:
    """Read what `save_state` wrote; tensors and plain values only, nothing in the file is executed.

    Raises:
        ValueError: it is something else, not whole, or lacks what it `holds` by name.
        OSError: it cannot be read.
    """
    with path.open("rb") as stream:
        try:
            state = torch.load(stream, map_location=device, weights_only=True)
        except _NO_CHECKPOINT as error:
            raise ValueError(f"{path} is no whole checkpoint of linnet train") from error
    if not isinstance(state, dict):
        raise ValueError(f"{path} is no checkpoint of linnet train: found {type(state).__name__}")
    if missing := [name for name in holds if name not in state]:
        raise ValueError(f"{path} is no whole checkpoint of linnet train: it lacks {', '.join(missing)}")
    return state


@contextmanager
def of_one_architecture(path: object) -> Generator[None, None, None]:
    """Loading a state of `path`: say so if it does not fit. Raises ValueError."""
    try:
        yield
    except (RuntimeError, KeyError, IndexError) as error:
        lines = str(error).splitlines()
        raise ValueError(
            f"{path} is of another architecture than the config: {lines[min(1, len(lines) - 1)].strip()}"
        ) from error
