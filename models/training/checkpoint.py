"""A training run's state on disk: everything that a resumed run needs, written whole or not at all."""

import pickle
from pathlib import Path

import torch

from ..whole_file import whole_file


def save_state(state: dict[str, object], path: Path) -> None:
    """Write a state whole: a full disk or a kill leaves the last good one. Raises OSError."""
    with whole_file(path) as stream:
        try:
            torch.save(state, stream)
        except RuntimeError as error:  # of the archive that the stream did not take
            if isinstance(error.__context__, OSError):
                raise error.__context__ from None
            raise


def load_state(path: Path, device: torch.device) -> dict:
    """Read what `save_state` wrote; tensors and plain values only, nothing in the file is executed.

    Raises:
        ValueError: it is something else, or not whole. OSError: it cannot be read.
    """
    with path.open("rb") as stream:
        try:
            state = torch.load(stream, map_location=device, weights_only=True)
        except (RuntimeError, pickle.UnpicklingError, EOFError, OSError, ValueError, KeyError) as error:
            raise ValueError(f"{path} is no whole checkpoint of linnet train") from error
    if not isinstance(state, dict):
        raise ValueError(f"{path} is no checkpoint of linnet train: found {type(state).__name__}")
    return state
