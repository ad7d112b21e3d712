"""Finding the way again behind a damaged chunk: the next chunk of a clip whose checksum is right."""

import re

from .chunks import ChunkHead, ChunkSource, ChunkType
from .clip_frames import MAX_PREFIX_BYTES, decode_head
from .errors import LinnetError
from .index import OFFSET_BYTES

_BLOCK_BYTES = 2**18
_HEAD_BYTES = 10  # at most, type and length
_STARTS = re.compile(b"[FE]")
_GAP = 2**20  # more lost frames than that are no frames


def next_whole_chunk(source: ChunkSource, head: ChunkHead | None, start: int, number: int) -> int | None:
    """Offset of the next frame or end chunk with a correct CRC, None where there is none.

    Args:
        source: seekable.
        head: the damaged chunk's, if it could be read: behind it a chunk of any type will do.
        start: offset of the damaged chunk.
        number: the lowest that the next frame can have.
    """
    size = source.size()
    if head is not None:
        behind = _behind(head)
        if behind < size and _is_whole(source, behind, size):
            return behind
    position = start + 1
    while position < size:
        source.seek(position)
        block = source.read(_BLOCK_BYTES + _HEAD_BYTES + MAX_PREFIX_BYTES)
        for match in _STARTS.finditer(block, 0, _BLOCK_BYTES):
            at = position + match.start()
            if _is_plausible(block[match.start() :][: _HEAD_BYTES + MAX_PREFIX_BYTES], number) and _is_whole(
                source, at, size
            ):
                return at
        position += _BLOCK_BYTES
    return None


def _behind(head: ChunkHead) -> int:
    """Offset of the byte behind a chunk."""
    length_bytes = max(1, -(-head.length.bit_length() // 7))
    return head.offset + 1 + length_bytes + head.length + 4


def _is_plausible(data: bytes, number: int) -> bool:
    """Whether these bytes could begin a frame or end chunk: cheap, so that few checksums are computed."""
    piece = ChunkSource(data)
    try:
        head = piece.read_head()
        if head.type == ChunkType.END:
            return head.length in (0, OFFSET_BYTES)
        frame, _ = decode_head(piece.read(min(head.length, MAX_PREFIX_BYTES)), 0)
    except LinnetError:
        return False
    return number <= frame.number <= number + _GAP


def _is_whole(source: ChunkSource, offset: int, size: int) -> bool:
    """Whether a chunk with a correct CRC begins here."""
    source.seek(offset)
    try:
        head = source.read_head()
        if _behind(head) > size:
            return False
        source.skip_payload(head)
    except LinnetError:
        return False
    return True
