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


@contextmanager
def patient(stream: BinaryIO) -> Iterator[BinaryIO]:
    """A stream over the caller's for libraries that neither ask how much it has taken nor stop at an error.

    Raises:
        the first error of the stream, whatever became of it in the library.
    """
    raw = _WholeWriter(stream)
    try:
        with io.BufferedWriter(raw) as file:
            yield file
    except Exception:
        if raw.failure is None:
            raise
        raise raw.failure from None
    if raw.failure is not None:
        raise raw.failure


class _WholeWriter(io.RawIOBase):
    """Writes all that it is given until the stream fails, and nothing from then on; keeps the failure."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.failure: Exception | None = None

    def writable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """As the stream says."""
        return is_seekable(self._stream)

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write all of it."""
        view = memoryview(data).cast("B")
        with self._failing_once() as failed:
            if not failed:
                write_all(self._stream, view)
        return len(view)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """As the stream does."""
        with self._failing_once() as failed:
            return offset if failed else self._stream.seek(offset, whence)

    def tell(self) -> int:
        """As the stream says."""
        return self._stream.tell()

    def flush(self) -> None:
        """As the stream does."""
        with self._failing_once() as failed:
            if not failed:
                flush(self._stream)

    @contextmanager
    def _failing_once(self) -> Iterator[bool]:
        """Gives whether the stream has failed before."""
        try:
            yield self.failure is not None
        except Exception as error:
            self.failure = error
            raise
