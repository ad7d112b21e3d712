"""The clips of a benchmark: checked to their end, hashed, cut to length and freed of sound."""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import av
from av.container import OutputContainer
from av.video.frame import PictureType
from av.video.stream import VideoStream

from ...bitstream.clip import Siting
from ..files.atomic import atomic_write
from ..video.colours import range_out
from ..video.source import MediaSource
from ..video.timed_frame import TimedFrame
from .footage import DEFAULT_RATE, FORMAT, check_samples, decoded_frames
from .items import Item

_PLACES = {Siting.LEFT: 0, Siting.CENTER: 1, Siting.TOP_LEFT: 2}  # as x264 numbers them


@dataclass(frozen=True, slots=True)
class _Checked:
    """What a clip is found to be. is_bare: nothing but the frames to measure, as they are stored."""

    width: int
    height: int
    frames: int
    seconds: float
    is_bare: bool
    is_whole: bool


def open_clips(
    files: list[tuple[str, Path]], folder: Path, limit: int | None
) -> Iterator[tuple[str, Item | Exception]]:
    """Read every file once: a clip, or why it is none.

    Sound, turns and what lies behind the limit would count for some codecs only. Of a clip that has them, the
    frames as stored are kept without loss in a file of the folder, and that is what all codecs get.

    Args:
        limit: at most so many frames of each clip; None for all.
    """
    for name, path in files:
        try:
            yield name, _open(name, path, folder, limit)
        except (ValueError, OSError, MemoryError) as error:
            yield name, error


def _open(name: str, path: Path, folder: Path, limit: int | None) -> Item:
    found = _check(path, limit)
    digest = hashlib.sha256(path.read_bytes())
    if not found.is_whole:
        digest.update(b"first %d frames" % found.frames)
    kept = path
    if not (found.is_bare and found.is_whole):
        kept = folder / f"{digest.hexdigest()}.mp4"
        if not kept.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            _keep(path, kept, found.frames)
    place = (found.width, found.height, found.frames, found.seconds)
    return Item(name, kept, digest.hexdigest(), *place)


def _check(path: Path, limit: int | None) -> _Checked:
    """Decode all that is wanted, so that damage shows before hours of work."""
    with MediaSource(path) as source:
        check_samples(source)
        frames = (item for item in source.items() if isinstance(item, TimedFrame))
        first = last = next(frames)
        count, is_whole = 1, True
        for frame in frames:
            if count == limit:
                is_whole = False
                break
            last, count = frame, count + 1
        tick, rate = source.clip.tick, source.clip.rate or DEFAULT_RATE
        seconds = (last.time - first.time) * tick + (last.duration * tick or 1 / rate)
        is_bare = not source.streams and source.orientation == 1
        return _Checked(source.width, source.height, count, float(seconds), is_bare, is_whole)


def _keep(source: Path, dest: Path, count: int) -> None:
    """Write the first frames as lossless H.264, which states times and colours as the source does.

    Raises:
        ValueError: a side is odd.
    """
    with MediaSource(source) as media:
        clip, size = media.clip, (media.width, media.height)
    if size[0] % 2 or size[1] % 2:
        raise ValueError(f"{source.name}: a clip with an odd side ({size[0]}x{size[1]}) cannot be cut")
    with atomic_write(dest, overwrite=True) as stream, av.open(stream, "w", format="mp4") as file:
        assert isinstance(file, OutputContainer)
        place = {"x264-params": f"chromaloc={_PLACES[clip.siting]}"} if clip.siting in _PLACES else {}
        video = file.add_stream(
            "libx264", rate=clip.rate or DEFAULT_RATE, options={"qp": "0", "preset": "ultrafast", **place}
        )
        assert isinstance(video, VideoStream)
        video.width, video.height, video.pix_fmt = *size, FORMAT
        video.time_base = video.codec_context.time_base = clip.tick
        context = video.codec_context
        context.color_primaries, context.color_trc = clip.primaries, clip.transfer
        context.colorspace, context.color_range = clip.matrix, range_out(clip)
        with closing(decoded_frames(source)) as frames:
            for number, frame in enumerate(islice(frames, count)):
                frame.pict_type = PictureType.NONE
                if frame.pts is None:
                    frame.pts = round(number / (clip.rate or DEFAULT_RATE) / clip.tick)
                frame.time_base = clip.tick
                file.mux(video.encode(frame))
        file.mux(video.encode(None))
