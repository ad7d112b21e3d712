"""Reads a file: forwards from any stream, or tile by tile from a seekable one.

How bytes become tiles: front.py reads up to the first of them, walk.py goes on chunk by chunk (past damage
with resync.py), body.py takes a chunk apart, and gathering.py makes tiles of shares. With index.py one tile
is found without a walk.
"""

from collections.abc import Iterator
from typing import BinaryIO

from .body import Body, Tile
from .chunk_types import ChunkType
from .chunks import ChunkSource
from .errors import CorruptFileError, LinnetError
from .front import read_front
from .gathering import gather, too_few
from .header import Header
from .index import TileIndex, find_index
from .limits import Limits
from .metadata import Metadata
from .resync import OnDamage, search_still
from .walk import Walk

__all__ = ["Reader", "Tile"]


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
        limits = limits or Limits()
        self._on_damage, self._on_repair = on_damage, on_repair
        self._source = ChunkSource(source)
        self._early: list[LinnetError] = []  # damage to shares, met before the first whole one
        tolerant = on_damage is not None or on_repair is not None
        on_share = self._early.append if tolerant else None
        self._front = read_front(self._source, limits, on_damage, on_share)
        self.header: Header = self._front.header
        self._body = Body(self.header, limits)
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
        number = self.header.part_number(index, stage)
        if self.header.spread:
            self._parts = self._parts or {self._body.number(part): part for part in self._from_shares()}
            if number not in self._parts:
                raise CorruptFileError(f"too few shares are left for stage {stage}", chunk="share")
            return self._parts[number]
        if not self._index_sought:
            self._index = find_index(self._source, self.header.part_count)
            self._index_sought = True
        if self._index is not None:
            try:
                return self._body.read_at(self._source, self._index.offset(number), number)
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
            self.parity_bytes = shares.share_bytes - shares.coded_bytes
        for error in errors:
            if tell is not None:
                tell(error)
        for stage, tiles in enumerate(shares.stages):
            for index, tile in enumerate(tiles):
                yield Tile(index, tile.hash, tile.payload, self._front.next_head.offset, stage)
        if errors and not tell:
            raise too_few(errors[0], self.header, shares)

    def _walk(self, on_damage: OnDamage | None) -> Iterator[Tile]:
        """Give the tiles, parts or shares from the first on, and keep what the walk over them finds."""
        walk = Walk(self._source, self._front, self._body, self._search, on_damage)
        for tile in walk.items():
            self._offsets[self._body.number(tile)] = tile.offset
            yield tile
        if walk.size is not None:
            carried = walk.payload_bytes + len(self.alpha or b"") + self.metadata.byte_count
            self.container_bytes, self.index_valid = walk.size - carried, walk.index_valid

    def _scan_for(self, number: int) -> Tile:
        """Go on with the scan until the tile comes; tiles passed before are known by their offsets."""
        if number in self._offsets:
            return self._body.read_at(self._source, self._offsets[number], number)
        scan = self._scan or self._walk(self._on_damage)
        self._scan = None  # an error ends the scan: the next call starts anew and meets it again
        for tile in scan:
            if self._body.number(tile) == number:
                self._scan = scan
                return tile
        raise CorruptFileError(
            f"{self._body.named(number)} is missing", chunk="end", offset=self._source.offset
        )
