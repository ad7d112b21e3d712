"""The index of tiles: a hint that makes random access fast, and is never trusted."""

from dataclasses import dataclass

from .chunk_types import ChunkType
from .chunks import CRC_BYTES, ChunkSource, encode_chunk
from .errors import LinnetError

OFFSET_BYTES = 8  # of the end chunk's pointer to the index
END_BYTES = 2 + OFFSET_BYTES + CRC_BYTES  # an end chunk that points at an index


@dataclass(frozen=True, slots=True)
class TileIndex:
    """Offsets of the tile or part chunks, kept as the bytes of the index chunk.

    Source: FORMAT.md section 11.
    """

    entry_bytes: int  # 1 to 8
    entries: bytes  # [chunks * entry_bytes], little-endian

    def offset(self, tile: int) -> int:
        """Where the index says that the tile's chunk starts, from the signature."""
        start = tile * self.entry_bytes
        return int.from_bytes(self.entries[start : start + self.entry_bytes], "little")

    def agrees(self, offsets: dict[int, int]) -> bool:
        """Whether it gives the offset of each of these tiles, keyed by tile number."""
        return all(self.offset(tile) == offset for tile, offset in offsets.items())


def encode_index(offsets: list[int]) -> bytes:
    """Write the payload of the index chunk from the chunk offset of each tile, in order of tile number."""
    width = (max(offsets).bit_length() + 7) // 8
    return bytes([width]) + b"".join(offset.to_bytes(width, "little") for offset in offsets)


def decode_index(payload: bytes, tile_count: int) -> TileIndex | None:
    """Read the payload of an index chunk; None if its size does not fit the number of tiles."""
    if not payload or not 1 <= payload[0] <= 8 or len(payload) != 1 + payload[0] * tile_count:
        return None
    return TileIndex(payload[0], payload[1:])


def max_index_bytes(tile_count: int) -> int:
    """The largest payload of an index chunk."""
    return 1 + 8 * tile_count


def stored_index(source: ChunkSource, limit: int) -> bytes | None:
    """The payload of the index chunk that the end of a seekable source points at; None where there is none.

    Args:
        limit: the most bytes to accept.
    """
    size = source.size()
    if size < END_BYTES:
        return None
    source.seek(size - END_BYTES)
    tail = source.read(END_BYTES)
    pointer = tail[2 : 2 + OFFSET_BYTES]
    offset = int.from_bytes(pointer, "little")
    if tail != encode_chunk(ChunkType.END, pointer) or offset >= size:
        return None
    source.seek(offset)
    try:
        head = source.read_head()
        return source.read_payload(head, limit, "index") if head.type == ChunkType.INDEX else None
    except LinnetError:  # whatever is wrong there, a scan does without the index and reports real damage
        return None


def find_index(source: ChunkSource, tile_count: int) -> TileIndex | None:
    """Find the index of a seekable source from its end; None where there is none or it is malformed."""
    payload = stored_index(source, max_index_bytes(tile_count))
    index = None if payload is None else decode_index(payload, tile_count)
    size = source.size()
    inside = index is not None and all(index.offset(tile) < size for tile in range(tile_count))
    return index if inside else None  # an offset past the end could overflow a seek
