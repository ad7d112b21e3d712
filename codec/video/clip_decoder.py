"""The wanted part of a clip, decoded: frames and packets in the order of the file, and what damage costs."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TypeAlias

from ...bitstream.clip_frames import FrameHead, FrameKind
from ...bitstream.clip_packets import PacketGroup
from ...bitstream.clip_reader import ClipReader, Item
from ...bitstream.errors import LinnetError
from ...bitstream.resync import OnDamage
from .ahead import ahead
from .excerpt import Excerpt
from .frame_decoder import FrameDecoder, Undrawn
from .timed_frame import TimedFrame
from .walking import FrameWalk, absent_between

_READ_AHEAD = 2  # frames whose integers wait for their pixels

Piece: TypeAlias = TimedFrame | PacketGroup


@dataclass(frozen=True, slots=True)
class _Read:
    """The integers of a frame. shown: time and duration; None if only those behind it are, which need it."""

    integers: Undrawn
    shown: tuple[int, int] | None  # ticks


class ClipDecoder:
    """Decodes a part of a clip; integers and pixels run in a thread each.

    Attributes:
        total: frames that there will be, 0 if unknown. damage: what was passed over. lost: frames missing
        for it, as far as is known. last_s: when the last frame of the clip begins, once all are read.

    Args:
        reader: of the clip. start, end: seconds, as decode_video has them.
        partial: pass over damage. device: a device by name.
    Raises:
        ModelMismatchError: a model that is not here. ValueError: start or end.
    """

    def __init__(
        self, reader: ClipReader, start: float | None, end: float | None, partial: bool, device: str
    ) -> None:
        self._reader, self._partial = reader, partial
        self._decoder = FrameDecoder.load(reader.header, device)
        self._excerpt = Excerpt.between(start, end, reader.clip.tick)
        self.damage: list[LinnetError] = []
        self.lost = 0
        self.last_s: float | None = None
        # Asked now, since the stream belongs to the other thread later; a cut would only tell a part of it.
        is_known = self._excerpt.is_whole and reader.seekable and reader.is_complete
        self.total = reader.index().frames if is_known else 0

    def pieces(self) -> Iterator[Piece]:
        """Decoded frames, and packets, of the wanted time; integers are decoded ahead of the pixels."""
        with closing(ahead(self._read(), _READ_AHEAD)) as items:
            for item in items:
                if isinstance(item, PacketGroup):
                    yield item
                    continue
                pixels = self._decoder.draw(item.integers)
                if item.shown is not None:
                    yield TimedFrame(pixels, *item.shown)

    def _read(self) -> Iterator[_Read | PacketGroup]:
        """Integers of the frames, and packets, of the wanted time."""
        excerpt = self._excerpt
        told = self.damage.append if self._partial else None
        walk, before = FrameWalk(self._decoder, told), None
        held: tuple[Undrawn, FrameHead] | None = None  # begins before the start, stands until the next one
        for item in self._items(told):
            if isinstance(item, PacketGroup):
                if wanted := excerpt.packets(item, self._reader.streams[item.stream]):
                    yield wanted
                continue
            head = item.head
            if held is not None:
                yield self._last_early(*held, head)
                held = None
            self.lost += self._absent(before, head)
            before = head
            if excerpt.is_behind(head.time):
                if excerpt.is_far_behind(head.time):
                    break
                continue
            integers = walk.read(item)  # also of one that is shown too early: the next ones depend on it
            if excerpt.is_before(head.time):
                held = None if integers is None else (integers, head)
            elif integers is None:
                self.lost += 1
            else:
                yield _Read(integers, excerpt.cut(head.time, head.duration))
        else:
            self.last_s = None if before is None else float(before.time * excerpt.tick)
        if held is not None:
            yield self._last_early(*held, None)
        if self.damage and self.total:
            self.lost += self.total - (before.number + 1 if before else 0)

    def _last_early(self, integers: Undrawn, head: FrameHead, following: FrameHead | None) -> _Read:
        """A frame that begins before the start: it may still be on the screen then."""
        if following is not None and following.number == head.number + 1:
            until = following.time
        else:  # what came between is lost
            until = head.time + head.duration
        return _Read(integers, self._excerpt.cut(head.time, head.duration, until))

    def _items(self, told: OnDamage | None) -> Iterator[Item]:
        """All items, or those from the last key frame before the start on."""
        first = self._excerpt.first
        if first is None:
            return self._reader.items(told)
        return self._reader.items_from(time=first, on_damage=told)

    def _absent(self, before: FrameHead | None, head: FrameHead) -> int:
        """How many frames of the wanted time are absent between two, or in front of the first one."""
        start, end, first = self._excerpt.start, self._excerpt.end, self._excerpt.first
        if before is not None:
            return absent_between(before, head, start, end)
        if start is None or first is None:
            return head.number
        index = self._reader.index()
        entry = index.at_time(first)
        # With which it should begin.
        key = FrameHead(FrameKind.KEY, index.numbers[entry], index.times[entry], 0)
        if head.number <= key.number:
            return 0
        return absent_between(key, head, start, end) + (key.time >= start)
