"""Files of a program that it alone writes: there whole or not at all, always replaced."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def check_writable(folder: Path) -> None:
    """Make a folder and try to write there, before hours of work find out. Raises OSError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        error.filename = os.fspath(folder)
        raise


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Write beside the target, sync and rename: a full disk or a kill leaves what was there.

    Yields:
        a binary stream.
    Raises:
        OSError: the disk's fault; filename is path, not that of the unfinished file.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(part, path)
    except OSError as error:
        error.filename = os.fspath(path)
        if error.filename2 is not None:  # of the renaming
            del error.filename2
        raise
    finally:
        part.unlink(missing_ok=True)
