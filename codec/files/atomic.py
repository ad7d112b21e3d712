"""Files that appear whole or not at all: a temporary file in the same folder, fsync, rename."""

import errno
import io
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _NamedFile(io.FileIO):
    """A file whose write errors name the path that the user knows, not the temporary one."""

    def __init__(self, descriptor: int, shown: Path) -> None:
        super().__init__(descriptor, "wb")
        self._shown = shown

    def write(self, data: "ReadableBuffer", /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            error.filename = os.fspath(self._shown)
            raise


def _exists(path: Path) -> FileExistsError:
    return FileExistsError(errno.EEXIST, "the output exists already", os.fspath(path))


def _mode_of(path: Path) -> int | None:
    """File type and permissions behind links, None where there is nothing."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None


@contextmanager
def atomic_write(path: str | os.PathLike[str], overwrite: bool = False) -> Iterator[BinaryIO]:
    """Open a file for writing that gets its name only when the block ends without an exception.

    A link is followed: its target is replaced. A device or a named pipe is written in place, since there is
    nothing to replace. A new file gets the permissions of the umask, a replaced one keeps those it had.

    Args:
        path: where the file shall be.
        overwrite: replace what is there.
    Yields:
        a buffered binary stream, seekable unless path is a pipe.
    Raises:
        FileExistsError: something is there and overwrite is False (asked before and after the block).
        IsADirectoryError: path is a directory.
        OSError: the disk's fault; filename is path.
    """
    shown = Path(path)
    mode = _mode_of(shown)
    if mode is not None and stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(shown))
    if mode is not None and not stat.S_ISREG(mode):
        with _buffered(os.open(shown, os.O_WRONLY), shown) as stream:
            yield stream
        return
    if not overwrite and os.path.lexists(shown):  # also a link to nowhere
        raise _exists(shown)
    target = Path(os.path.realpath(shown))
    # The name is cut so that it stays within the 255 bytes of a file name. It is known before the file is
    # there, so that no signal can come between making the file and knowing what to remove.
    temporary = target.with_name(f".{target.name[:40]}.{secrets.token_hex(6)}.tmp")
    try:
        descriptor = _create(temporary, shown)
        with _buffered(descriptor, shown) as stream:
            yield stream
            stream.flush()
            os.fsync(descriptor)
        if mode is not None:
            os.chmod(temporary, stat.S_IMODE(mode))
        _publish(temporary, target, shown, overwrite)
    except BaseException:  # KeyboardInterrupt too: no half file stays behind
        with suppress(OSError):
            temporary.unlink()
        raise


@contextmanager
def _buffered(descriptor: int, shown: Path) -> Iterator[BinaryIO]:
    """A buffered stream over a descriptor, closed at the end; what fails in the block is what is raised."""
    raw = _NamedFile(descriptor, shown)
    stream = io.BufferedWriter(raw)
    try:
        yield stream
        stream.flush()
    finally:
        raw.close()  # before the buffer: it would try again to write what could not be written
        with suppress(OSError, ValueError):
            stream.close()


def _create(temporary: Path, shown: Path) -> int:
    """Create a new file, which must not exist, and open it; the kernel applies the umask."""
    flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        return os.open(temporary, flags, 0o666)
    except OSError as error:
        error.filename = os.fspath(shown)
        raise


def _publish(temporary: Path, target: Path, shown: Path, overwrite: bool) -> None:
    """Give the finished file its name, and the folder to the disk."""
    try:
        if overwrite:
            os.replace(temporary, target)
        else:
            _rename_to_new(temporary, target, shown)
        _sync_folder(target.parent)
    except OSError as error:
        error.filename, error.filename2 = os.fspath(shown), None
        raise


def _rename_to_new(temporary: Path, target: Path, shown: Path) -> None:
    """Rename unless the name is taken: a link fails where another process has made the file meanwhile."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise _exists(shown) from None
    except OSError:  # a file system without hard links
        if os.path.lexists(target):
            raise _exists(shown) from None
        os.rename(temporary, target)
    else:
        os.unlink(temporary)


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a power cut, where the system can open folders."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
