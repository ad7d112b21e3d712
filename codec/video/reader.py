"""VideoReader: the frames of a .lnt clip, one after the other, by number or by time."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from types import TracebackType
from typing import overload

from PIL import Image

from ...bitstream.clip_frames import CodedFrame
from ...bitstream.clip_reader import ClipReader, Item
from ...bitstream.errors import CorruptFileError, LinnetError
from ...bitstream.limits import Limits
from ...models import codecs, zoo
from ..device import device_name
from ..frame import Frame, Samples
from ..opening import Source, opened
from ..orientation import swaps_sides, turn_upright
from .coding import decode_pixels
from .times import exact


@dataclass(frozen=True, slots=True, eq=False)
class VideoFrame:
    """One decoded frame, upright.

    pixels: [H, W, 3] (grey: [H, W, 1]) uint8 or uint16, full range, with the clip's primaries and transfer.
    number: 0 for the first frame. time, duration: seconds, exact as fractions in `ticks` of the clip;
    duration is 0 if unknown.
    """

    pixels: Samples
    number: int
    ticks: int
    duration_ticks: int
    tick: Fraction

    @property
    def time(self) -> float:
        """When the frame is shown, seconds."""
        return float(self.ticks * self.tick)

    @property
    def duration(self) -> float:
        """For how long, seconds; 0 if until the next frame."""
        return float(self.duration_ticks * self.tick)

    def to_pil(self) -> Image.Image:
        """A Pillow image of 8 bits."""
        return Frame(self.pixels).to_eight_bits().to_pil()


class VideoReader:
    """Reads a clip; a context manager, an iterable, and for files that can seek a sequence too.

        with linnet.VideoReader("v.lnt") as video:
            video[10].pixels, video[-1].time, video[0:100:10]
            for frame in video.seek(2.0): ...

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
        try:
            self._reader = ClipReader(self._stack.enter_context(opened(source)), limits)
            header = self._reader.header
            self._codec = codecs.load(zoo.find_wire(header.model, header.weights_hash, header.quality), name)
        except BaseException:
            self.close()
            raise
        self._on_damage = on_damage
        turned = swaps_sides(header.orientation)
        self.width = header.height if turned else header.width
        self.height = header.width if turned else header.height
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
        index = self._reader.index()
        return float((index.end - index.times[0]) * self.tick)

    def __len__(self) -> int:
        """Frames. Raises ValueError if the source cannot seek."""
        return self._reader.index().frames

    def __iter__(self) -> Iterator[VideoFrame]:
        return self._decoded(self._reader.items(self._on_damage))

    @overload
    def __getitem__(self, place: int) -> VideoFrame: ...
    @overload
    def __getitem__(self, place: slice) -> Iterator[VideoFrame]: ...
    def __getitem__(self, place: int | slice) -> VideoFrame | Iterator[VideoFrame]:
        """A frame by number, or an iterator of those that a slice names; negative numbers count from the end.

        Raises:
            IndexError: no such frame. CorruptFileError: it is damaged. ValueError: a step below 1.
        """
        count = len(self)
        if isinstance(place, slice):
            wanted = range(*place.indices(count))
            if wanted.step < 1:
                raise ValueError(
                    f"a slice of a clip goes forwards: its step must be at least 1, not {place.step}"
                )
            return self._chosen(wanted)
        number = place + count if place < 0 else place
        if not 0 <= number < count:
            raise IndexError(f"frame {place} of a clip of {count}")
        return next(self._chosen(range(number, number + 1)))

    def seek(self, time: float) -> Iterator[VideoFrame]:
        """The frames from the one on that is shown at a time in seconds."""
        ticks = int(exact(time) / self.tick // 1)
        items = self._reader.items_from(time=ticks, on_damage=self._on_damage)
        shown: list[Item] = []
        for item in items:
            if isinstance(item, CodedFrame):
                if item.head.time > ticks:
                    shown.append(item)
                    break
                shown = [item]
        return self._decoded(chain(shown, items))

    def _chosen(self, wanted: range) -> Iterator[VideoFrame]:
        """The frames of these numbers, each one decoded on its own: all are key frames."""
        for number in wanted:
            for item in self._reader.items_from(number=number, on_damage=self._on_damage):
                if isinstance(item, CodedFrame):
                    if item.head.number == number:
                        yield self._decode(item)
                        break
                    if item.head.number > number:
                        raise CorruptFileError(f"frame {number} is lost", chunk="frame", offset=item.offset)
            else:
                raise CorruptFileError(f"frame {number} is lost", chunk="end")

    def _decoded(self, items: Iterator[Item]) -> Iterator[VideoFrame]:
        for item in items:
            if not isinstance(item, CodedFrame):
                continue
            try:
                frame = self._decode(item)
            except LinnetError as error:
                if self._on_damage is None:
                    raise
                self._on_damage(error)
                continue
            yield frame

    def _decode(self, frame: CodedFrame) -> VideoFrame:
        pixels = decode_pixels(frame, self._reader.header, self._codec)
        upright = turn_upright(pixels, self._reader.header.orientation)
        head = frame.head
        return VideoFrame(upright, head.number, head.time, head.duration, self.tick)
