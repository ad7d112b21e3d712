"""Metadata that travels with a picture, byte for byte."""

from dataclasses import dataclass

from .chunk_types import ChunkType


@dataclass(frozen=True, slots=True)
class Metadata:
    """ICC profile, EXIF block (no "Exif" prefix) and XMP packet; None where absent, never empty bytes.

    Source: FORMAT.md section 6.
    """

    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None

    @property
    def byte_count(self) -> int:
        """Bytes of all three together."""
        return sum(len(data) for _, data in self.parts())

    def parts(self) -> list[tuple[ChunkType, bytes]]:
        """The chunks to write for it: those present and not empty."""
        every = ((ChunkType.ICC, self.icc), (ChunkType.EXIF, self.exif), (ChunkType.XMP, self.xmp))
        return [(kind, data) for kind, data in every if data]
