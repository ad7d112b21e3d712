"""A training run's state on disk: everything that a resumed run needs, written whole or not at all."""

from pathlib import Path

import torch

from ..whole_file import whole_file


def save_state(state: dict[str, object], path: Path) -> None:
    """Write a state whole: a full disk or a kill leaves the last good one."""
    with whole_file(path) as stream:
        torch.save(state, stream)


def load_state(path: Path, device: torch.device) -> dict:
    """Read what `save_state` wrote; tensors and plain values only, nothing in the file is executed."""
    return torch.load(path, map_location=device, weights_only=True)
