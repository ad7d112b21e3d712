"""Frames of a clip: the payload of a frame chunk, to bytes and back."""

from dataclasses import dataclass
from enum import IntEnum

from .chunks import ChunkType, decode_varint, encode_varint
from .clip import decode_svarint, encode_svarint
from .errors import CorruptFileError, UnsupportedVersionError
from .header import QUALITY_MAX_CENTI, Header
from .reader import HASH_BYTES, Tile

_NAME = ChunkType.FRAME.name.lower()
_QUALITY_BIT, _KIND_MASK, _RESERVED = 0x04, 0x03, 0xF8
MAX_PREFIX_BYTES = 1 + 3 * 9 + 2  # flags, three varints, quality: all that stands before the tiles


class FrameKind(IntEnum):
    """What a frame depends on."""

    KEY = 0  # on nothing


@dataclass(frozen=True, slots=True)
class FrameHead:
    """What stands before a frame's tiles."""

    kind: FrameKind
    number: int  # 0 for the first frame
    time: int  # ticks
    duration: int  # ticks, 0 if until the next frame
    quality_centi: int | None = None  # of this frame, if not the header's


@dataclass(frozen=True, slots=True)
class CodedFrame:
    """One frame as it stands in the file."""

    head: FrameHead
    tiles: tuple[Tile, ...]  # each with the offset of the frame's chunk
    offset: int  # of the chunk, from the signature


def encode_frame(head: FrameHead, tiles: list[tuple[int, bytes]]) -> bytes:
    """Write the payload of a frame chunk; `tiles` are latent hash and entropy-coded bytes, in order.

    Raises:
        ValueError: a number outside its range.
    """
    if head.quality_centi is not None and not 0 <= head.quality_centi <= QUALITY_MAX_CENTI:
        raise ValueError(f"quality_centi must be 0 to {QUALITY_MAX_CENTI}, not {head.quality_centi}")
    out = bytearray([head.kind | (_QUALITY_BIT if head.quality_centi is not None else 0)])
    out += encode_varint(head.number) + encode_svarint(head.time) + encode_varint(head.duration)
    if head.quality_centi is not None:
        out += head.quality_centi.to_bytes(2, "little")
    for place, (latent_hash, payload) in enumerate(tiles):
        if not 0 <= latent_hash < 2**32:
            raise ValueError(f"latent_hash must be 0 to 2**32 - 1, not {latent_hash}")
        out += latent_hash.to_bytes(HASH_BYTES, "little")
        out += (encode_varint(len(payload)) if place < len(tiles) - 1 else b"") + payload
    return bytes(out)


def decode_head(data: bytes, offset: int) -> tuple[FrameHead, int]:
    """Read what stands before the tiles.

    Args:
        data: the payload of a frame chunk, or its first MAX_PREFIX_BYTES.
        offset: of the chunk, for messages.
    Returns:
        it, and the position behind it.
    Raises:
        UnsupportedVersionError: a kind of frame or a bit of a newer version. CorruptFileError: malformed.
    """
    try:
        flags = data[0]
        if flags & _RESERVED or flags & _KIND_MASK not in set(FrameKind):
            raise UnsupportedVersionError(
                f"a frame with flags {flags:02x} is unknown to this version: it needs a newer Linnet",
                chunk=_NAME,
                offset=offset,
            )
        number, position = decode_varint(data, 1)
        time, position = decode_svarint(data, position)
        duration, position = decode_varint(data, position)
        quality = None
        if flags & _QUALITY_BIT:
            quality = int.from_bytes(data[position : position + 2], "little")
            position += 2
            if quality > QUALITY_MAX_CENTI or position > len(data):
                raise ValueError(f"its quality is {quality / 100}, or it is cut off")
    except (ValueError, IndexError) as error:
        raise CorruptFileError(f"bad frame: {error}", chunk=_NAME, offset=offset) from None
    return FrameHead(FrameKind(flags & _KIND_MASK), number, time, duration, quality), position


def decode_frame(data: bytes, header: Header, offset: int) -> CodedFrame:
    """Read the payload of a frame chunk, whose CRC was right (errors as decode_head)."""
    head, position = decode_head(data, offset)
    tiles: list[Tile] = []
    try:
        for index in range(header.tile_count):
            latent_hash = data[position : position + HASH_BYTES]
            position += HASH_BYTES
            length = len(data) - position
            if index < header.tile_count - 1:
                length, position = decode_varint(data, position)
            if length < 0 or position + length > len(data):
                raise ValueError(f"tile {index} is cut off")
            value = int.from_bytes(latent_hash, "little")
            tiles.append(Tile(index, value, data[position : position + length], offset))
            position += length
    except ValueError as error:
        raise CorruptFileError(f"bad frame {head.number}: {error}", chunk=_NAME, offset=offset) from None
    return CodedFrame(head, tuple(tiles), offset)
