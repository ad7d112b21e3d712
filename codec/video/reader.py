"""VideoReader: the frames of a .lnt clip, one after the other, by number or by time."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from math import floor
from operator import index as whole
from threading import RLock
from types import TracebackType
from typing import overload

from ...bitstream.clip_frames import CodedFrame
from ...bitstream.clip_reader import ClipReader
from ...bitstream.clip_walk import Item
from ...bitstream.errors import CorruptFileError, LinnetError
from ...bitstream.limits import Limits
from ..device import cpu_by_default, device_name, on_its_devices
from ..files.opening import Source, opened
from ..frame import Samples
from ..orientation import turn_upright, upright_size
from .frame_decoder import FrameDecoder
from .times import meant_ticks
from .video_frame import VideoFrame
from .walking import FrameCursor, FrameWalk


class VideoReader:
    """Reads a clip; a context manager, an iterable, and for files that can seek a sequence too.

        with linnet.VideoReader("v.lnt") as video:
            video[10].pixels, video[-1].time, video[0:100:10]
            for frame in video.seek(2.0): ...

    Several threads may use one reader: each frame is read and decoded by one of them at a time. An iterator
    is for one thread.

    Attributes:
        width, height: of the upright frames, pixels. rate: frames per second, nominal; 0 if it varies.
        tick: unit of times, seconds. tags: title and so on.

    Args:
        source: a path, the file's bytes, or a binary stream.
        device: auto, cpu or cuda:N.
        limits: what to refuse before anything is allocated.
        on_damage: told of each damage, which then costs as few frames as possible; None to raise it.
    Raises:
        FormatError: no Linnet file, damaged, or of a newer version. ValueError: a still image. OSError.
    """

    @on_its_devices
    def __init__(
        self,
        source: Source,
        *,
        device: str = "auto",
        limits: Limits | None = None,
        on_damage: Callable[[LinnetError], None] | None = None,
    ) -> None:
        name = device_name(device)
        self._stack = ExitStack()
        self._lock = RLock()  # of the source's position and of the cursor
        try:
            self._reader = ClipReader(self._stack.enter_context(opened(source)), limits)
            header = self._reader.header
            self._decoder = FrameDecoder.load(header, name)
        except BaseException:
            self.close()
            raise
        self._on_damage = on_damage
        self._cursor = FrameCursor(self._reader, self._decoder, on_damage)
        self.width, self.height = upright_size((header.width, header.height), header.orientation)
        self.rate, self.tick = self._reader.clip.rate, self._reader.clip.tick
        self.tags = dict(self._reader.tags)

    def __enter__(self) -> "VideoReader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, if this has opened it."""
        self._stack.close()

    @property
    def reader(self) -> ClipReader:
        """The container, with streams and packets."""
        return self._reader

    @property
    def duration(self) -> float:
        """Seconds from the beginning of the first frame to the end of the last one."""
        with self._lock:
            index = self._reader.index()
        return float((index.end - index.times[0]) * self.tick)

    def __len__(self) -> int:
        """Frames. Raises TypeError, which list() passes over, if the source cannot seek."""
        if not self._reader.seekable:
            raise TypeError("a clip whose source cannot seek has no length before its end")
        with self._lock:
            return self._reader.index().frames

    def __iter__(self) -> Iterator[VideoFrame]:
        return self._in_turn(self._decoded(self._reader.items(self._on_damage)))

    @overload
    def __getitem__(self, place: int) -> VideoFrame: ...
    @overload
    def __getitem__(self, place: slice) -> Iterator[VideoFrame]: ...
    def __getitem__(self, place: int | slice) -> VideoFrame | Iterator[VideoFrame]:
        """A frame by number, or an iterator of those that a slice names; negative numbers count from the end.

        What a frame depends on is decoded first, from the key frame before it, or from the frame that was
        asked for last if that is nearer: going forwards costs each frame once. A slice leaves out lost frames
        where on_damage is told of them.
        Raises:
            TypeError: no whole number. IndexError: no such frame. CorruptFileError: it is lost.
            ValueError: a step below 1.
        """
        count = len(self)
        if isinstance(place, slice):
            wanted = range(*place.indices(count))
            if wanted.step < 1:
                raise ValueError(
                    f"a slice of a clip goes forwards: its step must be at least 1, not {place.step}"
                )
            return self._in_turn(self._chosen(wanted))
        number = whole(place) + count if place < 0 else whole(place)
        if not 0 <= number < count:
            raise IndexError(f"frame {place} of a clip of {count}")
        with self._lock, cpu_by_default():
            return self._upright(*self._cursor.frame(number))

    def seek(self, time: float) -> Iterator[VideoFrame]:
        """The frames from the one on that is shown at a time in seconds."""
        ticks = floor(meant_ticks(time, self.tick))
        with self._lock:
            items = self._reader.items_from(time=ticks, on_damage=self._on_damage)
        return self._in_turn(self._shown_from(ticks, items))

    def _in_turn(self, frames: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
        """The same frames, each made while no other thread makes one."""
        while True:
            with self._lock, cpu_by_default():
                frame = next(frames, None)
            if frame is None:
                return
            yield frame

    def _shown_from(self, ticks: int, items: Iterator[Item]) -> Iterator[VideoFrame]:
        """The frames from the one on that is shown at a time; those before it are only decoded."""
        walk = FrameWalk(self._decoder.fresh(), self._on_damage)
        held: VideoFrame | None = None  # the last one that begins up to that time, unless it is lost
        for item in items:
            if not isinstance(item, CodedFrame):
                continue
            pixels = walk.decode(item)
            shown = None if pixels is None else self._upright(item, pixels)
            if item.head.time <= ticks:
                held = shown
                continue
            if held is not None:
                yield held
            held = None
            if shown is not None:
                yield shown
        if held is not None:
            yield held

    def _chosen(self, wanted: range) -> Iterator[VideoFrame]:
        """The frames of these numbers."""
        cursor = FrameCursor(self._reader, self._decoder.fresh(), self._on_damage)
        for number in wanted:
            try:
                yield self._upright(*cursor.frame(number))
            except CorruptFileError:
                if self._on_damage is None:
                    raise

    def _decoded(self, items: Iterator[Item]) -> Iterator[VideoFrame]:
        walk = FrameWalk(self._decoder.fresh(), self._on_damage)
        for item in items:
            if isinstance(item, CodedFrame) and (pixels := walk.decode(item)) is not None:
                yield self._upright(item, pixels)

    def _upright(self, frame: CodedFrame, pixels: Samples) -> VideoFrame:
        head = frame.head
        upright = turn_upright(pixels, self._reader.header.orientation)
        return VideoFrame(upright, head.number, head.time, head.duration, self.tick)
