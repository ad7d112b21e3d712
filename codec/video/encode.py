"""A media file becomes a .lnt clip."""

import os
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Literal

from ...bitstream.clip_streams import Stream
from ...bitstream.limits import Limits
from ...models import codecs, zoo
from ..device import device_name, on_its_devices
from ..files.destination import written
from .ahead import ahead
from .clip_encoder import ClipEncoder
from .header import clip_header
from .plan import Plan, plan_for
from .rate import RateControl
from .sizing import meet_size
from .source import MediaSource
from .survey import survey
from .timed_frame import TimedFrame


@dataclass(frozen=True, slots=True)
class _Wish:
    """How a clip is to be encoded. tagged: whether tags are kept."""

    codec: codecs.StillCodec
    quality: float
    tagged: bool
    limits: Limits | None
    partial: bool
    progress: Callable[[int, int], None] | None


@dataclass(frozen=True, slots=True)
class VideoEncodeResult:
    """What an encode made.

    path: where it was written, or None. bytes: of the file, sound included. bpp: bits of the file per pixel
    and frame. duration: of the clip, seconds. seconds: wall time without loading the model.
    quality: nominal, with a target the mean over the frames. bitrate: bits per second of the frames alone.
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
    bitrate: float


@on_its_devices
def encode_video(
    source: str | os.PathLike[str] | BinaryIO,
    dest: str | os.PathLike[str] | BinaryIO,
    *,
    quality: float | None = None,
    target_bitrate: float | None = None,
    target_size: int | None = None,
    gop: int | None = None,
    inter_model: str | None = None,
    model: str = "fast",
    device: str = "auto",
    metadata: Literal["all", "none"] = "all",
    overwrite: bool = False,
    limits: Limits | None = None,
    allow_partial: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> VideoEncodeResult:
    """Encode a clip; sound and subtitles travel untouched.

    Args:
        source: a path or a binary stream of anything that FFmpeg reads, or a pattern of numbered pictures
            such as frame%04d.png.
        dest: a path (written atomically) or a binary stream, which need not seek.
        quality: 0 (smallest) to 100, nominal: each frame states its own, which is better for key frames and
            goes up and down behind them (see qualities.Pattern), within 0 to 100; None for 50, or the only
            quality of an imported model.
        target_bitrate: bits per second of the frames on average, sound not counted, instead of a quality; met
            within 5 % on clips of 5 s or more, in one pass.
        target_size: the largest file in bytes, sound included, instead of a quality. The source is read
            beforehand without decoding it, and encoded again (seldom) if the file became too large.
        gop: frames from one key frame to the next, 1 for key frames only; None for the default.
        inter_model: for the frames between key frames; None for the newest that ships.
        model, device: as for `encode`. metadata: "none" strips tags, but for the streams' languages.
        overwrite: replace an existing file. limits: the largest frame to accept.
        allow_partial: keep the frames before the damage of a damaged source, with a warning.
        progress: called with (frames done, frames; 0 if unknown).
    Raises:
        ValueError: quality, targets, gop, models or device; UnreadableMediaError: no clip, damaged, without
        frames, or with frames of several sizes. TargetError: quality 0 takes too many bits; no file is made,
        but a stream has been written to where the target is a bitrate. LimitExceededError. FileExistsError,
        OSError.
    """
    if metadata not in ("all", "none"):
        raise ValueError(f"metadata must be 'all' or 'none', not {metadata!r}")
    spec = zoo.find(model)
    plan = plan_for(gop, target_bitrate, target_size, quality, spec.quality, inter_model)
    is_path = isinstance(source, (str, os.PathLike))
    if target_size is not None and not is_path:
        raise ValueError("target_size needs a file as the source: a stream cannot be read twice")
    quality = zoo.quality_for(spec, quality)
    codec = codecs.load(spec, device_name(device))
    wish = _Wish(codec, quality, metadata == "all", limits, allow_partial, progress)
    with ExitStack() as stack:
        to_path = isinstance(dest, (str, os.PathLike))
        stream = stack.enter_context(written(dest, overwrite))

        def attempt(stream: BinaryIO, plan: Plan) -> tuple[VideoEncodeResult, RateControl | None]:
            return _encode(source, stream, wish, plan)

        if target_size is not None and is_path:
            result = meet_size(target_size, plan, survey(source), attempt, stream)
        else:
            result, control = attempt(stream, plan)
            if control is not None:
                control.check()
        return replace(result, path=Path(dest) if to_path else None)


def _encode(
    source: str | os.PathLike[str] | BinaryIO, stream: BinaryIO, wish: _Wish, plan: Plan
) -> tuple[VideoEncodeResult, RateControl | None]:
    """Encode once; the rate control says whether that met its target."""
    with MediaSource(source, wish.limits, wish.partial) as media:
        started = time.perf_counter()
        encoder = _begin(media, stream, wish, plan)
        length_s = _feed(encoder, media, wish.progress)
        frame_bits, control = encoder.frame_bits, encoder.control
        result = VideoEncodeResult(
            path=None,
            bytes=encoder.bytes_written,
            bpp=encoder.bytes_written * 8 / (media.width * media.height * encoder.frames),
            frames=encoder.frames,
            duration=length_s,
            seconds=time.perf_counter() - started,
            width=media.width,
            height=media.height,
            quality=wish.quality if control is None else round(control.mean_quality, 2),
            model=wish.codec.spec.name,
            bitrate=frame_bits / length_s if length_s else 0.0,
        )
    return result, control


def _begin(media: MediaSource, stream: BinaryIO, wish: _Wish, plan: Plan) -> ClipEncoder:
    """An encoder that has written what stands before the first frame."""
    size = media.width, media.height
    header = replace(
        clip_header(size, media.colour, media.bit_depth, media.clip, wish.codec, wish.quality),
        orientation=media.orientation,
    )
    streams = media.streams if wish.tagged else tuple(_stripped(each) for each in media.streams)
    tags = media.tags if wish.tagged else None
    length_s = plan.length_s or media.length_s
    frames = media.frames or round(length_s * media.clip.rate)
    plan = replace(plan, length_s=length_s, frames=frames)
    return ClipEncoder(stream, header, wish.codec, streams, tags, plan)


def _feed(encoder: ClipEncoder, media: MediaSource, progress: Callable[[int, int], None] | None) -> float:
    """Encode all that comes, to the end; returns the length of the clip, seconds."""
    first = end = None
    with closing(ahead(media.items())) as items:
        for item in items:
            if not isinstance(item, TimedFrame):
                encoder.write_packet(item.stream, item.packet)
                continue
            encoder.write(item.pixels, item.time, item.duration)
            first, end = item.time if first is None else first, item.time + item.duration
            if progress is not None:
                progress(encoder.frames, media.frames)
    encoder.finish()
    return float(((end or 0) - (first or 0)) * media.clip.tick)


def _stripped(stream: Stream) -> Stream:
    """A stream without its tags, but for what a player chooses by. The parameters hold none but those."""
    return replace(stream, tags={name: stream.tags[name] for name in ("language",) if name in stream.tags})
