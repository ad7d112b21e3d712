"""One pass over a clip: its frames and packets from the first one, or from a key frame, on."""

from typing import TypeAlias

from .chunk_types import ChunkHead, ChunkType
from .chunk_walk import ChunkWalk
from .chunks import ChunkSource
from .clip_frames import CodedFrame, decode_frame
from .clip_front import ClipFront
from .clip_index import IndexBuilder
from .clip_packets import PacketGroup, decode_packets
from .clip_resync import ClipSearch
from .errors import CorruptFileError
from .front import reject, skip_unknown
from .limits import Limits
from .resync import OnDamage

ENTRY_BYTES = 27  # of an index, at most: three varints

Item: TypeAlias = CodedFrame | PacketGroup


class ClipWalk(ChunkWalk[Item]):
    """Give the frames and packets in items(), once.

    Args:
        key: head of the key frame to begin with, whose payload comes next in the source; None to begin with
            the first frame.
    """

    def __init__(
        self,
        source: ChunkSource,
        front: ClipFront,
        limits: Limits,
        on_damage: OnDamage | None,
        key: ChunkHead | None = None,
    ) -> None:
        if key is None:
            super().__init__(source, front.next_head, front.next_payload, on_damage)
        else:
            super().__init__(source, key, source.offset, on_damage)
        self._front, self._limits = front, limits
        self._search = ClipSearch(source)
        self._whole = key is None
        self._may_skip = key is not None  # whether the next frame may leave out numbers: behind damage too
        self._seen = IndexBuilder(keep=False)
        self._frames = 0

    def _search_behind(self, head: ChunkHead | None, start: int) -> int | None:
        return self._search.next(head, start, self._seen.frames)

    def _behind_damage(self, head: ChunkHead | None, start: int) -> ChunkHead | None:
        self._may_skip = True
        return super()._behind_damage(head, start)

    def _take(self, head: ChunkHead) -> Item | None:
        if head.type == ChunkType.FRAME:
            return self._take_frame(head)
        if head.type == ChunkType.PACKETS:
            return self._take_packets(head)
        if head.type == ChunkType.INDEX:
            self._take_index(head)
        elif head.type == ChunkType.END:
            self._take_end(head)
        elif head.known:
            reject(self.source, head, "it has no place behind the front of a clip")
        else:
            skip_unknown(self.source, head, self._front.header)
        return None

    def _take_frame(self, head: ChunkHead) -> CodedFrame:
        payload = self.source.read_payload(head, self._limits.max_frame_bytes, "Limits.max_frame_bytes")
        frame = decode_frame(payload, self._front.header, head.offset)
        number, time, last = frame.head.number, frame.head.time, self._seen.last_time
        self._check_number(frame)
        why = None
        if last is not None and time <= last:
            why = f"frame {number} is shown at {time}, the one before at {last}"
        elif self._index_offset is not None:
            why = f"frame {number} comes behind the index"
        if why:
            raise CorruptFileError(why, chunk=head.name, offset=head.offset)
        self._may_skip = False
        self._frames += 1
        self._seen.add(frame.head, head.offset)
        return frame

    def _check_number(self, frame: CodedFrame) -> None:
        """Raises CorruptFileError for a frame out of order; tells that some are missing, if asked to."""
        number, due = frame.head.number, self._seen.frames
        if number == due or (number > due and self._may_skip):
            return
        why = f"frame {number} comes where frame {due} should"
        error = CorruptFileError(why, chunk=ChunkType.FRAME.name.lower(), offset=frame.offset)
        if number < due:
            raise error
        self._pass_over(error)

    def _take_packets(self, head: ChunkHead) -> PacketGroup:
        payload = self.source.read_payload(head, self._limits.max_packets_bytes, "Limits.max_packets_bytes")
        if self._index_offset is not None:
            raise CorruptFileError("packets behind the index", chunk=head.name, offset=head.offset)
        return decode_packets(payload, len(self._front.streams), head.offset)

    def _take_index(self, head: ChunkHead) -> None:
        if self._index_offset is not None:
            reject(self.source, head, "one index may come")
        payload = self._read_index(head, ENTRY_BYTES * (self._frames + 2))
        self._index_agrees = payload is not None and self._seen.agrees(payload)

    def _check_complete(self, head: ChunkHead) -> None:
        if not self._frames:
            raise CorruptFileError("the clip has no frame", chunk=head.name, offset=head.offset)
