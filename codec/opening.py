"""Files to read: by path, as bytes or as a stream."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeAlias

Source: TypeAlias = str | os.PathLike[str] | bytes | BinaryIO


@contextmanager
def opened(source: Source) -> Iterator[bytes | BinaryIO]:
    """A file's bytes as a stream, from the start; what is open already stays so."""
    if isinstance(source, (str, os.PathLike)):
        with Path(source).open("rb") as stream:
            yield stream
    else:
        yield source
