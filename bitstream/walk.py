"""One pass over a still behind its front: chunk after chunk, past damage if asked to, up to the end chunk."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from .body import Body, Tile
from .chunk_types import ChunkHead, ChunkType
from .chunks import ChunkSource
from .errors import CorruptFileError, LinnetError
from .front import Front, reject, skip_unknown
from .index import OFFSET_BYTES, TileIndex, decode_index, max_index_bytes
from .resync import DAMAGE, OnDamage, Search


@dataclass(slots=True)
class Walk:
    """Give the tiles in tiles(), once; keeps its own place, so that several walks can alternate.

    Attributes:
        source, front, body: of the file. A walk starts where the front ends.
        search: finds the next whole chunk behind damage.
        on_damage: told of damage, which is then passed over; None to raise it.
        payload_bytes: of the tiles so far.
        size: bytes of the file, once its end has been reached without damage.
        index_valid: whether the index points at the tiles; None until then, and without an index.
    """

    source: ChunkSource
    front: Front
    body: Body
    search: Search
    on_damage: OnDamage | None
    payload_bytes: int = 0
    size: int | None = None
    index_valid: bool | None = None
    _offsets: dict[int, int] = field(default_factory=dict)  # of the body; grows with the file, not its claims
    _index_offset: int | None = None
    _index: TileIndex | None = None
    _due: int = 0  # the part that comes next, of a still in stages
    _whole: bool = True  # no damage has been passed over

    def tiles(self) -> Iterator[Tile]:
        """Give the tiles, parts or shares in the order of the file; raises as Reader.tiles()."""
        head = self.front.next_head
        if self.source.seekable:
            self.source.seek(self.front.next_payload)
        while True:
            current: ChunkHead | None = head
            start = head.offset
            try:
                tile = self._take(head)
                position = self.source.offset
                if tile is not None:
                    yield tile
                    if self.source.seekable:
                        self.source.seek(position)
                if head.type == ChunkType.END:
                    return
                current, start = None, position
                head = self.source.read_head()
            except DAMAGE as error:
                if self.on_damage is None:
                    raise
                self.on_damage(error)
                self._whole = False
                behind = self._behind_damage(current, start)
                if behind is None:
                    return
                head = behind

    def _behind_damage(self, head: ChunkHead | None, start: int) -> ChunkHead | None:
        """The head of the next whole chunk, None if there is none or the source cannot seek there."""
        if self.source.seekable:
            offset = self.search.next(head, start)
            if offset is None:
                return None
            self.source.seek(offset)
        elif head is None or head.type == ChunkType.END or self.source.offset < start + head.length:
            return None
        try:
            return self.source.read_head()
        except LinnetError:
            return None

    def _take(self, head: ChunkHead) -> Tile | None:
        """Read one chunk; None if it is no tile."""
        if head.type == self.body.type:
            return self._next_tile(head)
        if head.type == ChunkType.INDEX:
            self._read_index(head)
        elif head.type == ChunkType.END:
            self._read_end(head)
        elif head.known:
            reject(self.source, head, "it must come before the tiles")
        else:
            skip_unknown(self.source, head, self.front.header)
        return None

    def _next_tile(self, head: ChunkHead) -> Tile:
        tile = self.body.read(self.source, head)
        number = self.body.number(tile)
        if number in self._offsets or self._index_offset is not None:
            why = "comes twice" if number in self._offsets else "comes behind the index"
            raise CorruptFileError(f"{self.body.named(number)} {why}", chunk=head.name, offset=head.offset)
        if self.front.header.stages:
            self._check_order(number, head)
        self._offsets[number] = head.offset
        self.payload_bytes += len(tile.payload)
        return tile

    def _check_order(self, number: int, head: ChunkHead) -> None:
        """Raises CorruptFileError for a part out of order; tells that some are missing, if asked to."""
        due, self._due = self._due, max(self._due, number + 1)
        if number == due or (number > due and not self._whole):
            return
        if number < due and self.front.header.spread and not self._whole:
            return  # a share that was overtaken: its number says which it is
        why = f"{self.body.named(number)} comes where {self.body.named(due)} should"
        error = CorruptFileError(why, chunk=head.name, offset=head.offset)
        if number < due or self.on_damage is None:
            raise error
        self.on_damage(error)
        self._whole = False

    def _read_index(self, head: ChunkHead) -> None:
        """Read an index chunk; its content is a hint, so a malformed one is only noted."""
        header, count = self.front.header, self.front.header.part_count
        missing = self._whole and len(self._offsets) < count
        if header.spread or header.tile_count == 1 or self._index_offset is not None or missing:
            reject(self.source, head, "one index may come, behind all tiles if there are several")
        self._index_offset = head.offset
        limit = max_index_bytes(count)
        if head.length > limit:
            self.source.skip_payload(head)
        else:
            self._index = decode_index(self.source.read_payload(head, limit, "tiles"), count)

    def _read_end(self, head: ChunkHead) -> None:
        """Read the end chunk: all tiles must have come, nothing may follow."""
        if head.length not in (0, OFFSET_BYTES):
            reject(self.source, head, f"its payload has {head.length} bytes, not 0 or {OFFSET_BYTES}")
        pointer = self.source.read_payload(head, OFFSET_BYTES, "format")
        count = self.front.header.chunk_count
        if self._whole and (missing := count - len(self._offsets)):
            first = next(number for number in range(count) if number not in self._offsets)
            raise CorruptFileError(
                f"{missing} of {count} {self.body.type.name.lower()}s are missing, the first is "
                f"{self.body.named(first)}",
                chunk=head.name,
                offset=head.offset,
            )
        size = self.source.offset
        if self.source.read(1):
            raise CorruptFileError("bytes follow the end of the file", chunk=head.name, offset=size)
        if not self._whole:
            return
        self.size = size
        if pointer or self._index_offset is not None:
            points = self._index_offset == int.from_bytes(pointer, "little")
            self.index_valid = points and self._index is not None and self._index.agrees(self._offsets)
