"""Frames of a clip: the payload of a frame chunk, to bytes and back."""

from dataclasses import dataclass
from enum import IntEnum

from .body import Tile
from .chunk_types import ChunkType
from .errors import CorruptFileError, UnsupportedVersionError
from .header import QUALITY_MAX_CENTI, Header
from .pieces import Coded, decode_piece, encode_pieces
from .varint import decode_svarint, decode_varint, encode_svarint, encode_varint

_NAME = ChunkType.FRAME.name.lower()
_QUALITY_BIT, _KIND_MASK, _RESERVED = 0x04, 0x03, 0xF8
_END = 2**62  # ticks, before which every frame ends; numbers stay below it too, for the sums of an index
MAX_PREFIX_BYTES = 1 + 3 * 9 + 2  # flags, three varints, quality: all that stands before motion and tiles


class FrameKind(IntEnum):
    """What a frame depends on."""

    KEY = 0  # on nothing
    INTER = 1  # on the frame before, which may be an inter frame too


@dataclass(frozen=True, slots=True)
class FrameHead:
    """What stands before a frame's motion and tiles."""

    kind: FrameKind
    number: int  # 0 for the first frame
    time: int  # ticks
    duration: int  # ticks, 0 if until the next frame
    quality_centi: int | None = None  # of this frame, if not the header's


@dataclass(frozen=True, slots=True)
class Motion:
    """The motion field of an inter frame as it stands in the file; one for the whole frame."""

    hash: int  # u32 hash of the decoded integers
    payload: bytes  # entropy-coded
    offset: int  # of the frame's chunk, from the signature


@dataclass(frozen=True, slots=True)
class CodedFrame:
    """One frame as it stands in the file."""

    head: FrameHead
    tiles: tuple[Tile, ...]  # each with the offset of the frame's chunk
    offset: int  # of the chunk, from the signature
    motion: Motion | None = None  # of an inter frame, and only there


def encode_frame(
    head: FrameHead, tiles: list[tuple[int, bytes]], motion: tuple[int, bytes] | None = None
) -> bytes:
    """Write the payload of a frame chunk; `motion` and `tiles`, in order, are hash and entropy-coded bytes.

    Raises:
        ValueError: a number outside its range, an inter frame without motion, or a key frame with it.
    """
    if head.quality_centi is not None and not 0 <= head.quality_centi <= QUALITY_MAX_CENTI:
        raise ValueError(f"quality_centi must be 0 to {QUALITY_MAX_CENTI}, not {head.quality_centi}")
    if (motion is not None) != (head.kind == FrameKind.INTER):
        raise ValueError(f"frame {head.number}: an inter frame, and no key frame, has motion")
    _check_sums(head)
    out = bytearray([head.kind | (_QUALITY_BIT if head.quality_centi is not None else 0)])
    out += encode_varint(head.number) + encode_svarint(head.time) + encode_varint(head.duration)
    if head.quality_centi is not None:
        out += head.quality_centi.to_bytes(2, "little")
    pieces = [Coded(*each) for each in (tiles if motion is None else [motion, *tiles])]
    for piece in pieces:
        if not 0 <= piece.hash < 2**32:
            raise ValueError(f"a hash must be 0 to 2**32 - 1, not {piece.hash}")
    return bytes(out) + encode_pieces(pieces)


def decode_head(data: bytes, offset: int) -> tuple[FrameHead, int]:
    """Read what stands before motion and tiles.

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
        head = FrameHead(FrameKind(flags & _KIND_MASK), number, time, duration, quality)
        _check_sums(head)
    except (ValueError, IndexError) as error:
        raise CorruptFileError(f"bad frame: {error}", chunk=_NAME, offset=offset) from None
    return head, position


def _check_sums(head: FrameHead) -> None:
    """Raises ValueError for a frame that no index could count, or whose end it could not say."""
    if head.number >= _END or head.time + head.duration >= _END:
        raise ValueError(
            f"frame {head.number} is shown at {head.time} for {head.duration} ticks: "
            "it has to end before 2**62, and its number to be below"
        )


def decode_frame(data: bytes, header: Header, offset: int) -> CodedFrame:
    """Read the payload of a frame chunk, whose CRC was right (errors as decode_head)."""
    head, position = decode_head(data, offset)
    motion: Motion | None = None
    tiles: list[Tile] = []
    try:
        if head.kind == FrameKind.INTER:
            if header.inter is None:
                raise ValueError(
                    f"an inter frame, but the header (format {header.format_version}) names no inter model"
                )
            if head.number == 0:
                raise ValueError("the first frame of a clip is a key frame, this is an inter frame")
            piece, position = decode_piece(data, position, "its motion", is_last=False)
            motion = Motion(piece.hash, piece.payload, offset)
        for index in range(header.tile_count):
            is_last = index == header.tile_count - 1
            piece, position = decode_piece(data, position, f"tile {index}", is_last)
            tiles.append(Tile(index, piece.hash, piece.payload, offset))
    except ValueError as error:
        raise CorruptFileError(f"bad frame {head.number}: {error}", chunk=_NAME, offset=offset) from None
    return CodedFrame(head, tuple(tiles), offset, motion)
