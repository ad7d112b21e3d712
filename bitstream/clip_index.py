"""The index of key frames: a hint that makes seeking fast, and is never trusted."""

from __future__ import annotations  # array is no generic at run time before Python 3.12

from array import array
from bisect import bisect_right
from dataclasses import dataclass, field
from zlib import crc32

from .clip_frames import FrameHead, FrameKind
from .varint import decode_svarint, decode_varint, encode_svarint, encode_varint


@dataclass(slots=True)
class IndexBuilder:
    """Is told of all frames and keeps the key frames, some bytes each; a reader has one to compare with.

    keep: whether the entries themselves are wanted, or only their checksum.
    """

    keep: bool = True
    frames: int = 0
    keys: int = 0
    end: int = 0  # ticks
    last_time: int | None = None  # of any frame
    crc: int = 0
    _entries: bytearray = field(default_factory=bytearray)
    _last_key: tuple[int, int, int] = (0, 0, 0)

    def add(self, head: FrameHead, offset: int) -> None:
        """Note a frame. Raises ValueError if it does not come after the last one."""
        if head.number < self.frames or (self.last_time is not None and head.time <= self.last_time):
            raise ValueError(f"frame {head.number}, shown at {head.time}, does not come after the one before")
        self.frames, self.end, self.last_time = head.number + 1, head.time + head.duration, head.time
        if head.kind == FrameKind.KEY:
            self._add_key(head.number, head.time, offset)

    def _add_key(self, number: int, time: int, offset: int) -> None:
        before = self._last_key
        place = encode_varint(time - before[1]) if self.keys else encode_svarint(time)
        entry = encode_varint(number - before[0]) + place + encode_varint(offset - before[2])
        self._last_key = (number, time, offset)
        self.keys += 1
        self.crc = crc32(entry, self.crc)
        if self.keep:
            self._entries += entry

    def _counts(self) -> bytes:
        return encode_varint(self.frames) + encode_varint(self.keys) + encode_svarint(self.end)

    def payload(self) -> bytes:
        """The payload of the index chunk."""
        return self._counts() + self._entries

    def agrees(self, payload: bytes) -> bool:
        """Whether an index chunk says the same."""
        counts = self._counts()
        return payload.startswith(counts) and crc32(payload[len(counts) :]) == self.crc


@dataclass(frozen=True, slots=True)
class ClipIndex:
    """Where the key frames are."""

    frames: int  # of the whole clip
    end: int  # ticks, when the last frame ends
    numbers: array[int]  # of the key frames
    times: array[int]  # ticks
    offsets: array[int]  # of the chunks

    def at_number(self, number: int) -> int:
        """The entry of the last key frame up to a frame number."""
        return max(0, bisect_right(self.numbers, number) - 1)

    def at_time(self, time: int) -> int:
        """The entry of the last key frame up to a time in ticks; the first one for an earlier time."""
        return max(0, bisect_right(self.times, time) - 1)


def decode_clip_index(payload: bytes, size: int, whole: bool = True) -> ClipIndex | None:
    """Read the payload of an index chunk; None where it makes no sense.

    Args:
        size: no offset reaches so many bytes.
        whole: whether frame 0 must be there; it may be lost where the index was made by a scan.
    """
    index = ClipIndex(0, 0, array("q"), array("q"), array("q"))
    try:
        frames, position = decode_varint(payload)
        keys, position = decode_varint(payload, position)
        end, position = decode_svarint(payload, position)
        last = 0, 0, 0
        for entry in range(keys):
            number, position = decode_varint(payload, position)
            step = decode_svarint if entry == 0 else decode_varint
            time, position = step(payload, position)
            offset, position = decode_varint(payload, position)
            if entry and not (number and time and offset):
                return None
            last = last[0] + number, last[1] + time, last[2] + offset
            index.numbers.append(last[0])
            index.times.append(last[1])
            index.offsets.append(last[2])
    except (ValueError, OverflowError):
        return None
    if not keys or position != len(payload) or last[2] >= size or last[0] >= frames:
        return None
    if whole and index.numbers[0]:
        return None
    return ClipIndex(frames, end, index.numbers, index.times, index.offsets)
