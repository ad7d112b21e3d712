"""Finding the way again in a clip: the next frame behind a damaged chunk."""

from .chunks import ChunkHead, ChunkSource, ChunkType
from .clip_frames import MAX_PREFIX_BYTES, decode_head
from .errors import LinnetError
from .resync import Search, is_end

_GAP = 2**20  # more lost frames than that are no frames


def next_whole_chunk(source: ChunkSource, head: ChunkHead | None, start: int, number: int) -> int | None:
    """Offset of the next frame or end chunk of a clip with a correct CRC, None where there is none.

    Args:
        source: seekable.
        head, start: as Search.next.
        number: the lowest that the next frame can have.
    """

    def is_plausible(found: ChunkHead, payload: bytes) -> bool:
        if found.type == ChunkType.END:
            return is_end(found)
        try:
            frame, _ = decode_head(payload, 0)
        except LinnetError:
            return False
        return number <= frame.number <= number + _GAP

    return Search(source, bytes([ChunkType.FRAME, ChunkType.END]), is_plausible, MAX_PREFIX_BYTES).next(
        head, start
    )
