"""The chunks that hold a still's picture, tiles, parts or shares: their numbers, names and payloads."""

from dataclasses import dataclass

from .chunk_types import ChunkHead, ChunkType
from .chunks import ChunkSource
from .errors import CorruptFileError
from .header import Header
from .limits import Limits
from .pieces import HASH_BYTES, Coded


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile, or one stage of a tile."""

    index: int  # number of the tile in raster order
    latent_hash: int  # u32 hash of the decoded integers
    payload: bytes  # entropy-coded
    offset: int  # of the chunk, or of the first share, from the signature
    stage: int = 0  # of a still in stages


def body_of(header: Header) -> ChunkType:
    """The chunks that hold the picture of a still: tiles, parts or shares."""
    if header.spread:
        return ChunkType.SHARE
    return ChunkType.PART if header.stages else ChunkType.TILE


def encode_tile(header: Header, number: int, tile: Coded) -> bytes:
    """Write the payload of a tile or part chunk: what Body.read reads."""
    prefix = number.to_bytes(header.tile_index_bytes, "little") + tile.hash.to_bytes(HASH_BYTES, "little")
    return prefix + tile.payload


@dataclass(frozen=True, slots=True)
class Body:
    """These chunks of one file. A share passes for a Tile that has no hash, its number for that of a tile."""

    header: Header
    limits: Limits

    @property
    def type(self) -> ChunkType:
        """Which of the three they are."""
        return body_of(self.header)

    def number(self, tile: Tile) -> int:
        """What the index field of the chunk holds."""
        return tile.stage * self.header.tile_count + tile.index

    def named(self, number: int) -> str:
        """A tile, part or share in words."""
        if self.header.spread:
            return f"share {number}"
        stage, tile = divmod(number, self.header.tile_count)
        return f"stage {stage} of tile {tile}" if self.header.stages else f"tile {tile}"

    def read(self, source: ChunkSource, head: ChunkHead) -> Tile:
        """Read the payload behind a head of this type.

        Raises:
            TruncatedError, CorruptFileError, LimitExceededError.
        """
        width, count = self.header.tile_index_bytes, self.header.chunk_count
        prefix = width + (0 if self.header.spread else HASH_BYTES)
        data = source.read_payload(head, self.limits.max_tile_bytes + prefix, "Limits.max_tile_bytes")
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

    def read_at(self, source: ChunkSource, offset: int, number: int) -> Tile:
        """Read the chunk that is said to be at an offset. Raises as read(), also if another one is there."""
        source.seek(offset)
        head = source.read_head()
        if head.type == self.type:
            tile = self.read(source, head)
            if self.number(tile) == number:
                return tile
        raise CorruptFileError(f"no {self.named(number)} here", chunk=head.name, offset=offset)
