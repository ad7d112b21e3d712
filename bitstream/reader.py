"""Reads a file: forwards from any stream, or tile by tile from a seekable one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from .chunks import ChunkHead, ChunkSource, ChunkType
from .errors import CorruptFileError, LinnetError
from .front import read_front, reject, skip_unknown
from .gathering import Gathered, gather
from .header import Header
from .index import OFFSET_BYTES, TileIndex, decode_index, find_index, max_index_bytes
from .limits import Limits
from .metadata import Metadata
from .resync import DAMAGE, OnDamage, body_of, search_still

HASH_BYTES = 4


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile, or one stage of a tile."""

    index: int  # number of the tile in raster order
    latent_hash: int  # u32 hash of the decoded integers
    payload: bytes  # entropy-coded
    offset: int  # of the chunk, or of the first share, from the signature
    stage: int = 0  # of a still in stages


@dataclass(slots=True)
class _Walk:
    """What one pass over the tiles has seen."""

    offsets: dict[int, int]  # of tile or part chunks; grows with the file, never with what a header claims
    on_damage: OnDamage | None
    payload_bytes: int = 0
    index_offset: int | None = None
    index: TileIndex | None = None
    due: int = 0  # the part that comes next, of a still in stages
    whole: bool = True  # no damage has been passed over


