"""Finding the way again in a clip: the next frame behind a damaged chunk."""

from .chunk_types import ChunkHead, ChunkType
from .chunks import ChunkSource
from .clip_frames import MAX_PREFIX_BYTES, decode_head
from .errors import LinnetError
from .resync import Search, is_end

_GAP = 2**20  # more lost frames than that are no frames


class ClipSearch:
    """The search for whole frame and end chunks of a clip (seekable); one for each pass over it."""

    def __init__(self, source: ChunkSource) -> None:
        types = bytes([ChunkType.FRAME, ChunkType.END])
        self._search = Search(source, types, self._is_plausible, MAX_PREFIX_BYTES)
        self._least = 0

    def next(self, head: ChunkHead | None, start: int, number: int) -> int | None:
        """Offset of the next such chunk with a correct CRC, None where there is none.

        Args:
            head, start: as Search.next.
            number: the lowest that the next frame can have.
        """
        self._least = number
        return self._search.next(head, start)

    def _is_plausible(self, found: ChunkHead, payload: bytes) -> bool:
        if found.type == ChunkType.END:
            return is_end(found)
        try:
            frame, _ = decode_head(payload, 0)
        except LinnetError:
            return False
        return self._least <= frame.number <= self._least + _GAP
