"""Reads a file: forwards from any stream, or tile by tile from a seekable one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from .chunks import ChunkHead, ChunkSource, ChunkType
from .errors import CorruptFileError, LinnetError
from .front import read_front, reject, skip_unknown
from .header import Header
from .index import OFFSET_BYTES, TileIndex, decode_index, find_index, max_index_bytes
from .limits import Limits
from .metadata import Metadata

HASH_BYTES = 4


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile as it stands in the file."""

    index: int  # number in raster order
    latent_hash: int  # u32 hash of the decoded integers
    payload: bytes  # entropy-coded
    offset: int  # of the chunk, from the signature


@dataclass(slots=True)
class _Walk:
    """What one pass over the tiles has seen."""

    offsets: dict[int, int]  # of tile chunks; grows with the file, never with what a header claims
    payload_bytes: int = 0
    index_offset: int | None = None
    index: TileIndex | None = None


class Reader:
    """Reads all up to the first tile at once; tiles() and tile() read the rest.

    Attributes:
        header: the picture's description.
        metadata: ICC, EXIF and XMP bytes.
        alpha: PNG datastream of the alpha plane, or None.
        seekable: whether tile() works and tiles() can be called again.
        container_bytes: bytes of the file that are neither tile payload nor alpha nor metadata; None until
            tiles() has come to its end.
        index_valid: whether the index points at the tiles (None: no index, or tiles() not at its end).
            Reading never depends on it.

    Raises (constructor):
        NotLinnetError, TruncatedError, CorruptFileError, UnsupportedVersionError, LimitExceededError.
    """

    def __init__(self, source: bytes | BinaryIO, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._source = ChunkSource(source)
        self._front = read_front(self._source, self._limits)
        self.header: Header = self._front.header
        self.metadata: Metadata = self._front.metadata
        self.alpha: bytes | None = self._front.alpha
        self.seekable = self._source.seekable
        self.container_bytes: int | None = None
        self.index_valid: bool | None = None
        self._started = False
        self._index: TileIndex | None = None
        self._index_sought = False
        self._offsets: dict[int, int] = {}  # of all tile chunks that any walk has seen
        self._scan: Iterator[Tile] | None = None

    def tiles(self) -> Iterator[Tile]:
        """Give all tiles in the order of the file, and check the file to its last byte.

        Raises:
            TruncatedError, CorruptFileError (damage; a tile missing or twice; bytes after the end),
            UnsupportedVersionError (a critical chunk of a newer version), LimitExceededError;
            ValueError: a second call on a source that cannot seek.
        """
        if self._started and not self.seekable:
            raise ValueError("the source cannot seek: its tiles can be read only once")
        self._started = True
        return self._walk()

    def tile(self, index: int) -> Tile:
        """Give one tile of a seekable source: through the index, or by a scan where that fails.

        Raises:
            as tiles(); ValueError: no such tile, or the source cannot seek.
        """
        if not self.seekable:
            raise ValueError("the source cannot seek: read it with tiles(), or give its bytes")
        if not 0 <= index < self.header.tile_count:
            raise ValueError(f"tile must be 0 to {self.header.tile_count - 1}, not {index}")
        if not self._index_sought:
            self._index = find_index(self._source, self.header.tile_count)
            self._index_sought = True
        if self._index is not None:
            try:
                return self._tile_at(self._index.offset(index), index)
            except LinnetError:  # a wrong index or a damaged tile: the scan tells them apart
                self._index = None
        return self._scan_for(index)

    def _walk(self) -> Iterator[Tile]:
        """Give the tiles from the first on; keeps its own place, so that several walks can alternate."""
        walk = _Walk({})
        head = self._front.next_head
        if self.seekable:
            self._source.seek(self._front.next_payload)
        while head.type != ChunkType.END:
            if head.type == ChunkType.TILE:
                tile = self._next_tile(head, walk)
                position = self._source.offset
                yield tile
                if self.seekable:
                    self._source.seek(position)
            elif head.type == ChunkType.INDEX:
                self._read_index(head, walk)
            elif head.known:
                reject(self._source, head, "it must come before the tiles")
            else:
                skip_unknown(self._source, head, self.header)
            head = self._source.read_head()
        self._read_end(head, walk)

    def _next_tile(self, head: ChunkHead, walk: _Walk) -> Tile:
        tile = self._read_tile(head)
        if tile.index in walk.offsets or walk.index_offset is not None:
            why = "comes twice" if tile.index in walk.offsets else "comes behind the index"
            raise CorruptFileError(f"tile {tile.index} {why}", chunk=head.name, offset=head.offset)
        walk.offsets[tile.index] = self._offsets[tile.index] = head.offset
        walk.payload_bytes += len(tile.payload)
        return tile

    def _read_tile(self, head: ChunkHead) -> Tile:
        width = self.header.tile_index_bytes
        prefix = width + HASH_BYTES
        data = self._source.read_payload(head, self._limits.max_tile_bytes + prefix, "Limits.max_tile_bytes")
        index = int.from_bytes(data[:width], "little")
        if len(data) < prefix or index >= self.header.tile_count:
            raise CorruptFileError(
                f"tile {index} of {len(data)} bytes: tiles are 0 to {self.header.tile_count - 1} and have at "
                f"least {prefix} bytes",
                chunk=head.name,
                offset=head.offset,
            )
        return Tile(index, int.from_bytes(data[width:prefix], "little"), data[prefix:], head.offset)

    def _read_index(self, head: ChunkHead, walk: _Walk) -> None:
        """Read an index chunk; its content is a hint, so a malformed one is only noted."""
        count = self.header.tile_count
        if count == 1 or walk.index_offset is not None or len(walk.offsets) < count:
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
        count = self.header.tile_count
        if missing := count - len(walk.offsets):
            first = next(tile for tile in range(count) if tile not in walk.offsets)
            raise CorruptFileError(
                f"{missing} of {count} tiles are missing, the first is tile {first}",
                chunk=head.name,
                offset=head.offset,
            )
        size = self._source.offset
        if self._source.read(1):
            raise CorruptFileError("bytes follow the end of the file", chunk=head.name, offset=size)
        carried = walk.payload_bytes + len(self.alpha or b"") + self.metadata.byte_count
        self.container_bytes = size - carried
        if pointer or walk.index_offset is not None:
            points = walk.index_offset == int.from_bytes(pointer, "little")
            self.index_valid = points and walk.index is not None and walk.index.agrees(walk.offsets)

    def _tile_at(self, offset: int, index: int) -> Tile:
        self._source.seek(offset)
        head = self._source.read_head()
        if head.type == ChunkType.TILE:
            tile = self._read_tile(head)
            if tile.index == index:
                return tile
        raise CorruptFileError(f"no tile {index} here", chunk=head.name, offset=offset)

    def _scan_for(self, index: int) -> Tile:
        """Go on with the scan until the tile comes; tiles passed before are known by their offsets."""
        if index in self._offsets:
            return self._tile_at(self._offsets[index], index)
        scan = self._scan or self._walk()
        self._scan = None  # an error ends the scan: the next call starts anew and meets it again
        for tile in scan:
            if tile.index == index:
                self._scan = scan
                return tile
        raise CorruptFileError(f"tile {index} is missing", chunk="end", offset=self._source.offset)
