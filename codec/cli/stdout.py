"""Standard output, where nothing but data goes, and what happens when it takes no more."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from .exits import ExitCode, UsageError


class OutputLostError(OSError):
    """Standard output takes nothing more: its disk is full, or its reader has gone."""

    @property
    def expected(self) -> bool:
        """Whether the reader just had enough, as `head` does: no reason to complain."""
        return self.errno == errno.EPIPE


@contextmanager
def standard_output() -> Iterator[None]:
    """Print or write inside; all is flushed at the end.

    Raises:
        OutputLostError: that failed. OSError: what failed inside is a file, which it names.
    """
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        if error.filename is not None:
            raise
        raise OutputLostError(error.errno, error.strerror, "standard output") from error


def check_takes_binary() -> None:
    """Refuse to print a picture on a terminal.

    Raises:
        UsageError: standard output is a terminal.
    """
    if sys.stdout.isatty():
        raise UsageError("standard output is a terminal: give -o a file, or pipe the data on")


def close_standard_output(code: str | int | None) -> str | int | None:
    """Flush for the last time; what cannot be written is dropped, so that Python does not complain again.

    Returns:
        the exit code: `code`, or OTHER if it was 0 and data is lost.
    """
    try:
        with standard_output():
            return code
    except OutputLostError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return code or ExitCode.OTHER
