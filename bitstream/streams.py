"""Streams of callers, which need not be files of Python's own: what is asked of them, and how."""

import io
from typing import BinaryIO


def is_seekable(stream: BinaryIO) -> bool:
    """Whether a stream says that it can seek; one that says nothing cannot."""
    asked = getattr(stream, "seekable", None)
    return asked is not None and bool(asked())


def write_all(stream: BinaryIO, data: bytes | memoryview) -> None:
    """Write all of it: an unbuffered pipe may take less than it is given.

    A stream that does not count what it takes has taken all; one of `io.RawIOBase` has taken nothing then.

    Raises:
        BlockingIOError: it takes nothing more.
    """
    view = memoryview(data)
    while view:
        taken = stream.write(view)
        if taken is None and not isinstance(stream, io.RawIOBase):
            return
        if not taken:
            raise BlockingIOError("the output takes no more bytes; Linnet needs a blocking stream")
        view = view[taken:]


def flush(stream: BinaryIO) -> None:
    """Flush a stream that can be."""
    asked = getattr(stream, "flush", None)
    if asked is not None:
        asked()
