"""Files to read: by path, as bytes or as a stream."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeAlias

Source: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO


@contextmanager
def opened(source: Source) -> Iterator[bytes | BinaryIO]:
    """A file's bytes, or a stream of them from the start; what is open already stays so.

    Raises:
        ValueError: nothing that holds a file.
    """
    if isinstance(source, (str, os.PathLike)):
        with Path(source).open("rb") as stream:
            yield stream
    elif isinstance(source, (bytearray, memoryview)):
        yield bytes(source)
    else:
        check_stream(source)
        yield source


def check_stream(source: object) -> None:
    """Raises ValueError: no binary stream, or anything else that holds a file."""
    if isinstance(source, io.TextIOBase):
        raise ValueError("expected a binary stream, not one of text: open it with 'rb'")
    if not isinstance(source, bytes) and not callable(getattr(source, "read", None)):
        raise ValueError(f"expected a path, bytes or a binary stream, not {type(source).__name__}")
