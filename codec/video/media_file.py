"""A media file as FFmpeg opens it: whose fault an error is, and which of its streams are taken."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Stream as AvStream
from av.video.stream import VideoStream

from ...bitstream.clip_streams import Stream
from ..errors import UnreadableMediaError
from .kind import is_sequence
from .passengers import describe

_SEQUENCE_RATE = "25"  # frames per second of numbered pictures, as FFmpeg has it


@contextmanager
def blaming(name: str) -> Iterator[None]:
    """Say FFmpeg's errors in our words; the disk's stay what they are."""
    try:
        yield
    except FFmpegError as error:
        if isinstance(error, FileNotFoundError) and is_sequence(name):
            raise UnreadableMediaError(
                f"{name}: no picture has this name with a number from 0 to 4, of which one must be the first"
            ) from error
        if isinstance(error, (FileNotFoundError, PermissionError, IsADirectoryError)):
            raise OSError(error.errno, error.strerror, name) from error
        raise UnreadableMediaError(f"{name} cannot be read as a clip: {error.strerror}") from error


def open_media(source: str | BinaryIO) -> InputContainer:
    """Open a path, a pattern of numbered pictures, or a stream. Raises FFmpegError."""
    if isinstance(source, str) and is_sequence(source):
        options = {"framerate": _SEQUENCE_RATE}
        folder, name = os.path.split(source)
        pattern = os.path.join(folder.replace("%", "%%"), name)
        file = av.open(pattern, "r", format="image2", options=options)
    elif isinstance(source, str):
        # The prefix keeps a name with a colon in it from being taken for a protocol.
        file = av.open(f"file:{source}", "r")
    else:
        file = av.open(source, "r")
    assert isinstance(file, InputContainer)
    return file


def chosen_streams(file: InputContainer, name: str) -> tuple[VideoStream, list[tuple[AvStream, Stream]]]:
    """The video of a file, and the streams that travel along. Raises UnreadableMediaError without a video."""
    videos = [each for each in file.streams.video if not int(each.disposition) & 0x400]  # cover art
    if not videos:
        raise UnreadableMediaError(f"{name} has no video in it")
    others = [*file.streams.audio, *file.streams.subtitles]
    return videos[0], [(stream, found) for stream in others if (found := describe(stream)) is not None]