class Reader:
    """Reads all up to the first tile at once; tiles() and tile() read the rest.

    Args:
        source: a file's bytes, or a binary stream.
        limits: what to refuse.
        on_damage: told of each damage behind the header, which is then passed over up to the next whole chunk
            (in a source that cannot seek, up to where the damaged chunk says that it ends); None to raise it.
        on_repair: told, in place of `on_damage`, of damage to shares that the others make good: all parts
            are then as they were written. None to have it treated as any damage.

    Attributes:
        header: the picture's description.
        metadata: ICC, EXIF and XMP bytes.
        alpha: PNG datastream of the alpha plane, or None.
        seekable: whether tile() works and tiles() can be called again.
        container_bytes: bytes of the file that are neither tile payload nor parity nor alpha nor metadata;
            None until tiles() has come to its end without damage.
        parity_bytes: what the shares have beyond what they are made of; 0 without shares, and till then.
        intact_shares: how many shares tiles() could use, None without shares and till then.
        index_valid: whether the index points at the tiles (None: no index, or tiles() not at its end).
            Reading never depends on it.

    Raises (constructor):
        NotLinnetError, TruncatedError, CorruptFileError, UnsupportedVersionError, LimitExceededError.
    """

    def __init__(
        self,
        source: bytes | BinaryIO,
        limits: Limits | None = None,
        on_damage: OnDamage | None = None,
        on_repair: OnDamage | None = None,
    ) -> None:
        self._limits, self._on_damage, self._on_repair = limits or Limits(), on_damage, on_repair
        self._source = ChunkSource(source)
        self._early: list[LinnetError] = []  # damage to shares, met before the first whole one
        tolerant = on_damage is not None or on_repair is not None
        on_share = self._early.append if tolerant else None
        self._front = read_front(self._source, self._limits, on_damage, on_share)
        self.header: Header = self._front.header
        self._body = body_of(self.header)
        self._search = search_still(self._source, self.header, bytes([ChunkType.INDEX]))
        self.metadata: Metadata = self._front.metadata
        self.alpha: bytes | None = self._front.alpha
        self.seekable = self._source.seekable
        self.container_bytes: int | None = None
        self.parity_bytes = 0
        self.intact_shares: int | None = None
        self.index_valid: bool | None = None
        self._started = False
        self._index: TileIndex | None = None
        self._index_sought = False
        self._offsets: dict[int, int] = {}  # of all tile or part chunks that any walk has seen
        self._scan: Iterator[Tile] | None = None
        self._parts: dict[int, Tile] = {}  # of a file in shares, once tile() has been called

    def tiles(self) -> Iterator[Tile]:
        """Give all tiles, or parts, in the order of the file, and check the file to its last byte.

        Raises:
            TruncatedError, CorruptFileError (damage; a tile missing or twice; bytes after the end),
            UnsupportedVersionError (a critical chunk of a newer version), LimitExceededError;
            ValueError: a second call on a source that cannot seek.
        """
        if self._started and not self.seekable:
            raise ValueError("the source cannot seek: its tiles can be read only once")
        self._started = True
        return self._from_shares() if self.header.spread else self._walk(self._on_damage)

    def tile(self, index: int, stage: int = 0) -> Tile:
        """Give one tile or part of a seekable source: through the index, or by a scan where that fails.

        Raises:
            as tiles(); ValueError: no such tile or stage, or the source cannot seek.
        """
        if not self.seekable:
            raise ValueError("the source cannot seek: read it with tiles(), or give its bytes")
        if not 0 <= index < self.header.tile_count:
            raise ValueError(f"tile must be 0 to {self.header.tile_count - 1}, not {index}")
        if not 0 <= stage < max(1, self.header.stages):
            raise ValueError(f"stage must be 0 to {max(1, self.header.stages) - 1}, not {stage}")
        number = stage * self.header.tile_count + index
        if self.header.spread:
            self._parts = self._parts or {self._number(part): part for part in self._from_shares()}
            if number not in self._parts:
                raise CorruptFileError(f"too few shares are left for stage {stage}", chunk="share")
            return self._parts[number]
        if not self._index_sought:
            self._index = find_index(self._source, self.header.part_count)
            self._index_sought = True
        if self._index is not None:
            try:
                return self._tile_at(self._index.offset(number), number)
            except LinnetError:  # a wrong index or a damaged tile: the scan tells them apart
                self._index = None
        return self._scan_for(number)

    def _from_shares(self) -> Iterator[Tile]:
        """Give the parts that the shares suffice for; then raise what is wrong, unless someone is told."""
        tolerant = self._on_damage is not None or self._on_repair is not None
        errors = list(self._early)
        shares = gather(self.header, self._walk(errors.append if tolerant else None), errors)
        self.intact_shares = shares.intact
        whole = len(shares.stages) == self.header.stages
        tell = (self._on_repair if whole else None) or self._on_damage
        if not errors:
            self._count(shares)
        for error in errors:
            if tell is not None:
                tell(error)
        for stage, tiles in enumerate(shares.stages):
            for index, tile in enumerate(tiles):
                yield Tile(index, tile.hash, tile.payload, self._front.next_head.offset, stage)
        if errors and not tell:
            raise self._too_few(errors[0], shares)

    def _too_few(self, error: LinnetError, shares: Gathered) -> LinnetError:
        """The damage that cannot be made good, and why not."""
        spread, stage = self.header.spread, len(shares.stages)
        if spread is None or stage == self.header.stages or shares.intact >= spread.needed[stage]:
            return error
        left = (
            f"{shares.intact} of {spread.count} shares are left, stage {stage} needs {spread.needed[stage]}"
        )
        return type(error)(f"{error.message}; {left}", chunk=error.chunk, offset=error.offset)

    def _count(self, shares: Gathered) -> None:
        """Tell payload from parity, once a whole file has been read."""
        if self.container_bytes is not None:
            self.parity_bytes = shares.share_bytes - shares.coded_bytes

    def _walk(self, on_damage: OnDamage | None) -> Iterator[Tile]:
        """Give the tiles from the first on; keeps its own place, so that several walks can alternate.

        Of a file in shares it gives these, with their numbers for those of tiles.
        """
        walk = _Walk({}, on_damage)
        head = self._front.next_head
        if self.seekable:
            self._source.seek(self._front.next_payload)
        while True:
            current: ChunkHead | None = head
            start = head.offset
            try:
                tile = self._take(head, walk)
                position = self._source.offset
                if tile is not None:
                    yield tile
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
                walk.whole = False
                behind = self._behind_damage(current, start)
                if behind is None:
                    return
                head = behind

    def _behind_damage(self, head: ChunkHead | None, start: int) -> ChunkHead | None:
        """The head of the next whole chunk, None if there is none or the source cannot seek there."""
        if self.seekable:
            offset = self._search.next(head, start)
            if offset is None:
                return None
            self._source.seek(offset)
        elif head is None or head.type == ChunkType.END or self._source.offset < start + head.length:
            return None
        try:
            return self._source.read_head()
        except LinnetError:
            return None

    def _take(self, head: ChunkHead, walk: _Walk) -> Tile | None:
        """Read one chunk; None if it is no tile."""
        if head.type == self._body:
            return self._next_tile(head, walk)
        if head.type == ChunkType.INDEX:
            self._read_index(head, walk)
        elif head.type == ChunkType.END:
            self._read_end(head, walk)
        elif head.known:
            reject(self._source, head, "it must come before the tiles")
        else:
            skip_unknown(self._source, head, self.header)
        return None

    def _next_tile(self, head: ChunkHead, walk: _Walk) -> Tile:
        tile = self._read_tile(head)
        number = self._number(tile)
        if number in walk.offsets or walk.index_offset is not None:
            why = "comes twice" if number in walk.offsets else "comes behind the index"
            raise CorruptFileError(f"{self._named(number)} {why}", chunk=head.name, offset=head.offset)
        if self.header.stages:
            self._check_order(number, head, walk)
        walk.offsets[number] = self._offsets[number] = head.offset
        walk.payload_bytes += len(tile.payload)
        return tile

    def _check_order(self, number: int, head: ChunkHead, walk: _Walk) -> None:
        """Raises CorruptFileError for a part out of order; tells that some are missing, if asked to."""
        due, walk.due = walk.due, max(walk.due, number + 1)
        if number == due or (number > due and not walk.whole):
            return
        why = f"{self._named(number)} comes where {self._named(due)} should"
        error = CorruptFileError(why, chunk=head.name, offset=head.offset)
        if number < due or walk.on_damage is None:
            raise error
        walk.on_damage(error)
        walk.whole = False

    def _number(self, tile: Tile) -> int:
        """What the index field of the tile's or share's chunk holds."""
        return tile.stage * self.header.tile_count + tile.index

    def _named(self, number: int) -> str:
        """A tile, part or share in words."""
        if self.header.spread:
            return f"share {number}"
        stage, tile = divmod(number, self.header.tile_count)
        return f"stage {stage} of tile {tile}" if self.header.stages else f"tile {tile}"

    def _read_tile(self, head: ChunkHead) -> Tile:
        width, count = self.header.tile_index_bytes, self.header.chunk_count
        prefix = width + (0 if self.header.spread else HASH_BYTES)
        data = self._source.read_payload(head, self._limits.max_tile_bytes + prefix, "Limits.max_tile_bytes")
        number = int.from_bytes(data[:width], "little")
        if len(data) < prefix or number >= count:
            raise CorruptFileError(
                f"{head.name} {number} of {len(data)} bytes: {head.name}s are 0 to {count - 1} and have at "
                f"least {prefix} bytes",
                chunk=head.name,
                offset=head.offset,
            )
        if self.header.spread:
            return Tile(number, 0, data[width:], head.offset)
        stage, index = divmod(number, self.header.tile_count)
        return Tile(index, int.from_bytes(data[width:prefix], "little"), data[prefix:], head.offset, stage)

    def _read_index(self, head: ChunkHead, walk: _Walk) -> None:
        """Read an index chunk; its content is a hint, so a malformed one is only noted."""
        count = self.header.part_count
        missing = walk.whole and len(walk.offsets) < count
        if self.header.spread or self.header.tile_count == 1 or walk.index_offset is not None or missing:
            reject(self._source, head, "one index may come, behind all tiles if there are several")
        walk.index_offset = head.offset
        limit = max_index_bytes(count)
        if head.length > limit:
            self._source.skip_payload(head)
        else:
            payload = self._source.read_payload(head, limit, "tiles")
            walk.index = decode_index(payload, count)

    def _read_end(self, head: ChunkHead, walk: _Walk) -> None:
        """Read the end chunk: all tiles must have come, nothing may follow."""
        if head.length not in (0, OFFSET_BYTES):
            reject(self._source, head, f"its payload has {head.length} bytes, not 0 or {OFFSET_BYTES}")
        pointer = self._source.read_payload(head, OFFSET_BYTES, "format")
        count = self.header.chunk_count
        if walk.whole and (missing := count - len(walk.offsets)):
            first = next(number for number in range(count) if number not in walk.offsets)
            raise CorruptFileError(
                f"{missing} of {count} {self._body.name.lower()}s are missing, the first is "
                f"{self._named(first)}",
                chunk=head.name,
                offset=head.offset,
            )
        size = self._source.offset
        if self._source.read(1):
            raise CorruptFileError("bytes follow the end of the file", chunk=head.name, offset=size)
        if not walk.whole:
            return
        carried = walk.payload_bytes + len(self.alpha or b"") + self.metadata.byte_count
        self.container_bytes = size - carried
        if pointer or walk.index_offset is not None:
            points = walk.index_offset == int.from_bytes(pointer, "little")
            self.index_valid = points and walk.index is not None and walk.index.agrees(walk.offsets)

    def _tile_at(self, offset: int, number: int) -> Tile:
        self._source.seek(offset)
        head = self._source.read_head()
        if head.type == self._body:
            tile = self._read_tile(head)
            if self._number(tile) == number:
                return tile
        raise CorruptFileError(f"no {self._named(number)} here", chunk=head.name, offset=offset)

    def _scan_for(self, number: int) -> Tile:
        """Go on with the scan until the tile comes; tiles passed before are known by their offsets."""
        if number in self._offsets:
            return self._tile_at(self._offsets[number], number)
        scan = self._scan or self._walk(self._on_damage)
        self._scan = None  # an error ends the scan: the next call starts anew and meets it again
        for tile in scan:
            if self._number(tile) == number:
                self._scan = scan
                return tile
        raise CorruptFileError(f"{self._named(number)} is missing", chunk="end", offset=self._source.offset)
