"""A second reader of stills in stages, written from sections 5, 8, 11 and 12 of FORMAT.md alone."""

import struct
from dataclasses import dataclass

from format_decoder import check_index, read_varint, require, split_chunks


@dataclass(frozen=True)
class Part:
    """One part chunk, and the size of its tile in pixels."""

    stage: int
    tile: int
    width: int
    height: int
    hash: int
    payload: bytes


def read_parts(data: bytes) -> tuple[int, list[Part]]:
    """The number of stages, and the parts in the order of the file."""
    chunks = split_chunks(data)
    kinds = "".join(kind for kind, _, _ in chunks if kind in "HcexAPiE")
    require(kinds[0] == "H" and kinds.lstrip("HcexA").lstrip("P") in ("E", "iE"), "parts, index, end")
    head = chunks[0][1]
    require(head[0] == 0x13, "version 1.3")
    side = 1 << (head[2] >> 3)
    width, at = read_varint(head, 5)
    height, at = read_varint(head, at)
    _, at = read_varint(head, at)
    require(len(head) == at + 9 and 1 <= head[-1] <= 16, "stages at the end of the header")
    across, down = -(-width // side), -(-height // side)
    tiles, stages = across * down, head[-1]
    index_bytes = ((16 * tiles - 1).bit_length() + 7) // 8
    parts: list[Part] = []
    offsets: dict[int, int] = {}
    for kind, payload, offset in chunks:
        if kind != "P":
            continue
        number = int.from_bytes(payload[:index_bytes], "little")
        require(number == len(parts), "the order of parts")
        stage, tile = divmod(number, tiles)
        size = min(side, width - tile % across * side), min(side, height - tile // across * side)
        (value,) = struct.unpack_from("<I", payload, index_bytes)
        parts.append(Part(stage, tile, *size, value, payload[index_bytes + 4 :]))
        offsets[number] = offset
    require(len(parts) == stages * tiles, "no part is absent")
    check_index(chunks, offsets)
    return stages, parts
