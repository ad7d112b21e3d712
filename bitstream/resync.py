"""Finding the way again behind a damaged chunk: the next chunk whose checksum is right."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from .body import body_of
from .chunk_types import ChunkHead, ChunkType
from .chunks import CRC_BYTES, ChunkSource
from .errors import CorruptFileError, LimitExceededError, LinnetError, TruncatedError
from .header import Header
from .index import OFFSET_BYTES

DAMAGE = (CorruptFileError, TruncatedError, LimitExceededError)  # a flipped length may pass for a huge one
OnDamage: TypeAlias = Callable[[LinnetError], None]

_BLOCK_BYTES = 2**10, 2**18  # the first block of a search, and the largest; each is twice the one before
_HEAD_BYTES = 10  # at most, type and length
_EFFORT = 64  # how often a hostile file can have all its bytes checked in one pass


@dataclass(slots=True)
class Search:
    """The search for whole chunks in one seekable source; one for all damage, since its effort has an end.

    Attributes:
        types: first bytes of the chunks to look for.
        is_plausible: whether the head of a chunk, and the first `prefix_bytes` of its payload, could be one
            of them: cheap, so that few checksums are computed.
    """

    source: ChunkSource
    types: bytes
    is_plausible: Callable[[ChunkHead, bytes], bool]
    prefix_bytes: int
    _checked: int = field(default=0, init=False)  # bytes whose checksum was computed in vain

    def next(self, head: ChunkHead | None, start: int) -> int | None:
        """Offset of the next such chunk with a correct CRC, None where there is none.

        Args:
            head: the damaged chunk's, if it could be read: behind it a chunk of any type will do.
            start: offset of the damaged chunk.
        """
        size = self.source.size()
        if head is not None and (behind := _behind(head)) < size:
            self._checked += head.length  # by the caller, in vain
            if self._checked <= _EFFORT * size and self._is_whole(behind, size):
                return behind
        starts = re.compile(b"[" + re.escape(self.types) + b"]")
        position, (span, most) = start + 1, _BLOCK_BYTES
        while position < size and self._checked <= _EFFORT * size:
            self.source.seek(position)
            block = self.source.read(span + _HEAD_BYTES + self.prefix_bytes)
            for match in starts.finditer(block, 0, span):
                at = position + match.start()
                piece = block[match.start() :][: _HEAD_BYTES + self.prefix_bytes]
                if self._could_be_one(piece) and self._is_whole(at, size):
                    return at
                if self._checked > _EFFORT * size:
                    return None
            position, span = position + span, min(2 * span, most)
        return None

    def _could_be_one(self, data: bytes) -> bool:
        piece = ChunkSource(data)
        try:
            head = piece.read_head()
        except LinnetError:
            return False
        return self.is_plausible(head, piece.read(min(head.length, self.prefix_bytes)))

    def _is_whole(self, offset: int, size: int) -> bool:
        """Whether a chunk with a correct CRC begins here."""
        self.source.seek(offset)
        try:
            head = self.source.read_head()
            if _behind(head) > size:
                return False
            self._checked += head.length
            self.source.skip_payload(head)
        except LinnetError:
            return False
        self._checked -= head.length
        return True


def is_end(head: ChunkHead) -> bool:
    """Whether a head could be that of an end chunk."""
    return head.type == ChunkType.END and head.length in (0, OFFSET_BYTES)


def search_still(source: ChunkSource, header: Header, types: bytes) -> Search:
    """The search for chunks of a still; `types` are those beside its body, and the end."""
    body = body_of(header)
    width = header.tile_index_bytes

    def is_plausible(found: ChunkHead, payload: bytes) -> bool:
        if found.type == ChunkType.END:
            return is_end(found)
        if found.type != body:
            return True
        return len(payload) >= width and int.from_bytes(payload[:width], "little") < header.chunk_count

    return Search(source, types + bytes([body, ChunkType.END]), is_plausible, width)


def _behind(head: ChunkHead) -> int:
    """Offset of the byte behind a chunk."""
    length_bytes = max(1, -(-head.length.bit_length() // 7))
    return head.offset + 1 + length_bytes + head.length + CRC_BYTES
