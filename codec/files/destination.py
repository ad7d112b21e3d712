"""Where files go: a path, which gets the whole file or nothing, or a stream of the caller."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from ...bitstream.streams import flush, is_seekable, write_all
from .atomic import atomic_write

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


@contextmanager
def written(dest: str | os.PathLike[str] | BinaryIO, overwrite: bool = False) -> Iterator[BinaryIO]:
    """A stream to write to: a file that gets its name when the block ends well, or the caller's.

    Raises:
        ValueError: no path, and nothing that takes bytes. FileExistsError, OSError: as `atomic_write`.
    """
    if isinstance(dest, (str, os.PathLike)):
        with atomic_write(dest, overwrite) as stream:
            yield stream
    else:
        check_target(dest)
        yield dest


def check_target(dest: object) -> None:
    """Raises ValueError: no binary stream to write to."""
    if isinstance(dest, io.TextIOBase):
        raise ValueError("expected a binary stream to write to, not one of text: open it with 'wb'")
    if not callable(getattr(dest, "write", None)):
        raise ValueError(f"expected a path or a binary stream to write to, not {type(dest).__name__}")


class WholeWriter(io.RawIOBase):
    """A stream of the caller for those that do not ask how much it has taken."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def writable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """As the stream says."""
        return is_seekable(self._stream)

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write all of it."""
        view = memoryview(data).cast("B")
        write_all(self._stream, view)
        return len(view)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """As the stream does."""
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        """As the stream says."""
        return self._stream.tell()

    def flush(self) -> None:
        """As the stream does."""
        flush(self._stream)
