"""The standard streams as every run needs them: open, able to say any name, and input to look ahead in."""

import io
import os
import sys
from functools import lru_cache
from typing import BinaryIO, TextIO

from ..files.lookahead import with_lookahead


def open_standard_streams() -> None:
    """Open those that our parent closed, as cron and daemons do, and let no text fail in standard output.

    Else Python has None in their place, for which print() takes standard output, and the first file that is
    opened gets the number of one of them: messages would go into it.
    """
    # Standard output is opened so that writing fails: who asks for data and takes none is told.
    for number, way in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is this one. Programs that we start get it too.
            os.set_inheritable(os.open(os.devnull, way), True)
    sys.stdin = sys.stdin or os.fdopen(0, closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a name need not be text; standard error does this anyway
        sys.stdout.reconfigure(errors="backslashreplace")


def standard_input() -> BinaryIO:
    """Standard input; what was looked at in it is read by whoever comes next."""
    return _with_lookahead(sys.stdin)


@lru_cache(1)
def _with_lookahead(stream: TextIO) -> BinaryIO:
    """Always the same one of a stream."""
    return with_lookahead(stream.buffer)
