"""Reads a file: forwards from any stream, or tile by tile from a seekable one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from .chunks import ANCILLARY_BIT, RESERVED_MASK, RESERVED_VALUE, ChunkHead, ChunkSource, ChunkType
from .errors import CorruptFileError, LinnetError, UnsupportedVersionError
from .header import MAJOR, MAX_HEADER_BYTES, MINOR, Header, decode_header
from .index import OFFSET_BYTES, TileIndex, decode_index, find_index, max_index_bytes
from .limits import Limits
from .metadata import Metadata

_FRONT = {ChunkType.ICC, ChunkType.EXIF, ChunkType.XMP, ChunkType.ALPHA}
_HASH_BYTES = 4


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile as it stands in the file."""

    index: int  # number in raster order
    latent_hash: int  # u32 hash of the decoded integers
    payload: bytes  # entropy-coded
    offset: int  # of the chunk, from the signature


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
        self.seekable = self._source.seekable
        self._source.read_signature()
        self.header: Header = self._read_header()
        self.metadata: Metadata
        self.alpha: bytes | None
        self._first, self._start = self._read_front()  # head of the first tile, offset behind it
        self._started = False
        self._index: TileIndex | None = None
        self._index_sought = False
        self._offsets: dict[int, int] = {}  # of tile chunks seen so far
        self._scan: Iterator[Tile] | None = None
        self.container_bytes: int | None = None
        self.index_valid: bool | None = None

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
        offset = self._index.offset(index) if self._index else self._offsets.get(index)
        if offset is not None:
            try:
                return self._tile_at(offset, index)
            except LinnetError:  # a wrong index or real damage: the scan tells them apart
                self._index = None
        return self._scan_for(index)

    def _read_header(self) -> Header:
        head = self._source.read_head()
        if head.type != ChunkType.HEADER or head.length > MAX_HEADER_BYTES:
            raise CorruptFileError(
                f"a header has at most {MAX_HEADER_BYTES} bytes, here come {head.length} bytes of {head.name}",
                chunk=head.name,
                offset=head.offset,
            )
        payload = self._source.read_payload(head, MAX_HEADER_BYTES, "format")
        header = decode_header(payload, head.offset)
        self._limits.check_size(header.width, header.height, chunk=head.name, offset=head.offset)
        return header

    def _read_front(self) -> tuple[ChunkHead, int]:
        """Read metadata and alpha; return the head of the first chunk behind them."""
        found: dict[int, bytes] = {}
        left = self._limits.max_metadata_bytes
        while True:
            head = self._source.read_head()
            if head.type in found or head.type == ChunkType.HEADER:
                self._reject(head, "it may come only once")
            elif head.type == ChunkType.ALPHA:
                found[head.type] = self._read_alpha(head)
            elif head.type in _FRONT:
                found[head.type] = self._source.read_payload(head, left, "Limits.max_metadata_bytes")
                left -= head.length
                if head.length == 0:
                    raise CorruptFileError("the metadata is empty", chunk=head.name, offset=head.offset)
            elif head.known:
                break
            else:
                self._skip_unknown(head)
        self.alpha = found.get(ChunkType.ALPHA)
        self.metadata = Metadata(
            found.get(ChunkType.ICC), found.get(ChunkType.EXIF), found.get(ChunkType.XMP)
        )
        if self.header.has_alpha and self.alpha is None:
            self._reject(head, "the header announces alpha, but no alpha chunk comes before it")
        return head, self._source.offset

    def _read_alpha(self, head: ChunkHead) -> bytes:
        payload = self._source.read_payload(head, self._limits.max_alpha_bytes, "Limits.max_alpha_bytes")
        if not self.header.has_alpha:
            raise CorruptFileError("the header announces no alpha", chunk=head.name, offset=head.offset)
        return payload

    def _skip_unknown(self, head: ChunkHead) -> None:
        """Skip an ancillary chunk, refuse a critical one; both only once the CRC has ruled out damage."""
        self._source.skip_payload(head)
        reserved = head.type & RESERVED_MASK != RESERVED_VALUE
        if not reserved and head.type & ANCILLARY_BIT:
            return
        what = f"type {head.type:02x} with reserved bits" if reserved else f"critical {head.name}"
        raise UnsupportedVersionError(
            f"the file (format {self.header.format_version}) has a chunk of {what}, "
            f"unknown to format {MAJOR}.{MINOR}: it needs a newer Linnet",
            chunk=head.name,
            offset=head.offset,
        )

    def _reject(self, head: ChunkHead, why: str) -> None:
        """Report a known chunk in a wrong place, unless it is damaged: then that is the news."""
        self._source.skip_payload(head)
        raise CorruptFileError(f"misplaced chunk: {why}", chunk=head.name, offset=head.offset)

    def _walk(self) -> Iterator[Tile]:
        """Give the tiles from the first on; keeps its own place, so that several walks can alternate."""
        head = self._first
        seen = bytearray(self.header.tile_count)
        payload_bytes = 0
        index: tuple[int, TileIndex | None] | None = None  # offset of the index chunk, content
        if self.seekable:
            self._source.seek(self._start)
        while True:
            if head.type == ChunkType.TILE:
                tile = self._read_tile(head)
                if index is not None or seen[tile.index]:
                    why = "comes twice" if seen[tile.index] else "comes behind the index"
                    raise CorruptFileError(f"tile {tile.index} {why}", chunk=head.name, offset=head.offset)
                seen[tile.index] = 1
                self._offsets[tile.index] = head.offset
                payload_bytes += len(tile.payload)
                position = self._source.offset
                yield tile
                if self.seekable:
                    self._source.seek(position)
            elif head.type == ChunkType.END:
                self._read_end(head, seen, index)
                self._count_container(payload_bytes)
                return
            elif head.type == ChunkType.INDEX:
                if index is not None or not all(seen):
                    self._reject(head, "one index comes, behind all tiles")
                index = head.offset, self._read_index(head)
            elif head.known:
                self._reject(head, "it must come before the tiles")
            else:
                self._skip_unknown(head)
            head = self._source.read_head()

    def _read_tile(self, head: ChunkHead) -> Tile:
        width = self.header.tile_index_bytes
        limit = self._limits.max_tile_bytes + width + _HASH_BYTES
        data = self._source.read_payload(head, limit, "Limits.max_tile_bytes")
        if len(data) < width + _HASH_BYTES:
            raise CorruptFileError(
                f"a tile needs at least {width + _HASH_BYTES} bytes, it has {len(data)}",
                chunk=head.name,
                offset=head.offset,
            )
        index = int.from_bytes(data[:width], "little")
        if index >= self.header.tile_count:
            raise CorruptFileError(
                f"tile {index} is outside 0 to {self.header.tile_count - 1}",
                chunk=head.name,
                offset=head.offset,
            )
        latent_hash = int.from_bytes(data[width : width + _HASH_BYTES], "little")
        return Tile(index, latent_hash, data[width + _HASH_BYTES :], head.offset)

    def _read_index(self, head: ChunkHead) -> TileIndex | None:
        """Read an index chunk, None if malformed; one too large to be right is passed over."""
        limit = max_index_bytes(self.header.tile_count)
        if head.length > limit:
            self._source.skip_payload(head)
            return None
        return decode_index(self._source.read_payload(head, limit, "tiles"), self.header.tile_count)

    def _read_end(self, head: ChunkHead, seen: bytearray, index: tuple[int, TileIndex | None] | None) -> None:
        """Read the end chunk; all tiles must have come, nothing may follow."""
        if head.length not in (0, OFFSET_BYTES):
            self._reject(head, f"its payload has {head.length} bytes, not 0 or {OFFSET_BYTES}")
        pointer = self._source.read_payload(head, OFFSET_BYTES, "format")
        if not all(seen):
            missing = [tile for tile, done in enumerate(seen) if not done]
            some = ", ".join(str(tile) for tile in missing[:8]) + (", ..." if len(missing) > 8 else "")
            raise CorruptFileError(
                f"{len(missing)} of {len(seen)} tiles are missing: {some}",
                chunk=head.name,
                offset=head.offset,
            )
        behind = self._source.offset
        if self._source.read(1):
            raise CorruptFileError("bytes follow the end of the file", chunk=head.name, offset=behind)
        self._source.offset = behind
        if index is not None or pointer:
            self.index_valid = self._index_agrees(index, int.from_bytes(pointer, "little"))

    def _index_agrees(self, index: tuple[int, TileIndex | None] | None, pointer: int) -> bool:
        """Whether end chunk and index point where index and tiles really are."""
        if index is None or index[1] is None or index[0] != pointer:
            return False
        content = index[1]
        return all(content.offset(tile) == offset for tile, offset in self._offsets.items())

    def _count_container(self, payload_bytes: int) -> None:
        carried = payload_bytes + len(self.alpha or b"") + self.metadata.byte_count
        self.container_bytes = self._source.offset - carried

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
