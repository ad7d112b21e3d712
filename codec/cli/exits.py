"""Exit codes, and which error means which."""

from enum import IntEnum

from ...bitstream.errors import (
    FormatError,
    LimitExceededError,
    ModelMismatchError,
    NotLinnetError,
    UnsupportedVersionError,
)
from ...models.importing.errors import CheckpointError
from ..errors import TargetError, UnreadableImageError


class ExitCode(IntEnum):
    """What a shell sees; the numbers are part of the interface and never change meaning."""

    OK = 0
    OTHER = 1
    USAGE = 2
    UNREADABLE_INPUT = 3
    UNSUPPORTED = 4  # a newer format, or a model this installation lacks
    CORRUPT = 5
    LIMIT_EXCEEDED = 6
    TARGET_UNREACHABLE = 7
    OUTPUT_EXISTS = 8
    PARTIAL = 9  # some of many inputs failed
    INTERRUPTED = 130


class UsageError(ValueError):
    """Arguments that contradict each other or the state of the disk."""


class UnreadableInputError(ValueError):
    """An input that is missing, empty, a folder or not to be opened."""


_CODES: tuple[
    tuple[type[BaseException], ExitCode], ...
] = (  # the first match counts: children before parents
    (NotLinnetError, ExitCode.UNREADABLE_INPUT),
    (UnsupportedVersionError, ExitCode.UNSUPPORTED),
    (ModelMismatchError, ExitCode.UNSUPPORTED),
    (FormatError, ExitCode.CORRUPT),
    (LimitExceededError, ExitCode.LIMIT_EXCEEDED),
    (UnreadableInputError, ExitCode.UNREADABLE_INPUT),
    (UnreadableImageError, ExitCode.UNREADABLE_INPUT),
    (CheckpointError, ExitCode.UNREADABLE_INPUT),
    (TargetError, ExitCode.TARGET_UNREACHABLE),
    (ValueError, ExitCode.USAGE),
    (FileExistsError, ExitCode.OUTPUT_EXISTS),
    (KeyboardInterrupt, ExitCode.INTERRUPTED),
)


def exit_code(error: BaseException) -> ExitCode:
    """Return the exit code that an error of the API or of the command line stands for."""
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    return ExitCode.OTHER


def combine(codes: list[ExitCode]) -> ExitCode:
    """Return the exit code of a run over several inputs, from the code of each.

    All well: OK. All failed for one reason: that reason. Some failed: PARTIAL. All, but not for one: OTHER.
    """
    if len(set(codes)) <= 1:
        return codes[0] if codes else ExitCode.OK
    return ExitCode.PARTIAL if ExitCode.OK in codes else ExitCode.OTHER


def describe(error: BaseException) -> str:
    """Say an error in one line, for people."""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    if isinstance(error, MemoryError):
        return "out of memory"
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror}"
    text = " ".join(str(error).split())
    if exit_code(error) is ExitCode.OTHER and not isinstance(error, (OSError, ImportError)):
        return f"{type(error).__name__}: {text} (run again with -v for the traceback)"
    return text or type(error).__name__
