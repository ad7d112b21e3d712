"""Small Linnet files for the tests of the container, framed by hand after FORMAT.md."""

import io
import zlib

from linnet.bitstream import Colour, Header, Kind, Metadata, Writer

SIGNATURE = bytes.fromhex("894c4e540d0a1a0a")
METADATA = Metadata(icc=b"profile", exif=b"MM\0*exif", xmp=b"<x/>")
ALPHA = b"\x89PNG alpha"
TILES = 6


def header(width: int = 150, height: int = 100, tile_log2: int = 6, has_alpha: bool = False) -> Header:
    """150 x 100 pixels: 3 x 2 tiles of 64 pixels."""
    return Header(
        kind=Kind.IMAGE,
        width=width,
        height=height,
        bit_depth=8,
        colour=Colour.RGB,
        has_alpha=has_alpha,
        orientation=6,
        quality_centi=4025,
        model=1,
        weights_hash=b"\xa1\xb2\xc3\xd4\xe5\xf6\x07\x18",
        tile_log2=tile_log2,
    )


def payload(tile: int) -> bytes:
    """The invented entropy-coded bytes of a tile."""
    return bytes([17 * tile, 255 - tile]) * (3 + tile)


def latent_hash(tile: int) -> int:
    """The invented hash of a tile."""
    return (0x9E3779B1 * (tile + 1)) % 2**32


def write_file(
    head: Header, metadata: Metadata | None = None, order: list[int] | None = None, alpha: bytes = ALPHA
) -> bytes:
    """A whole file through the Writer."""
    stream = io.BytesIO()
    writer = Writer(stream, head, metadata)
    if head.has_alpha:
        writer.write_alpha(alpha)
    for tile in range(head.tile_count) if order is None else order:
        writer.write_tile(tile, latent_hash(tile), payload(tile))
    assert writer.finish() == len(stream.getvalue())
    return stream.getvalue()


def full_file() -> bytes:
    """Six tiles out of order, with metadata, alpha and index."""
    return write_file(header(has_alpha=True), METADATA, order=[0, 2, 1, 5, 4, 3])


def varint(value: int) -> bytes:
    """A varint, written independently of the code under test."""
    groups = [value >> shift & 0x7F for shift in range(0, max(value.bit_length(), 1), 7)]
    return bytes([group | 0x80 for group in groups[:-1]] + groups[-1:])


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk with a correct CRC, whatever its type and content."""
    body = kind + varint(len(data)) + data
    return body + zlib.crc32(body).to_bytes(4, "little")


def header_payload(
    version: int = 0x10,
    picture: int = 0x04,
    geometry: int = 0x30,
    quality: int = 4000,
    width: bytes = b"\x03",
    height: bytes = b"\x02",
    rest: bytes = b"\x01" + bytes(8),
) -> bytes:
    """The payload of a header chunk, field by field: by default 3 x 2 pixels in one tile."""
    return bytes([version, picture, geometry]) + quality.to_bytes(2, "little") + width + height + rest


def tile_chunk(index: bytes = b"", data: bytes = b"xy") -> bytes:
    """A tile chunk with the invented hash 1."""
    return chunk(b"T", index + b"\1\0\0\0" + data)


def raw_file(*chunks: bytes, head: bytes | None = None) -> bytes:
    """Signature, header chunk (3 x 2 pixels, one tile, unless given) and these chunks."""
    return SIGNATURE + chunk(b"H", header_payload() if head is None else head) + b"".join(chunks)


END = chunk(b"E", b"")


class Counted(io.BytesIO):
    """A file that counts what is read from it."""

    bytes_read = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """See io.BytesIO."""
        part = super().read(size)
        self.bytes_read += len(part)
        return part
