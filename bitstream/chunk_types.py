"""The types of chunks, and what is known of a chunk before its payload is read."""

from dataclasses import dataclass
from enum import IntEnum

ANCILLARY_BIT = 0x20
RESERVED_MASK, RESERVED_VALUE = 0xC0, 0x40  # types are ASCII letters


class ChunkType(IntEnum):
    """The known chunk types: a capital is critical, a small letter ancillary (FORMAT.md section 4)."""

    HEADER = ord("H")
    ICC = ord("c")
    EXIF = ord("e")
    XMP = ord("x")
    ALPHA = ord("A")
    TILE = ord("T")
    PART = ord("P")
    SHARE = ord("S")
    STREAM = ord("s")
    TAGS = ord("m")
    FRAME = ord("F")
    PACKETS = ord("p")
    INDEX = ord("i")
    END = ord("E")


_NAMES = {int(kind): kind.name.lower() for kind in ChunkType}


@dataclass(frozen=True, slots=True)
class ChunkHead:
    """Type and length of a chunk whose payload has not been read."""

    type: int  # u8
    length: int  # bytes of payload
    offset: int  # of the type byte, from the signature
    crc: int  # CRC-32 of type and length, to be continued over the payload

    @property
    def name(self) -> str:
        """The chunk's name for messages: "tile", or "type 'q'" for an unknown one."""
        return _NAMES.get(self.type, f"type {chr(self.type)!r}")

    @property
    def known(self) -> bool:
        """Whether this version defines the type."""
        return self.type in _NAMES
