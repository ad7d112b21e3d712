"""The writing end of a file: signature and header, chunks, index and end; to any stream, seekable or not."""

from typing import BinaryIO

from .chunk_types import ChunkType
from .chunks import SIGNATURE, encode_chunk
from .header import Header
from .header_fields import encode_header
from .index import OFFSET_BYTES
from .streams import flush, write_all


class ChunkSink:
    """Writes signature and header at once, then what it is given.

    The stream is the caller's: it is never closed, and the file may start at its current position.

    Attributes:
        bytes_written: of the file so far.
    """

    def __init__(self, stream: BinaryIO, header: Header) -> None:
        self._stream = stream
        self.bytes_written = 0
        self._write(SIGNATURE + encode_chunk(ChunkType.HEADER, encode_header(header)))

    def write(self, kind: ChunkType, payload: bytes) -> None:
        """Write a chunk."""
        self._write(encode_chunk(kind, payload))

    def finish(self, index: bytes | None) -> int:
        """Write the index, if there is one, and the end chunk, which points at it; flush.

        Returns:
            bytes of the whole file.
        """
        pointer = b""
        if index is not None:
            pointer = self.bytes_written.to_bytes(OFFSET_BYTES, "little")
            self.write(ChunkType.INDEX, index)
        self.write(ChunkType.END, pointer)
        flush(self._stream)
        return self.bytes_written

    def _write(self, data: bytes) -> None:
        write_all(self._stream, data)
        self.bytes_written += len(data)
