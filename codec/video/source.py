"""Media in: any clip that FFmpeg reads, as pixels with exact times and packets as they are."""

import os
import warnings
from collections.abc import Iterator
from typing import BinaryIO

from ...bitstream.clip import Sampling
from ...bitstream.clip_streams import Stream
from ...bitstream.header import Colour
from ...bitstream.limits import Limits
from ..errors import MediaWarning, UnreadableMediaError
from .demuxer import Demuxer
from .description import describe_clip
from .kind import is_sequence
from .media_file import blaming, chosen_streams, open_media
from .numbered import check_unbroken
from .pixels import ToRgb
from .timing import FrameTiming, Item
from .turning import orientation_of

_OF_THE_FILE = {"major_brand", "minor_version", "compatible_brands", "encoder"}  # not of what is in it


class MediaSource:
    """An opened clip; a context manager.

    Attributes:
        clip: times, shape and samples. width, height: of the frames as stored, pixels.
        orientation: EXIF meaning. colour, bit_depth: of the pixels that come. streams: those that travel
        along. tags: of the whole file. frames: how many there will be, length_s: for how long, both 0 if the
        file does not say.

    Raises (constructor):
        UnreadableMediaError: no clip, damaged, or without a frame. LimitExceededError: frames larger than
        the limits. OSError.
    """

    def __init__(
        self, source: str | os.PathLike[str] | BinaryIO, limits: Limits | None = None, partial: bool = False
    ) -> None:
        self._limits = limits or Limits()
        self._partial = partial
        is_path = isinstance(source, (str, os.PathLike))
        self.name = os.fspath(source) if is_path else getattr(source, "name", "the stream")
        if is_path and is_sequence(os.fspath(source)):
            self._check_numbers(os.fspath(source))
        with blaming(str(self.name)):
            self._file = open_media(os.fspath(source) if is_path else source)
        try:
            self._begin()
        except BaseException:
            self._file.close()
            raise

    def _check_numbers(self, pattern: str) -> None:
        try:
            check_unbroken(pattern)
        except UnreadableMediaError as error:
            if not self._partial:
                raise
            warnings.warn(f"{error}; those before are used", MediaWarning, stacklevel=3)

    def _begin(self) -> None:
        """Read up to the first frame, which says what the clip is like."""
        file, name = self._file, str(self.name)
        video, kept = chosen_streams(file, name)
        video.thread_type = "AUTO"
        self._limits.check_size(video.width, video.height)
        self.streams: tuple[Stream, ...] = tuple(found for _, found in kept)
        tags = file.metadata.items()
        self.tags = {name: value for name, value in tags if name.lower() not in _OF_THE_FILE}
        self._demuxer = Demuxer(file, name, video, [stream for stream, _ in kept], self._partial)
        first = self._demuxer.first_frame()
        self.width, self.height = first.width, first.height
        self._limits.check_size(self.width, self.height)
        self.clip = describe_clip(video, first, name)
        self.colour = Colour.GREY if self.clip.sampling is Sampling.GREY else Colour.RGB
        self.bit_depth = 8 if self.clip.depth <= 8 else 16
        matrix = first.side_data.get("DISPLAYMATRIX")
        self.orientation = orientation_of(None if matrix is None else bytes(matrix))
        self.frames = video.frames
        own_s = float((video.duration or 0) * self.clip.tick)
        self.length_s = own_s or (file.duration or 0) / 1_000_000
        to_rgb = ToRgb(self.colour, self.bit_depth)
        self._timing = FrameTiming(self.clip, (self.width, self.height), to_rgb, name)

    def __enter__(self) -> "MediaSource":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, unless a thread that was left behind still reads in it."""
        if not self._demuxer.is_running:
            self._file.close()

    def items(self) -> Iterator[Item]:
        """Give all frames, in the order in which they are shown, and all packets between them; once.

        Warns:
            MediaWarning: times that do not rise, or damage that `partial` passes over.
        Raises:
            UnreadableMediaError: damaged, or a frame of another size.
        """
        return self._timing.items(self._demuxer.items())
