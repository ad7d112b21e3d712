"""Tiles one behind the other in one payload: a hash and the entropy-coded bytes of each."""

from collections.abc import Sequence
from dataclasses import dataclass

from .varint import decode_varint, encode_varint

HASH_BYTES = 4


@dataclass(frozen=True, slots=True)
class Coded:
    """One tile, or one stage of it, or motion. hash: u32 of its decoded integers; payload: entropy-coded."""

    hash: int
    payload: bytes


def encode_pieces(pieces: Sequence[Coded]) -> bytes:
    """Write them; the length of the last one follows from the length of all."""
    return b"".join(
        piece.hash.to_bytes(HASH_BYTES, "little")
        + (encode_varint(len(piece.payload)) if place < len(pieces) - 1 else b"")
        + piece.payload
        for place, piece in enumerate(pieces)
    )


def decode_piece(data: bytes, position: int, name: str, is_last: bool) -> tuple[Coded, int]:
    """Read one, the rest of the data if it is the last; returns it and the position behind it.

    Args:
        name: of the piece, for messages.
    Raises:
        ValueError: it is cut off.
    """
    own_hash = int.from_bytes(data[position : position + HASH_BYTES], "little")
    position += HASH_BYTES
    length = len(data) - position
    if not is_last:
        length, position = decode_varint(data, position)
    left = len(data) - position
    if not 0 <= length <= left:
        raise ValueError(f"{name} is cut off: {max(0, length)} bytes should come, {max(0, left)} do")
    return Coded(own_hash, data[position : position + length]), position + length
