"""Looking at the first bytes of a pipe before they are read."""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO

from ...bitstream.streams import is_seekable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Lookahead(io.RawIOBase):
    """A stream that cannot seek, whose bytes can be looked at before they are read; it stays the caller's.

    Unlike BufferedReader.peek it waits for all the bytes that are asked for: a pipe gives them bit by bit.
    """

    def __init__(self, stream: BinaryIO) -> None:
        # read1 gives what there is; not every stream has it.
        self._read: Callable[[int], bytes | None] = getattr(stream, "read1", stream.read)
        self._ahead = bytearray()
        self.name: object = getattr(stream, "name", "the stream")

    def look(self, count: int, start: int = 0) -> bytes:
        """Up to `count` bytes from `start` on, counted from the next one to read; fewer where it ends."""
        while (missing := start + count - len(self._ahead)) > 0 and (part := self._read(missing)):
            self._ahead += part
        return bytes(self._ahead[start : start + count])

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Read what was looked at, or whatever comes next."""
        view = memoryview(buffer).cast("B")
        part = bytes(self._ahead[: len(view)]) or self._read(len(view)) or b""
        del self._ahead[: len(part)]
        view[: len(part)] = part
        return len(part)


class View(io.RawIOBase):
    """What comes in a stream, as a file that can seek: only what is read from it is waited for and kept."""

    def __init__(self, source: Lookahead) -> None:
        self._source = source
        self._place = 0

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to an offset. Raises OSError for one from the end, which nobody knows."""
        if whence == io.SEEK_END:
            raise io.UnsupportedOperation("the end of a stream is not known")
        self._place = offset + (self._place if whence == io.SEEK_CUR else 0)
        return self._place

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Look at what stands here."""
        view = memoryview(buffer).cast("B")
        part = self._source.look(len(view), self._place)
        view[: len(part)] = part
        self._place += len(part)
        return len(part)


def with_lookahead(stream: BinaryIO) -> BinaryIO:
    """The stream, or one in its place that can be looked ahead in; one that can seek needs nothing."""
    if is_seekable(stream) or isinstance(getattr(stream, "raw", None), Lookahead):
        return stream
    return io.BufferedReader(Lookahead(stream))
