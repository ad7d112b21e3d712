"""A .lnt clip becomes a media file."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from math import ceil
from typing import BinaryIO, TypeAlias

from ...bitstream.clip_frames import FrameHead, FrameKind
from ...bitstream.clip_reader import ClipReader, Item, OnDamage, PacketGroup
from ...bitstream.errors import LinnetError
from ...bitstream.limits import Limits
from ..atomic import atomic_write
from ..device import device_name
from ..frame import Samples
from ..opening import Source, opened
from ..orientation import swaps_sides
from .ahead import ahead
from .containers import CONTAINERS, Container, find_container, suffix_of
from .frame_decoder import FrameDecoder, Undrawn
from .kind import is_sequence
from .picture_folder import PictureFolder
from .sink import MediaSink
from .times import meant
from .walking import FrameWalk, absent_between

_READ_AHEAD = 2  # frames whose integers wait for their pixels
_LINGER_S = 1  # how long, behind the last frame, late packets of before are looked for


@dataclass(slots=True)
class VideoDecodeResult:
    """What a decode made. damage: what was passed over; lost: frames missing for it, as far as is known."""

    width: int = 0
    height: int = 0
    frames: int = 0
    lost: int = 0
    damage: list[LinnetError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Read:
    """The integers of a frame. early: only those behind it are shown, which depend on it."""

    integers: Undrawn
    time: int  # ticks, as the duration
    duration: int
    early: bool = False


@dataclass(frozen=True, slots=True)
class _Shown:
    """A decoded frame as stored."""

    pixels: Samples
    time: int
    duration: int


_Piece: TypeAlias = _Shown | PacketGroup
Progress: TypeAlias = Callable[[int, int], None]


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
        job = _Job(ClipReader(stream, limits), start, end, allow_partial, device_name(device), progress)
        with closing(ahead(job.pieces())) as pieces:
            if container is None:
                job.save_pictures(pieces, pattern or "", overwrite)
            elif is_path:
                with atomic_write(dest, overwrite) as target:
                    job.mux(pieces, target, container, video_codec)
            else:
                job.mux(pieces, dest, container, video_codec)
    return job.result


def _is_pattern(dest: str, format: str | None) -> bool:
    """Whether pictures are wanted: "100%done.mp4" has a % too."""
    return format is None and is_sequence(dest) and suffix_of(dest) not in CONTAINERS


class _Job:
    """One decode: integers, pixels and the writing of what comes run in a thread each."""

    def __init__(
        self,
        reader: ClipReader,
        start: float | None,
        end: float | None,
        partial: bool,
        device: str,
        progress: Progress | None,
    ) -> None:
        header = reader.header
        self._reader, self._partial, self._progress = reader, partial, progress
        self._decoder = FrameDecoder.load(header, device)
        tick = reader.clip.tick
        self._start = None if start is None else meant(start, tick)
        self._end = None if end is None else meant(end, tick)
        turned = swaps_sides(header.orientation)
        size = (header.height, header.width) if turned else (header.width, header.height)
        self.result = VideoDecodeResult(*size)
        self._last_s: float | None = None  # when the last frame begins, once all are read
        # Asked now, since the stream belongs to the other thread later; a cut would only tell a part of it.
        whole = start is None and end is None and reader.seekable and reader.is_complete
        self._total = reader.index().frames if whole else 0

    def pieces(self) -> Iterator[_Piece]:
        """Decoded frames, and packets, of the wanted time; integers are decoded ahead of the pixels."""
        with closing(ahead(self._read(), _READ_AHEAD)) as items:
            for item in items:
                if isinstance(item, PacketGroup):
                    yield item
                    continue
                pixels = self._decoder.draw(item.integers)
                if not item.early:
                    yield _Shown(pixels, item.time, item.duration)

    def _read(self) -> Iterator[_Read | PacketGroup]:
        """Integers of the frames, and packets, of the wanted time."""
        result, tick = self.result, self._reader.clip.tick
        told = result.damage.append if self._partial else None
        walk, before = FrameWalk(self._decoder, told), None
        held: _Read | None = None  # begins before the start, and stands until the next one comes
        for item in self._items(told):
            if isinstance(item, PacketGroup):
                if wanted := self._wanted(item):
                    yield wanted
                continue
            seconds = item.head.time * tick
            if held is not None and before is not None:
                follows = item.head.number == before.number + 1  # else what came between is lost
                yield self._cut(held, item.head.time if follows else held.time + held.duration)
                held = None
            result.lost += self._absent(before, item.head)
            before = item.head
            if self._end is not None and seconds >= self._end:
                if seconds >= self._end + _LINGER_S:
                    break
                continue
            integers = walk.read(item)  # also of one that is shown too early: the next ones depend on it
            is_early = self._start is not None and seconds < self._start
            if integers is not None:
                read = _Read(integers, item.head.time, item.head.duration)
                if is_early:
                    held = read
                else:
                    yield self._cut(read, None)
            elif not is_early:
                result.lost += 1
        else:
            self._last_s = None if before is None else float(before.time * tick)
        if held is not None:
            yield self._cut(held, held.time + held.duration)
        if result.damage and self._total:
            result.lost += self._total - (before.number + 1 if before else 0)

    def _cut(self, read: _Read, until: int | None) -> _Read:
        """A frame as it is shown in the wanted time.

        Args:
            until: ticks, for one that begins before the start: when the next one comes.
        """
        tick, time, duration = self._reader.clip.tick, read.time, read.duration
        if until is not None and self._start is not None:
            time = max(time, int(self._start / tick // 1))
            if until <= time:
                return replace(read, early=True)
            duration = duration and until - time
        if self._end is not None and duration:
            duration = min(duration, max(1, ceil(self._end / tick) - time))
        return replace(read, time=time, duration=duration)

    def _items(self, told: OnDamage | None) -> Iterator[Item]:
        """All items, or those from the last key frame before the start on."""
        if self._start is None:
            return self._reader.items(told)
        return self._reader.items_from(time=int(self._start / self._reader.clip.tick // 1), on_damage=told)

    def _absent(self, before: FrameHead | None, head: FrameHead) -> int:
        """How many frames of the wanted time are absent between two, or in front of the first one."""
        tick = self._reader.clip.tick
        start, end = (None if each is None else each / tick for each in (self._start, self._end))
        if before is not None:
            return absent_between(before, head, start, end)
        if start is None:
            return head.number
        index = self._reader.index()
        entry = index.at_time(int(start // 1))
        key = FrameHead(
            FrameKind.KEY, index.numbers[entry], index.times[entry], 0
        )  # with which it should begin
        if head.number <= key.number:
            return 0
        return absent_between(key, head, start, end) + (key.time >= start)

    def _wanted(self, group: PacketGroup) -> PacketGroup | None:
        """The packets of a group that begin in the wanted time."""
        tick = self._reader.streams[group.stream].tick
        kept = []
        for packet in group.packets:
            ticks = packet.time if packet.time is not None else packet.decode_time
            seconds = None if ticks is None else ticks * tick
            early = self._start is not None and (seconds is None or seconds < self._start)
            if not early and (self._end is None or (seconds is not None and seconds < self._end)):
                kept.append(packet)
        return replace(group, packets=kept) if kept else None

    def _begin(self, groups: list[PacketGroup], time: int) -> int:
        """When the first of some packets begins, or a time that is earlier, in ticks of the clip."""
        tick, streams = self._reader.clip.tick, self._reader.streams
        packets = ((packet.time, streams[group.stream].tick) for group in groups for packet in group.packets)
        return min([time, *(int(at * unit / tick // 1) for at, unit in packets if at is not None)])

    def _count(self, shown: int) -> None:
        self.result.frames = shown
        if self._progress is not None:
            self._progress(shown, self._total)

    def _check_any(self) -> None:
        """Raises the damage, or ValueError, if no frame has come."""
        if not self.result.frames:
            if self.result.damage:
                raise self.result.damage[0]
            last = "" if self._last_s is None else f"; the last one does at {self._last_s:g} s"
            raise ValueError(f"no frame begins in the wanted time{last}")

    def mux(
        self, pieces: Iterator[_Piece], stream: BinaryIO, container: Container, codec: str | None
    ) -> None:
        """Write what comes into a media file."""
        reader = self._reader
        sink = MediaSink(stream, container, codec, reader.header, reader.streams, reader.tags)
        # Ticks, to begin at 0: of a part of a clip, and of frames that have no times where packets do.
        shift: int | None = 0 if self._start is None and container.timed else None
        held: list[PacketGroup] = []  # until the first frame tells by how much they move
        shown = 0
        for piece in pieces:
            if isinstance(piece, _Shown):
                if shift is None:
                    late = not container.timed and container.streams
                    shift = -(self._begin(held, piece.time) if late else piece.time)
                while held:
                    sink.write_packets(held.pop(0), shift * reader.clip.tick)
                sink.write(piece.pixels, piece.time + shift, piece.duration)
                shown += 1
                self._count(shown)
            elif shift is None:
                held.append(piece)
            else:
                sink.write_packets(piece, shift * reader.clip.tick)
        self._check_any()
        sink.finish()

    def save_pictures(self, pieces: Iterator[_Piece], pattern: str, overwrite: bool) -> None:
        """Write what comes as numbered pictures, from 1 on, upright."""
        orientation = self._reader.header.orientation
        with PictureFolder(pattern, orientation, self._total, overwrite) as pictures:
            for piece in pieces:
                if isinstance(piece, _Shown):
                    pictures.write(piece.pixels)
                    self._count(self.result.frames + 1)
            self._check_any()
