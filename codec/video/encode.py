"""A media file becomes a .lnt clip."""

import os
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Literal

from ...bitstream.clip_streams import Stream
from ...bitstream.limits import Limits
from ...models import codecs, zoo
from ..atomic import atomic_write
from ..device import device_name
from .ahead import ahead
from .coding import clip_header
from .source import MediaSource, SourceFrame
from .writer import ClipEncoder


@dataclass(frozen=True, slots=True)
class VideoEncodeResult:
    """What an encode made.

    path: where it was written, or None. bytes: of the file, sound included. bpp: bits of the file per pixel
    and frame. duration: of the clip, seconds. seconds: wall time without loading the model.
    """

    path: Path | None
    bytes: int
    bpp: float
    frames: int
    duration: float
    seconds: float
    width: int
    height: int
    quality: float
    model: str


def encode_video(
    source: str | os.PathLike[str] | BinaryIO,
    dest: str | os.PathLike[str] | BinaryIO,
    *,
    quality: float | None = None,
    model: str = "fast",
    device: str = "auto",
    metadata: Literal["all", "none"] = "all",
    overwrite: bool = False,
    limits: Limits | None = None,
    allow_partial: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> VideoEncodeResult:
    """Encode a clip, each frame as a key frame; sound and subtitles travel untouched.

    Args:
        source: a path or a binary stream of anything that FFmpeg reads, or a pattern of numbered pictures
            such as frame%04d.png.
        dest: a path (written atomically) or a binary stream, which need not seek.
        quality: 0 (smallest) to 100; None for 50, or the only quality of an imported model.
        model, device: as for `encode`. metadata: "none" strips tags, but for the streams' languages.
        overwrite: replace an existing file. limits: the largest frame to accept.
        allow_partial: keep the frames before the damage of a damaged source, with a warning.
        progress: called with (frames done, frames; 0 if unknown).
    Raises:
        ValueError: quality, model or device; UnreadableMediaError: no clip, damaged, without frames, or with
        frames of several sizes. LimitExceededError. FileExistsError, OSError.
    """
    if metadata not in ("all", "none"):
        raise ValueError(f"metadata must be 'all' or 'none', not {metadata!r}")
    spec = zoo.find(model)
    quality = zoo.quality_for(spec, quality)
    codec = codecs.load(spec, device_name(device))
    if not isinstance(dest, (str, os.PathLike)):
        with MediaSource(source, limits, allow_partial) as media:
            return _encode(media, dest, None, codec, quality, metadata == "all", progress)
    with atomic_write(dest, overwrite) as stream, MediaSource(source, limits, allow_partial) as media:
        return _encode(media, stream, Path(dest), codec, quality, metadata == "all", progress)


def _encode(
    media: MediaSource,
    stream: BinaryIO,
    path: Path | None,
    codec: codecs.StillCodec,
    quality: float,
    tagged: bool,
    progress: Callable[[int, int], None] | None,
) -> VideoEncodeResult:
    started = time.perf_counter()
    size = media.width, media.height
    header = replace(
        clip_header(size, media.colour, media.bit_depth, media.clip, codec, quality),
        orientation=media.orientation,
    )
    streams = media.streams if tagged else tuple(_stripped(each) for each in media.streams)
    encoder = ClipEncoder(stream, header, codec, streams, media.tags if tagged else None)
    first = end = None
    with closing(ahead(media.items())) as items:
        for item in items:
            if not isinstance(item, SourceFrame):
                encoder.write_packet(item.stream, item.packet)
                continue
            encoder.write(item.pixels, item.time, item.duration)
            first, end = item.time if first is None else first, item.time + item.duration
            if progress is not None:
                progress(encoder.frames, media.frames)
    encoder.finish()
    return VideoEncodeResult(
        path=path,
        bytes=encoder.bytes_written,
        bpp=encoder.bytes_written * 8 / (size[0] * size[1] * encoder.frames),
        frames=encoder.frames,
        duration=float(((end or 0) - (first or 0)) * media.clip.tick),
        seconds=time.perf_counter() - started,
        width=size[0],
        height=size[1],
        quality=header.quality,
        model=codec.spec.name,
    )


def _stripped(stream: Stream) -> Stream:
    """A stream without its tags, but for what a player chooses by. The parameters hold none but those."""
    return replace(stream, tags={name: stream.tags[name] for name in ("language",) if name in stream.tags})
