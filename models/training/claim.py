"""The folder of a run belongs to one training at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def claimed(run: Path) -> Iterator[None]:
    """Keep other trainings out of the folder of a run, which is made, until this one ends or dies.

    Raises:
        ValueError: another one is running there; it would write the same checkpoints.
        OSError: the folder cannot be made.
    """
    run.mkdir(parents=True, exist_ok=True)
    folder = os.open(run, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(folder)
        raise ValueError(
            f"{run}: another training is running there: let it end, or name another folder as --run"
        ) from error
    except OSError:
        pass  # a file system without locks
    try:
        yield
    finally:
        os.close(folder)
