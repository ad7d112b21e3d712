"""A .lnt clip becomes a media file."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import BinaryIO, TypeAlias

from ...bitstream.clip_reader import ClipReader
from ...bitstream.errors import LinnetError
from ...bitstream.limits import Limits
from ..device import device_name, on_its_devices
from ..files.destination import patient, written
from ..files.opening import Source, opened
from ..orientation import upright_size
from .ahead import ahead
from .clip_decoder import ClipDecoder, Piece
from .containers import CONTAINERS, find_container, suffix_of
from .kind import is_sequence
from .muxing import mux
from .picture_folder import PictureFolder
from .timed_frame import TimedFrame

Progress: TypeAlias = Callable[[int, int], None]


@dataclass(slots=True)
class VideoDecodeResult:
    """What a decode made. damage: what was passed over; lost: frames missing for it, as far as is known."""

    width: int = 0
    height: int = 0
    frames: int = 0
    lost: int = 0
    damage: list[LinnetError] = field(default_factory=list)


@on_its_devices
def decode_video(
    source: Source,
    dest: str | os.PathLike[str] | BinaryIO,
    *,
    format: str | None = None,
    video_codec: str | None = None,
    start: float | None = None,
    end: float | None = None,
    device: str = "auto",
    overwrite: bool = False,
    limits: Limits | None = None,
    allow_partial: bool = False,
    progress: Progress | None = None,
) -> VideoDecodeResult:
    """Decode a clip into a media file; sound and subtitles are muxed back untouched.

    Args:
        source: a path, the file's bytes, or a binary stream (also a pipe, but not with `start`).
        dest: a path (written atomically), a pattern such as frame%04d.png (all pictures or, where it
            fails, none), or a binary stream.
        format: mp4, mkv, mov, webm, y4m and so on; None for the suffix of the path.
        video_codec: h264, hevc, av1, vp9, ffv1 or an encoder of FFmpeg; None for the container's own.
        start, end: seconds; what is shown from start on and before end, moved so that it begins at 0 (the
            frame on the screen at the start included).
        allow_partial: pass over damage: it costs the frames that it hits and those that depend on them, and
            result.damage says so.
        progress: called with (frames done, frames; 0 if unknown).
    Warns:
        MediaWarning: the container does not take the sound or subtitles, or so many bits a sample, or frames
            come faster than its constant rate (y4m, avi).
    Raises:
        FormatError, LimitExceededError: as `decode`; the latter also where y4m or avi, of constant rate,
            would repeat one frame more than 65,536 times. ValueError: format, codec, device or times.
        FileExistsError, OSError.
    """
    if end is not None and end <= (start or 0):
        raise ValueError(f"the end ({end:g} s) must come behind the start ({start or 0:g} s)")
    is_path = isinstance(dest, (str, os.PathLike))
    pattern = os.fspath(dest) if is_path and _is_pattern(os.fspath(dest), format) else None
    container = None if pattern else find_container(format or (suffix_of(dest) if is_path else ""))
    with opened(source) as stream:
        reader = ClipReader(stream, limits)
        clip = ClipDecoder(reader, start, end, allow_partial, device_name(device))
        header = reader.header
        size = upright_size((header.width, header.height), header.orientation)
        result = VideoDecodeResult(*size, damage=clip.damage)
        with closing(ahead(clip.pieces())) as made:
            pieces = _counted(made, clip, result, progress)
            if container is None:
                with PictureFolder(pattern or "", header.orientation, clip.total, overwrite) as pictures:
                    for piece in pieces:
                        if isinstance(piece, TimedFrame):
                            pictures.write(piece.pixels)
            else:
                told = clip.damage.append if allow_partial else None
                with written(dest, overwrite) as target, patient(target) as file:
                    mux(pieces, reader, file, container, video_codec, start is None, told)
        result.lost = clip.lost
    return result


def _is_pattern(dest: str, format: str | None) -> bool:
    """Whether pictures are wanted: "100%done.mp4" has a % too."""
    return format is None and is_sequence(dest) and suffix_of(dest) not in CONTAINERS


def _counted(
    pieces: Iterator[Piece], clip: ClipDecoder, result: VideoDecodeResult, progress: Progress | None
) -> Iterator[Piece]:
    """The pieces, each frame counted once it is written. Raises the damage, or ValueError, if none comes."""
    for piece in pieces:
        yield piece
        if isinstance(piece, TimedFrame):
            result.frames += 1
            if progress is not None:
                progress(result.frames, clip.total)
    if not result.frames:
        if clip.damage:
            raise clip.damage[0]
        last = "" if clip.last_s is None else f"; the last one does at {clip.last_s:g} s"
        raise ValueError(f"no frame begins in the wanted time{last}")
