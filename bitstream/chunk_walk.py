"""One pass over the chunks behind a front: one by one, past damage if asked to, up to the end chunk."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Generic, TypeVar

from .chunk_types import ChunkHead, ChunkType
from .chunks import ChunkSource
from .errors import CorruptFileError, LinnetError
from .front import reject
from .index import OFFSET_BYTES
from .resync import DAMAGE, OnDamage

T = TypeVar("T")


class ChunkWalk(ABC, Generic[T]):
    """What walks over stills and clips share. Each keeps its own place, so that several can alternate.

    Args:
        source: of the file.
        head: the first chunk behind the front.
        payload: offset of its payload.
        on_damage: told of damage, which is then passed over; None to raise it.

    Attributes:
        size: bytes of the file, once its end has been reached without damage.
        index_valid: whether the index is right; None until then, and without an index.
    """

    def __init__(
        self, source: ChunkSource, head: ChunkHead, payload: int, on_damage: OnDamage | None
    ) -> None:
        self.source = source
        self.on_damage = on_damage
        self.size: int | None = None
        self.index_valid: bool | None = None
        self._begin = head, payload
        self._whole = True  # it begins with the first chunk, and no damage has been passed over
        self._index_offset: int | None = None
        self._index_agrees = False

    def items(self) -> Iterator[T]:
        """Give what the chunks hold, in the order of the file; once. Raises as the reader's method."""
        head, payload = self._begin
        if self.source.seekable:
            self.source.seek(payload)
        while True:
            current: ChunkHead | None = head
            start = head.offset
            try:
                item = self._take(head)
                position = self.source.offset
                if item is not None:
                    yield item
                    if self.source.seekable:
                        self.source.seek(position)
                if head.type == ChunkType.END:
                    return
                current, start = None, position
                head = self.source.read_head()
            except DAMAGE as error:
                self._pass_over(error)
                behind = self._behind_damage(current, start)
                if behind is None:
                    return
                head = behind

    def _pass_over(self, error: LinnetError) -> None:
        """Tell of damage and go on; raises it where nobody is told."""
        if self.on_damage is None:
            raise error
        self.on_damage(error)
        self._whole = False

    def _behind_damage(self, head: ChunkHead | None, start: int) -> ChunkHead | None:
        """The head of the next whole chunk, None if there is none or the source cannot seek there."""
        if self.source.seekable:
            offset = self._search_behind(head, start)
            if offset is None:
                return None
            self.source.seek(offset)
        elif head is None or self.source.offset < start + head.length:
            return None
        try:
            return self.source.read_head()
        except LinnetError:
            return None

    @abstractmethod
    def _search_behind(self, head: ChunkHead | None, start: int) -> int | None:
        """Offset of the next whole chunk of a seekable source; see Search.next."""

    @abstractmethod
    def _take(self, head: ChunkHead) -> T | None:
        """Read one chunk; None if it holds nothing to give."""

    @abstractmethod
    def _check_complete(self, head: ChunkHead) -> None:
        """Raises CorruptFileError if the end chunk, of this head, comes too early."""

    def _read_index(self, head: ChunkHead, limit: int) -> bytes | None:
        """Read an index chunk; its content is a hint, so one beyond the limit is only noted."""
        self._index_offset = head.offset
        if head.length > limit:
            self.source.skip_payload(head)
            return None
        return self.source.read_payload(head, limit, "index")

    def _take_end(self, head: ChunkHead) -> None:
        """Read the end chunk: all must have come that should, nothing may follow."""
        if head.length not in (0, OFFSET_BYTES):
            reject(self.source, head, f"its payload has {head.length} bytes, not 0 or {OFFSET_BYTES}")
        pointer = self.source.read_payload(head, OFFSET_BYTES, "format")
        self._check_complete(head)
        size = self.source.offset
        if self.source.read(1):
            raise CorruptFileError("bytes follow the end of the file", chunk=head.name, offset=size)
        if not self._whole:
            return
        self.size = size
        if pointer or self._index_offset is not None:
            points = self._index_offset == int.from_bytes(pointer, "little")
            self.index_valid = points and self._index_agrees
