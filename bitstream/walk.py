"""One pass over a still: its tiles, parts or shares from the first one on."""

from .body import Body, Tile
from .chunk_types import ChunkHead, ChunkType
from .chunk_walk import ChunkWalk
from .chunks import ChunkSource
from .errors import CorruptFileError
from .front import Front, reject, skip_unknown
from .index import decode_index, max_index_bytes
from .resync import OnDamage, Search


class Walk(ChunkWalk[Tile]):
    """Give the tiles, parts or shares in items(), once.

    Args:
        source, front, body: of the file.
        search: finds the next whole chunk behind damage.
        on_damage: told of damage, which is then passed over; None to raise it.

    Attributes:
        payload_bytes: of the tiles so far.
    """

    def __init__(
        self, source: ChunkSource, front: Front, body: Body, search: Search, on_damage: OnDamage | None
    ) -> None:
        super().__init__(source, front.next_head, front.next_payload, on_damage)
        self.payload_bytes = 0
        self._header, self._body, self._search = front.header, body, search
        self._offsets: dict[int, int] = {}  # of the body; grows with the file, not its claims
        self._due = 0  # the part that comes next, of a still in stages

    def _search_behind(self, head: ChunkHead | None, start: int) -> int | None:
        return self._search.next(head, start)

    def _behind_damage(self, head: ChunkHead | None, start: int) -> ChunkHead | None:
        if head is not None and head.type == ChunkType.END and not self.source.seekable:
            return None
        return super()._behind_damage(head, start)

    def _take(self, head: ChunkHead) -> Tile | None:
        if head.type == self._body.type:
            return self._take_tile(head)
        if head.type == ChunkType.INDEX:
            self._take_index(head)
        elif head.type == ChunkType.END:
            self._take_end(head)
        elif head.known:
            reject(self.source, head, "it must come before the tiles")
        else:
            skip_unknown(self.source, head, self._header)
        return None

    def _take_tile(self, head: ChunkHead) -> Tile:
        tile = self._body.read(self.source, head)
        number = self._body.number(tile)
        if number in self._offsets or self._index_offset is not None:
            why = "comes twice" if number in self._offsets else "comes behind the index"
            raise CorruptFileError(f"{self._body.named(number)} {why}", chunk=head.name, offset=head.offset)
        if self._header.stages:
            self._check_order(number, head)
        self._offsets[number] = head.offset
        self.payload_bytes += len(tile.payload)
        return tile

    def _check_order(self, number: int, head: ChunkHead) -> None:
        """Raises CorruptFileError for a part out of order; tells that some are missing, if asked to."""
        due, self._due = self._due, max(self._due, number + 1)
        if number == due or (number > due and not self._whole):
            return
        if number < due and self._header.spread and not self._whole:
            return  # a share that was overtaken: its number says which it is
        why = f"{self._body.named(number)} comes where {self._body.named(due)} should"
        error = CorruptFileError(why, chunk=head.name, offset=head.offset)
        if number < due:
            raise error
        self._pass_over(error)

    def _take_index(self, head: ChunkHead) -> None:
        header, count = self._header, self._header.part_count
        missing = self._whole and len(self._offsets) < count
        if header.spread or header.tile_count == 1 or self._index_offset is not None or missing:
            reject(self.source, head, "one index may come, behind all tiles if there are several")
        payload = self._read_index(head, max_index_bytes(count))
        index = None if payload is None else decode_index(payload, count)
        self._index_agrees = index is not None and index.agrees(self._offsets)

    def _check_complete(self, head: ChunkHead) -> None:
        count = self._header.chunk_count
        if self._whole and (missing := count - len(self._offsets)):
            first = next(number for number in range(count) if number not in self._offsets)
            raise CorruptFileError(
                f"{missing} of {count} {self._body.type.name.lower()}s are missing, the first is "
                f"{self._body.named(first)}",
                chunk=head.name,
                offset=head.offset,
            )
