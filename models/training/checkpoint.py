"""A training run's state on disk: everything that a resumed run needs, written whole or not at all."""

import os
from pathlib import Path

import torch


def save_state(state: dict[str, object], path: Path) -> None:
    """Write beside the target, sync and rename: a full disk or a kill leaves the last good state."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as stream:
            torch.save(state, stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def load_state(path: Path, device: torch.device) -> dict:
    """Read what `save_state` wrote; tensors and plain values only, nothing in the file is executed."""
    return torch.load(path, map_location=device, weights_only=True)
