"""Writes a file from front to back, to any stream, seekable or not."""

from dataclasses import replace
from typing import BinaryIO

from .chunk_types import ChunkType
from .chunks import SIGNATURE, encode_chunk
from .header import Header
from .header_fields import encode_header
from .index import OFFSET_BYTES, encode_index
from .metadata import Metadata
from .shares import Coded, encode_shares

INDEX_FROM_BYTES = 2**16  # stages are small: below this a scan is as quick as an index


class Writer:
    """Writes signature, header and metadata at once; then alpha, tiles in any order, index and end.

    Shares depend on all parts, so a file that has them is kept until it is finished.

    Every misuse is a ValueError: the file would not be valid. The stream is the caller's and is never closed.
    """

    def __init__(self, stream: BinaryIO, header: Header, metadata: Metadata | None = None) -> None:
        metadata = metadata or Metadata()
        if header.spread:
            front = len(list(metadata.parts())) + header.has_alpha
            header = replace(header, spread=replace(header.spread, front=front))
        self._stream = stream
        self._header = header
        self._offsets: dict[int, int] = {}  # of tile or part chunks, by their number
        self._parts: list[Coded] = []  # of a file in shares
        self._alpha_due = header.has_alpha
        self._finished = False
        self.bytes_written = 0
        self._write(SIGNATURE + encode_chunk(ChunkType.HEADER, encode_header(header)))
        for kind, data in metadata.parts():
            self._write(encode_chunk(kind, data))

    def write_alpha(self, data: bytes) -> None:
        """Write the alpha plane, a PNG datastream: once, before the tiles, if the header says so."""
        if not self._alpha_due:
            raise ValueError("alpha is already written, or the header has no alpha")
        self._alpha_due = False
        self._write(encode_chunk(ChunkType.ALPHA, data))

    def write_tile(self, index: int, latent_hash: int, payload: bytes, stage: int = 0) -> None:
        """Write one tile, or one stage of a tile.

        Args:
            index: tile number in raster order; each exactly once, in any order. In a still in stages all
                tiles of stage 0 in order, then all of stage 1, and so on.
            latent_hash: u32 hash of the tile's decoded integers.
            payload: entropy-coded bytes.
            stage: of a still in stages.
        Raises:
            ValueError: no such tile or stage, written before, out of order, alpha still due, or a hash
                outside 32 bits.
        """
        if self._finished or self._alpha_due:
            raise ValueError("the file is finished" if self._finished else "alpha must come before the tiles")
        if not 0 <= index < self._header.tile_count:
            raise ValueError(f"tile must be 0 to {self._header.tile_count - 1}, not {index}")
        number = stage * self._header.tile_count + index
        if not 0 <= stage < max(1, self._header.stages):
            raise ValueError(f"stage must be 0 to {max(1, self._header.stages) - 1}, not {stage}")
        if number in self._offsets:
            raise ValueError(f"tile {index} is already written")
        if self._header.stages and number != len(self._offsets):
            raise ValueError(f"part {number} comes where part {len(self._offsets)} should")
        if not 0 <= latent_hash < 2**32:
            raise ValueError(f"latent_hash must be 0 to 2**32 - 1, not {latent_hash}")
        if self._header.spread:
            self._offsets[number] = 0
            self._parts.append(Coded(latent_hash, payload))
            return
        place = number.to_bytes(self._header.tile_index_bytes, "little")
        kind = ChunkType.PART if self._header.stages else ChunkType.TILE
        chunk = encode_chunk(kind, place + latent_hash.to_bytes(4, "little") + payload)
        self._offsets[number] = self.bytes_written
        self._write(chunk)

    def finish(self) -> int:
        """Write index and end chunk, flush.

        Returns:
            bytes of the whole file.
        Raises:
            ValueError: a tile is missing, or the file is finished already.
        """
        if self._finished:
            raise ValueError("the file is finished")
        count, what = self._header.part_count, "parts" if self._header.stages else "tiles"
        if missing := count - len(self._offsets):
            raise ValueError(f"{missing} of {count} {what} have not been written")
        self._finished = True
        pointer = b""
        if self._header.spread:
            self._write_shares()
        worth = not self._header.stages or self.bytes_written >= INDEX_FROM_BYTES
        if (
            self._header.tile_count > 1 and worth and not self._header.spread
        ):  # a file of one tile needs no index
            pointer = self.bytes_written.to_bytes(OFFSET_BYTES, "little")
            offsets = [self._offsets[number] for number in range(count)]
            self._write(encode_chunk(ChunkType.INDEX, encode_index(offsets)))
        self._write(encode_chunk(ChunkType.END, pointer))
        self._stream.flush()
        return self.bytes_written

    def _write_shares(self) -> None:
        spread, count = self._header.spread, self._header.tile_count
        assert spread is not None
        stages = [self._parts[start : start + count] for start in range(0, len(self._parts), count)]
        for payload in encode_shares(spread, stages):
            self._write(encode_chunk(ChunkType.SHARE, payload))

    def _write(self, data: bytes) -> None:
        write_all(self._stream, data)
        self.bytes_written += len(data)


def write_all(stream: BinaryIO, data: bytes) -> None:
    """Write all of it: an unbuffered pipe may take less than it is given."""
    view = memoryview(data)
    while view:
        taken = stream.write(view)
        if not taken:
            raise BlockingIOError("the output takes no more bytes; Linnet needs a blocking stream")
        view = view[taken:]
