"""Frames in the order of the file through the decoder: what damage costs, and frames by number."""

from collections.abc import Iterator
from fractions import Fraction
from math import ceil

from ...bitstream.clip_frames import CodedFrame, FrameHead
from ...bitstream.clip_reader import ClipReader
from ...bitstream.clip_walk import Item
from ...bitstream.errors import CorruptFileError, LinnetError
from ...bitstream.resync import OnDamage
from ..frame import Samples
from .frame_decoder import FrameDecoder, Undrawn


class FrameWalk:
    """Decodes frames as they come; passes over what is lost where damage is to be told, not raised."""

    def __init__(self, decoder: FrameDecoder, on_damage: OnDamage | None) -> None:
        self._decoder, self._on_damage = decoder, on_damage
        self._told = False  # that all is lost up to the next key frame

    def decode(self, frame: CodedFrame) -> Samples | None:
        """Pixels [H, W, channels] of the next frame, as stored; None if it is lost (see read)."""
        found = self.read(frame)
        return None if found is None else self._decoder.draw(found)

    def read(self, frame: CodedFrame) -> Undrawn | None:
        """The integers of the next frame; None if it is lost.

        What a lost frame costs is told once, with the first frame that depends on it.
        Raises:
            FormatError: as FrameDecoder.read, if nobody is told.
        """
        if self._on_damage is None:
            return self._decoder.read(frame)
        if not self._decoder.can_decode(frame):
            if not self._told:
                self._told = True
                self._on_damage(lost_from(frame))
            return None
        self._told = False
        try:
            return self._decoder.read(frame)
        except LinnetError as error:
            self._on_damage(error)
            return None


def lost_from(frame: CodedFrame) -> CorruptFileError:
    """Says that a frame, and those behind it, are lost with the one before."""
    number = frame.head.number
    return CorruptFileError(
        f"frame {number} and those behind it, up to the next key frame, are lost: they depend on frame "
        f"{number - 1}, which is",
        chunk="frame",
        offset=frame.offset,
    )


def absent_between(before: FrameHead, after: FrameHead, start: Fraction | None, end: Fraction | None) -> int:
    """How many frames are absent between two, of those that are shown from `start` to before `end` (ticks).

    Their times are not known: they are taken to be evenly spaced.
    """
    gap = after.number - before.number
    step = Fraction(after.time - before.time, gap)
    first = 1 if start is None else max(1, ceil((start - before.time) / step))
    behind = gap if end is None else min(gap, ceil((end - before.time) / step))
    return max(0, behind - first)


class FrameCursor:
    """Frames by number: goes on from where it stands, or from the key frame before, if that is nearer."""

    def __init__(self, reader: ClipReader, decoder: FrameDecoder, on_damage: OnDamage | None) -> None:
        self._reader, self._decoder, self._on_damage = reader, decoder, on_damage
        self._items: Iterator[Item] | None = None
        self._walk = FrameWalk(decoder, on_damage)
        self._held: CodedFrame | None = None  # read, but not decoded: it comes behind the last one asked for
        self._next = 0  # number of the frame that comes next

    def frame(self, number: int) -> tuple[CodedFrame, Samples]:
        """A frame as it stands in the file, and its pixels.

        Raises:
            CorruptFileError: it is lost. FormatError: as FrameDecoder.decode.
        """
        index = self._reader.index()
        key = index.numbers[index.at_number(number)]
        try:
            if self._items is None or not key <= self._next <= number:
                self._start(number)
            found = self._forward_to(number)
        except BaseException:  # neither the items nor the decoder can go on
            self._items = None
            raise
        if found is None:
            offset = self._held.offset if self._held else None
            raise CorruptFileError(f"frame {number} is lost", chunk="frame", offset=offset)
        return found

    def _start(self, number: int) -> None:
        self._decoder.reset()
        self._walk, self._held = FrameWalk(self._decoder, self._on_damage), None
        self._items = self._reader.items_from(number=number, on_damage=self._on_damage)

    def _forward_to(self, number: int) -> tuple[CodedFrame, Samples] | None:
        """The frame of that number, None if it is lost. Those before it are decoded and not shown."""
        while (frame := self._held or self._read()) is not None:
            self._held = frame
            if frame.head.number > number:
                return None
            pixels = self._walk.decode(frame)
            self._held, self._next = None, frame.head.number + 1
            if frame.head.number == number:
                return None if pixels is None else (frame, pixels)
        return None

    def _read(self) -> CodedFrame | None:
        return next((item for item in self._items or () if isinstance(item, CodedFrame)), None)
