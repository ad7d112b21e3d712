"""Writes a file from front to back, to any stream, seekable or not."""

from dataclasses import replace
from typing import BinaryIO

from .body import body_of, encode_tile
from .chunk_types import ChunkType
from .header import Header
from .index import encode_index
from .metadata import Metadata
from .pieces import Coded
from .shares import encode_shares
from .sink import ChunkSink

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
        self._sink = ChunkSink(stream, header)
        self._header = header
        self._offsets: dict[int, int] = {}  # of tile or part chunks, by their number
        self._parts: list[Coded] = []  # of a file in shares
        self._alpha_due = header.has_alpha
        self._finished = False
        for kind, data in metadata.parts():
            self._sink.write(kind, data)

    @property
    def bytes_written(self) -> int:
        """Of the file so far."""
        return self._sink.bytes_written

    def write_alpha(self, data: bytes) -> None:
        """Write the alpha plane, a PNG datastream: once, before the tiles, if the header says so."""
        if not self._alpha_due:
            raise ValueError("alpha is already written, or the header has no alpha")
        self._alpha_due = False
        self._sink.write(ChunkType.ALPHA, data)

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
        number = self._header.part_number(index, stage)
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
        data = encode_tile(self._header, number, Coded(latent_hash, payload))
        self._offsets[number] = self.bytes_written
        self._sink.write(body_of(self._header), data)

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
        if self._header.spread:
            self._write_shares()
            return self._sink.finish(None)
        worth = not self._header.stages or self.bytes_written >= INDEX_FROM_BYTES
        if self._header.tile_count == 1 or not worth:  # a file of one tile needs no index
            return self._sink.finish(None)
        return self._sink.finish(encode_index([self._offsets[number] for number in range(count)]))

    def _write_shares(self) -> None:
        spread, count = self._header.spread, self._header.tile_count
        assert spread is not None
        stages = [self._parts[start : start + count] for start in range(0, len(self._parts), count)]
        for payload in encode_shares(spread, stages):
            self._sink.write(ChunkType.SHARE, payload)
