"""Chunks: type, varint length, payload, CRC-32; written to and read from streams that need not seek."""

import io
from collections.abc import Iterator
from typing import BinaryIO
from zlib import crc32

from .chunk_types import ChunkHead, ChunkType
from .errors import CorruptFileError, LimitExceededError, NotLinnetError, TruncatedError
from .streams import is_seekable
from .varint import VARINT_BYTES, decode_varint, encode_varint

SIGNATURE = b"\x89LNT\r\n\x1a\n"
CRC_BYTES = 4
BLOCK_BYTES = 2**18  # a payload is read in blocks, so that a claimed length alone never costs memory


def encode_chunk(kind: ChunkType, payload: bytes) -> bytes:
    """Frame a payload: type, length, payload, CRC-32 of the three."""
    body = bytes([kind]) + encode_varint(len(payload)) + payload
    return body + crc32(body).to_bytes(CRC_BYTES, "little")


class ChunkSource:
    """A stream read chunk by chunk, forwards; seekable ones can also be read from any chunk's offset.

    The stream is the caller's: it is never closed, and the file may start at its current position.
    """

    def __init__(self, source: bytes | BinaryIO) -> None:
        self._stream = io.BytesIO(source) if isinstance(source, bytes) else source
        self.seekable = is_seekable(self._stream)
        self._base = self._stream.tell() if self.seekable else 0
        self.offset = 0  # of the next byte, from the signature

    def seek(self, offset: int) -> None:
        """Go to an offset from the signature (seekable sources only)."""
        self._stream.seek(self._base + offset)
        self.offset = offset

    def size(self) -> int:
        """Bytes from the signature to the end of a seekable source; moves the position to the end."""
        self.offset = self._stream.seek(0, io.SEEK_END) - self._base
        return self.offset

    def read(self, count: int) -> bytes:
        """Read `count` bytes (small: they are allocated at once), fewer only where the stream ends."""
        parts: list[bytes] = []
        while count > 0:
            part = self._stream.read(count)  # a pipe may give less than asked
            if not part:
                break
            parts.append(part)
            count -= len(part)
            self.offset += len(part)
        return b"".join(parts)

    def read_signature(self) -> None:
        """Read the signature.

        Raises:
            NotLinnetError: another start. TruncatedError: the file ends inside a correct start.
        """
        found = self.read(len(SIGNATURE))
        if found == SIGNATURE:
            return
        if found and SIGNATURE.startswith(found):
            raise TruncatedError(f"the file ends after {len(found)} bytes", chunk="signature", offset=0)
        what = f"starts with {found.hex(' ')}" if found else "is empty"
        hint = "; its line endings were changed in transfer" if found.startswith(SIGNATURE[:4]) else ""
        raise NotLinnetError(
            f"not a Linnet file: it {what}, expected {SIGNATURE.hex(' ')}{hint}", chunk="signature", offset=0
        )

    def read_head(self) -> ChunkHead:
        """Read type and length of the next chunk.

        Raises:
            TruncatedError: the stream ends here. CorruptFileError: a malformed length.
        """
        start = self.offset
        raw = self.read(1)
        if not raw:
            raise TruncatedError("the file ends before its end chunk", chunk="end", offset=start)
        name = ChunkHead(raw[0], 0, start, 0).name
        while len(raw) == 1 or (raw[-1] >= 0x80 and len(raw) <= VARINT_BYTES):
            byte = self.read(1)
            if not byte:
                raise TruncatedError("the file ends inside a chunk's length", chunk=name, offset=start)
            raw += byte
        try:
            length, _ = decode_varint(raw, 1)
        except ValueError as error:
            raise CorruptFileError(f"bad chunk length: {error}", chunk=name, offset=start) from None
        return ChunkHead(raw[0], length, start, crc32(raw))

    def read_payload(self, head: ChunkHead, limit: int, limit_name: str) -> bytes:
        """Read the payload behind a head, and check its CRC.

        Args:
            head: what read_head() gave just before.
            limit: the most bytes to accept.
            limit_name: what sets that limit, for the message.
        Raises:
            LimitExceededError, TruncatedError, CorruptFileError (wrong CRC).
        """
        if head.length > limit:
            raise LimitExceededError(
                f"the chunk claims {head.length} bytes, {limit} are allowed ({limit_name})",
                chunk=head.name,
                offset=head.offset,
            )
        return b"".join(self._blocks(head))

    def skip_payload(self, head: ChunkHead) -> None:
        """Pass over the payload in bounded memory, still checking its CRC (same errors, no limit)."""
        for _ in self._blocks(head):
            pass

    def _blocks(self, head: ChunkHead) -> Iterator[bytes]:
        crc, left = head.crc, head.length
        while left > 0:
            block = self.read(min(left, BLOCK_BYTES))
            if not block:
                break
            crc, left = crc32(block, crc), left - len(block)
            yield block
        stored = self.read(CRC_BYTES)
        if left > 0 or len(stored) < CRC_BYTES:
            missing = left + CRC_BYTES - len(stored)
            raise TruncatedError(
                f"the file ends at byte {self.offset}, {missing} bytes short of this chunk's end",
                chunk=head.name,
                offset=head.offset,
            )
        if int.from_bytes(stored, "little") != crc:
            raise CorruptFileError(
                f"the checksum is {int.from_bytes(stored, 'little'):08x}, computed {crc:08x}: "
                "the file is damaged; copy it again",
                chunk=head.name,
                offset=head.offset,
            )
