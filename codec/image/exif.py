"""The orientation tag of an EXIF block, read and patched in place: every other byte stays as it was."""

import struct

_TAG = 0x0112  # Orientation, in the first directory
_SHORT = 3  # TIFF type: 16-bit unsigned
_ENTRY_BYTES = 12
PREFIX = b"Exif\0\0"  # what JPEG and some WebP files put before the TIFF header


def without_prefix(exif: bytes) -> bytes:
    """The EXIF block from its TIFF header on."""
    return exif[len(PREFIX) :] if exif.startswith(PREFIX) else exif


def _directory(exif: bytes) -> tuple[str, int, int]:
    """Byte order for struct, offset of the first directory, its number of entries (that are there)."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4], "")
    if not order or len(exif) < 8:
        return "<", 0, 0
    (start,) = struct.unpack_from(order + "I", exif, 4)
    if start + 2 > len(exif):
        return order, 0, 0
    (count,) = struct.unpack_from(order + "H", exif, start)
    return order, start, min(count, (len(exif) - start - 2) // _ENTRY_BYTES)


def _find(exif: bytes) -> tuple[str, int]:
    """Byte order, and the offset of the orientation's entry (0 where there is none)."""
    order, start, count = _directory(exif)
    for entry in range(start + 2, start + 2 + count * _ENTRY_BYTES, _ENTRY_BYTES):
        tag, kind, values = struct.unpack_from(order + "HHI", exif, entry)
        if tag == _TAG and kind == _SHORT and values == 1:
            return order, entry
    return order, 0


def orientation_of(exif: bytes | None) -> int:
    """Read the orientation tag.

    Args:
        exif: an EXIF block without prefix; it may be damaged.
    Returns:
        1 to 8; 1 where the block, the tag or a sensible value is missing.
    Source: EXIF 2.32 (CIPA DC-008), section 4.6.
    """
    order, entry = _find(exif or b"")
    if not entry:
        return 1
    (value,) = struct.unpack_from(order + "H", exif or b"", entry + 8)
    return value if 1 <= value <= 8 else 1


def has_orientation(exif: bytes | None) -> bool:
    """Whether the block says how the picture stands, be it "upright" or nonsense."""
    return _find(exif or b"")[1] != 0


def with_orientation(exif: bytes, orientation: int) -> bytes:
    """Set the orientation tag where there is one; nothing else changes, nothing is added."""
    order, entry = _find(exif)
    if not entry:
        return exif
    return exif[: entry + 8] + struct.pack(order + "H", orientation) + exif[entry + 10 :]


def without_orientation(exif: bytes) -> bytes:
    """Remove the orientation tag. No other value moves, so that offsets (maker notes) still hold."""
    order, entry = _find(exif)
    if not entry:
        return exif
    _, start, count = _directory(exif)
    end = start + 2 + count * _ENTRY_BYTES + 4  # behind the offset of the next directory
    head = exif[:start] + struct.pack(order + "H", count - 1) + exif[start + 2 : entry]
    # The later entries move up by one; the gap this leaves holds nothing.
    return head + exif[entry + _ENTRY_BYTES : end] + bytes(_ENTRY_BYTES) + exif[end:]
