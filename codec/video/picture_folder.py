"""Media out: the frames of a clip as numbered pictures."""

import errno
import os
from pathlib import Path
from types import TracebackType

from ..frame import Frame, Samples
from ..image.saving import find_format, save_image
from .containers import suffix_of
from .numbered import numbers_of


class PictureFolder:
    """Frames as pictures, numbered from 1 on: all of them or, after an exception, none that was made here.

    A context manager.
    Args:
        pattern: of their names. orientation: of the frames; pictures are upright. expected: how many there
            will be, 0 if unknown.
    Raises:
        FileExistsError: there is a picture of such a name, and `overwrite` is False.
        ValueError: pictures cannot be written as that.
    """

    def __init__(self, pattern: str, orientation: int, expected: int, overwrite: bool) -> None:
        find_format(suffix_of(pattern))
        self._folder, self._name = os.path.split(pattern)  # folders may have a % of their own
        self._orientation, self._overwrite = orientation, overwrite
        self._made: list[Path] = []
        taken = [] if overwrite else [each for each in numbers_of(pattern) if 1 <= each <= expected]
        if taken:
            path = os.fspath(self._path(taken[0]))
            raise FileExistsError(errno.EEXIST, "the output exists already", path)

    def __enter__(self) -> "PictureFolder":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for path in self._made if kind is not None else ():
            path.unlink(missing_ok=True)

    def write(self, pixels: Samples) -> None:
        """Write the next frame [H, W, 1 or 3], as stored. Raises FileExistsError, OSError."""
        path = self._path(len(self._made) + 1)
        save_image(Frame(pixels, orientation=self._orientation), path, overwrite=self._overwrite)
        self._made.append(path)

    def _path(self, number: int) -> Path:
        return Path(self._folder, self._name % number)
