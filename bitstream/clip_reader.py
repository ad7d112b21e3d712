"""Reads a clip: forwards from any stream, or from any key frame of a seekable one."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, TypeAlias

from .chunk_types import ChunkHead, ChunkType
from .chunks import CRC_BYTES, ChunkSource, encode_chunk
from .clip_frames import MAX_PREFIX_BYTES, CodedFrame, FrameKind, decode_frame, decode_head
from .clip_front import read_clip_front
from .clip_index import ClipIndex, IndexBuilder, decode_clip_index
from .clip_resync import ClipSearch
from .clip_streams import Packet, decode_packets
from .errors import CorruptFileError, LinnetError, TruncatedError
from .front import reject, skip_unknown
from .index import END_BYTES, OFFSET_BYTES
from .limits import Limits
from .resync import DAMAGE, OnDamage


@dataclass(frozen=True, slots=True)
class PacketGroup:
    """Packets of one stream as they stand together in the file."""

    stream: int
    packets: list[Packet]


Item: TypeAlias = CodedFrame | PacketGroup


@dataclass(slots=True)
class _Walk:
    """What one pass over the frames has seen."""

    least: int = 0  # the lowest number that the next frame can have
    may_skip: bool = True  # whether it may have a higher one: where a walk begins, and behind damage
    time: int | None = None  # of the last frame
    seen: IndexBuilder = field(default_factory=lambda: IndexBuilder(keep=False))
    from_start: bool = True
    index_offset: int | None = None
    index_agrees: bool = False
    frames: int = 0


class ClipReader:
    """Reads all up to the first frame at once; items() reads the rest.

    Attributes:
        header, clip, streams, tags: what the front says.
        seekable: whether items() can be called again, and the index be used.
        file_bytes: of the whole file, known when items() from the start has come to its end.
        index_valid: whether the index is right (None: no index, or not known yet). Reading never depends
            on it.

    Raises (constructor):
        NotLinnetError, TruncatedError, CorruptFileError, UnsupportedVersionError, LimitExceededError;
        ValueError: the file holds a still image.
    """

    def __init__(self, source: bytes | BinaryIO, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._source = ChunkSource(source)
        self._front = read_clip_front(self._source, self._limits)
        self._body = self._source.offset
        self.header, self.clip = self._front.header, self._front.clip
        self.streams, self.tags = self._front.streams, self._front.tags
        self.seekable = self._source.seekable
        self.file_bytes: int | None = None
        self.index_valid: bool | None = None
        self._started = False
        self._index: ClipIndex | None = None
        self._scanned: ClipIndex | None = None

    def items(self, on_damage: OnDamage | None = None) -> Iterator[Item]:
        """Give all frames and packets in the order of the file, and check the file to its last byte.

        Behind damage come inter frames too that depend on a lost frame: who decodes must leave them out.

        Args:
            on_damage: told of each damage, which is then passed over up to the next whole frame (in a source
                that cannot seek, up to where the damaged chunk says that it ends); None to raise it.
        Raises:
            TruncatedError, CorruptFileError (damage; wrong order; bytes after the end), LimitExceededError,
            UnsupportedVersionError (something of a newer version);
            ValueError: a second call on a source that cannot seek.
        """
        if self._started and not self.seekable:
            raise ValueError("the source cannot seek: it can be read only once")
        self._started = True
        return self._walk(self._front.next_head, self._body, _Walk(may_skip=False), on_damage)

    def items_from(
        self, number: int | None = None, time: int | None = None, on_damage: OnDamage | None = None
    ) -> Iterator[Item]:
        """Give the items from the last key frame up to a frame number, or to a time in ticks (seekable only).

        Raises:
            as items(); ValueError: the source cannot seek.
        """
        if not self.seekable:
            raise ValueError("the source cannot seek: give a file, or read it from the start on")
        for index in (self.index(), None):
            found = index or self._rebuilt()
            entry = found.at_time(time) if time is not None else found.at_number(number or 0)
            head = self._key_frame_at(found.offsets[entry], found.numbers[entry], found.times[entry])
            if head is not None:
                self._tell_lost(found, number, time, on_damage)
                return self._walk(head, self._source.offset, _Walk(from_start=False), on_damage)
        raise CorruptFileError("no key frame is whole", chunk="frame", offset=self._body)

    def index(self) -> ClipIndex:
        """The index of a seekable source, from its end; made by a scan where there is none.

        Raises:
            CorruptFileError: there is no frame. ValueError: the source cannot seek.
        """
        if not self.seekable:
            raise ValueError("the source cannot seek: it has no index before its end")
        if self._index is None:
            self._index = self._stored_index() or self._rebuilt()
        return self._index

    def size(self) -> int:
        """Bytes of the whole file, of a seekable source."""
        return self._source.size()

    @property
    def is_complete(self) -> bool:
        """Whether a seekable source ends with an index and an end chunk."""
        return self._stored_index() is not None

    def _stored_index(self) -> ClipIndex | None:
        size = self._source.size()
        if size < END_BYTES:
            return None
        self._source.seek(size - END_BYTES)
        tail = self._source.read(END_BYTES)
        pointer = tail[2 : 2 + OFFSET_BYTES]
        offset = int.from_bytes(pointer, "little")
        if tail != encode_chunk(ChunkType.END, pointer) or offset >= size:
            return None
        self._source.seek(offset)
        try:
            head = self._source.read_head()
            if head.type != ChunkType.INDEX:
                return None
            return decode_clip_index(self._source.read_payload(head, size, "the file's size"), size)
        except LinnetError:  # whatever is wrong there, a scan does without the index and reports real damage
            return None

    def _rebuilt(self) -> ClipIndex:
        """An index from a scan, made once."""
        if self._scanned is None:
            self._scanned = self._scan()
        return self._scanned

    def _scan(self) -> ClipIndex:
        """An index from all whole chunks: a damaged number or time would hide the rest."""
        found = IndexBuilder()
        size, search = self._source.size(), ClipSearch(self._source)
        offset: int | None = self._front.next_head.offset
        while offset is not None and offset < size:
            head = None
            try:
                self._source.seek(offset)
                head = self._source.read_head()
                payload = self._source.offset
                if payload + head.length + CRC_BYTES > size:
                    raise TruncatedError("the file ends inside a chunk", chunk=head.name, offset=offset)
                self._source.skip_payload(head)
                behind = self._source.offset
                if head.type == ChunkType.END:
                    break
                if head.type == ChunkType.FRAME:
                    self._source.seek(payload)
                    data = self._source.read(min(head.length, MAX_PREFIX_BYTES))
                    found.add(decode_head(data, offset)[0], offset)
                offset = behind
            except DAMAGE:
                offset = search.next(head, offset, found.frames)
            except ValueError:  # numbers or times go back: this frame is damaged, and reading it will say so
                offset = search.next(head, offset, found.frames)
        index = decode_clip_index(found.payload(), size, whole=False)
        if index is None:
            raise CorruptFileError("the file has no whole key frame", chunk="frame", offset=self._body)
        return index

    def _tell_lost(
        self, found: ClipIndex, number: int | None, time: int | None, on_damage: OnDamage | None
    ) -> None:
        """Report that what is wanted comes before the first key frame that a scan has found."""
        first = found.numbers[0]
        if first == 0 or (time >= found.times[0] if time is not None else (number or 0) >= first):
            return
        error = CorruptFileError(f"frames 0 to {first - 1} are lost", chunk="frame", offset=self._body)
        if on_damage is None:
            raise error
        on_damage(error)

    def _key_frame_at(self, offset: int, number: int, time: int) -> ChunkHead | None:
        """Read the head of the frame chunk that an index promises; None if it is not there."""
        try:
            self._source.seek(offset)
            head = self._source.read_head()
            payload = self._source.offset
            if head.type != ChunkType.FRAME:
                return None
            frame, _ = decode_head(self._source.read(min(head.length, MAX_PREFIX_BYTES)), offset)
        except LinnetError:
            return None
        self._source.seek(payload)
        return head if (frame.kind, frame.number, frame.time) == (FrameKind.KEY, number, time) else None

    def _walk(self, head: ChunkHead, payload: int, walk: _Walk, on_damage: OnDamage | None) -> Iterator[Item]:
        """Give the items from a head, and the offset of its payload, on.

        It keeps its own place, so that several walks can alternate.
        """
        search = ClipSearch(self._source)
        if self.seekable:
            self._source.seek(payload)
        while True:
            current: ChunkHead | None = head
            start = head.offset
            try:
                item = self._take(head, walk, on_damage)
                position = self._source.offset
                if item is not None:
                    yield item
                    if self.seekable:
                        self._source.seek(position)
                if head.type == ChunkType.END:
                    return
                current, start = None, position
                head = self._source.read_head()
            except DAMAGE as error:
                if on_damage is None:
                    raise
                on_damage(error)
                found = self._behind_damage(current, start, walk, search)
                if found is None:
                    return
                head = found

    def _behind_damage(
        self, head: ChunkHead | None, start: int, walk: _Walk, search: ClipSearch
    ) -> ChunkHead | None:
        """The head of the next whole chunk, None if there is none or the source cannot seek there."""
        walk.may_skip, walk.from_start = True, False
        if self.seekable:
            offset = search.next(head, start, walk.least)
            if offset is None:
                return None
            self._source.seek(offset)
        elif head is None or self._source.offset < start + head.length:
            return None
        try:
            return self._source.read_head()
        except LinnetError:
            return None

    def _take(self, head: ChunkHead, walk: _Walk, on_damage: OnDamage | None) -> Item | None:
        """Read one chunk; None if it is neither frame nor packets."""
        if head.type == ChunkType.FRAME:
            return self._take_frame(head, walk, on_damage)
        if head.type == ChunkType.PACKETS:
            limit = self._limits.max_packets_bytes
            payload = self._source.read_payload(head, limit, "Limits.max_packets_bytes")
            if walk.index_offset is not None:
                raise CorruptFileError("packets behind the index", chunk=head.name, offset=head.offset)
            return PacketGroup(*decode_packets(payload, len(self.streams), head.offset))
        if head.type == ChunkType.INDEX:
            self._take_index(head, walk)
        elif head.type == ChunkType.END:
            self._take_end(head, walk)
        elif head.known:
            reject(self._source, head, "it has no place behind the front of a clip")
        else:
            skip_unknown(self._source, head, self.header)
        return None

    def _take_frame(self, head: ChunkHead, walk: _Walk, on_damage: OnDamage | None) -> CodedFrame:
        payload = self._source.read_payload(head, self._limits.max_frame_bytes, "Limits.max_frame_bytes")
        frame = decode_frame(payload, self.header, head.offset)
        number, time = frame.head.number, frame.head.time
        self._check_number(frame, walk, on_damage)
        why = None
        if walk.time is not None and time <= walk.time:
            why = f"frame {number} is shown at {time}, the one before at {walk.time}"
        elif walk.index_offset is not None:
            why = f"frame {number} comes behind the index"
        if why:
            raise CorruptFileError(why, chunk=head.name, offset=head.offset)
        walk.least, walk.may_skip = number + 1, False
        walk.time = time
        walk.frames += 1
        walk.seen.add(frame.head, head.offset)
        return frame

    def _check_number(self, frame: CodedFrame, walk: _Walk, on_damage: OnDamage | None) -> None:
        """Raises CorruptFileError for a frame out of order; tells that some are missing, if asked to."""
        number = frame.head.number
        if number == walk.least or (number > walk.least and walk.may_skip):
            return
        why = f"frame {number} comes where frame {walk.least} should"
        error = CorruptFileError(why, chunk=ChunkType.FRAME.name.lower(), offset=frame.offset)
        if number < walk.least or on_damage is None:
            raise error
        on_damage(error)
        walk.from_start = False

    def _take_index(self, head: ChunkHead, walk: _Walk) -> None:
        """Read an index chunk; its content is a hint, so a malformed one is only noted."""
        if walk.index_offset is not None:
            reject(self._source, head, "one index may come")
        walk.index_offset = head.offset
        limit = 27 * (walk.frames + 2)  # each entry is three varints
        if head.length > limit:
            self._source.skip_payload(head)
        else:
            walk.index_agrees = walk.seen.agrees(self._source.read_payload(head, limit, "frames"))

    def _take_end(self, head: ChunkHead, walk: _Walk) -> None:
        """Read the end chunk: there must have been a frame, nothing may follow."""
        if head.length not in (0, OFFSET_BYTES):
            reject(self._source, head, f"its payload has {head.length} bytes, not 0 or {OFFSET_BYTES}")
        pointer = self._source.read_payload(head, OFFSET_BYTES, "format")
        if not walk.frames:
            raise CorruptFileError("the clip has no frame", chunk=head.name, offset=head.offset)
        size = self._source.offset
        if self._source.read(1):
            raise CorruptFileError("bytes follow the end of the file", chunk=head.name, offset=size)
        if not walk.from_start:
            return
        self.file_bytes = size
        if pointer or walk.index_offset is not None:
            points = walk.index_offset == int.from_bytes(pointer, "little")
            self.index_valid = points and walk.index_agrees
