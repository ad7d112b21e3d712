"""Finding frames of a seekable clip: through the stored index, or by a scan where that fails."""

from .chunk_types import ChunkHead, ChunkType
from .chunks import CRC_BYTES, ChunkSource
from .clip_frames import MAX_PREFIX_BYTES, FrameKind, decode_head
from .clip_front import ClipFront
from .clip_index import ClipIndex, IndexBuilder, decode_clip_index
from .clip_resync import ClipSearch
from .errors import CorruptFileError, LinnetError, TruncatedError
from .index import stored_index
from .resync import DAMAGE, OnDamage


class KeyFrames:
    """Where the key frames of a clip are; what is found is kept."""

    def __init__(self, source: ChunkSource, front: ClipFront) -> None:
        self._source, self._front = source, front
        self._index: ClipIndex | None = None
        self._scanned: ClipIndex | None = None

    def index(self) -> ClipIndex:
        """The index, made by a scan where none is stored. Raises CorruptFileError: there is no frame."""
        if self._index is None:
            self._index = self.stored() or self._rebuilt()
        return self._index

    def stored(self) -> ClipIndex | None:
        """The index that the end of the file points at; None where there is none or it makes no sense."""
        size = self._source.size()
        payload = stored_index(self._source, limit=size)
        return None if payload is None else decode_clip_index(payload, size)

    def seek(self, number: int | None, time: int | None, on_damage: OnDamage | None) -> ChunkHead:
        """Go to the last key frame up to a frame number, or to a time in ticks.

        Returns:
            its head; the payload comes next in the source.
        Raises:
            CorruptFileError: no key frame is whole; or, where `on_damage` is not told of it, what is wanted
                comes before all that are.
        """
        for index in (self.index(), None):
            found = index or self._rebuilt()
            entry = found.at_time(time) if time is not None else found.at_number(number or 0)
            head = self._head_at(found.offsets[entry], found.numbers[entry], found.times[entry])
            if head is not None:
                self._tell_lost(found, number, time, on_damage)
                return head
        raise self._lost("no key frame is whole")

    def _head_at(self, offset: int, number: int, time: int) -> ChunkHead | None:
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

    def _tell_lost(
        self, found: ClipIndex, number: int | None, time: int | None, on_damage: OnDamage | None
    ) -> None:
        """Report that what is wanted comes before the first key frame that a scan has found."""
        first = found.numbers[0]
        if first == 0 or (time >= found.times[0] if time is not None else (number or 0) >= first):
            return
        error = self._lost(f"frames 0 to {first - 1} are lost")
        if on_damage is None:
            raise error
        on_damage(error)

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
            # ValueError: numbers or times go back; the frame is damaged, and reading it will say so
            except (*DAMAGE, ValueError):
                offset = search.next(head, offset, found.frames)
        index = decode_clip_index(found.payload(), size, whole=False)
        if index is None:
            raise self._lost("the file has no whole key frame")
        return index

    def _lost(self, why: str) -> CorruptFileError:
        return CorruptFileError(why, chunk="frame", offset=self._front.next_payload)
