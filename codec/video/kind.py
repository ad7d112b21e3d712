"""Pictures or clips: what a file holds, told from its first bytes. Standard library only, but for GIF."""

import io
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ...bitstream.chunk_types import ChunkType
from ...bitstream.chunks import SIGNATURE
from ...bitstream.header import Kind
from ...bitstream.streams import is_seekable
from ..files.lookahead import Lookahead, View

# What folders are searched for, beside pictures.
SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".y4m", ".mpg", ".mpeg", ".ts", ".m2ts", ".mts", ".flv"}
    | {".wmv", ".ogv", ".3gp", ".mxf", ".nut"}
)
_PREFIX_BYTES = 4096
_CLIPS = (b"\x1aE\xdf\xa3", b"YUV4MPEG2", b"FLV\1", b"OggS", b"\0\0\1\xba", b"\0\0\1\xb3", b"nut/multimedia")
_STILL_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"heif", b"mif1", b"msf1")
_PICTURES = (b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"BM", SIGNATURE[:4], *(b"P%d" % n for n in range(1, 8)))


def _prefix(source: str | os.PathLike[str] | bytes | BinaryIO, count: int) -> bytes:
    """The first bytes, left to be read again."""
    with _looked_into(source) as stream:
        return stream.read(count)


@contextmanager
def _looked_into(source: str | os.PathLike[str] | bytes | BinaryIO) -> Iterator[BinaryIO]:
    """What can be read from and leaves the source as it is; empty for a stream that can neither seek nor
    look ahead."""
    if isinstance(source, bytes):
        yield io.BytesIO(source)
    elif isinstance(source, (str, os.PathLike)):
        with Path(source).open("rb") as stream:
            yield stream
    elif is_seekable(source):
        place = source.tell()
        yield source
        source.seek(place)
    else:
        raw = getattr(source, "raw", None)
        # No buffer to fill: of a pipe no byte is waited for that nobody asked for.
        yield io.BufferedReader(View(raw), 1) if isinstance(raw, Lookahead) else io.BytesIO()


def holds_clip(source: str | os.PathLike[str] | bytes | BinaryIO) -> bool:
    """Whether a Linnet file is a clip. Anything damaged is none: its reader will say what is wrong."""
    data = _prefix(source, len(SIGNATURE) + 5)
    if len(data) < len(SIGNATURE) + 5 or not data.startswith(SIGNATURE + bytes([ChunkType.HEADER])):
        return False
    payload = data[len(SIGNATURE) + (2 if data[len(SIGNATURE) + 1] < 0x80 else 3) :]
    return payload[1] & 3 == Kind.VIDEO


def is_clip(source: str | BinaryIO) -> bool:
    """Whether a media file holds moving pictures: a video container, or several pictures in one file."""
    data = _prefix(source, _PREFIX_BYTES)
    suffix = Path(source).suffix.lower() if isinstance(source, str) else ""
    if data.startswith(b"\x89PNG"):
        return b"acTL" in data
    if data.startswith(b"GIF8"):
        with _looked_into(source) as stream:
            return _is_animated(stream)
    if data.startswith(_PICTURES) or (data.startswith(b"RIFF") and data[8:12] == b"WEBP"):
        return False
    if data[4:8] == b"ftyp":
        return data[8:12] not in _STILL_BRANDS
    if data.startswith(_CLIPS) or (data.startswith(b"RIFF") and data[8:12] == b"AVI "):
        return True
    is_transport = data[:1] == b"G" and data[188:189] == b"G"
    return is_transport or data[4:8] in (b"moov", b"mdat", b"wide", b"free", b"skip") or suffix in SUFFIXES


def _is_animated(stream: BinaryIO) -> bool:
    """Whether a GIF has a second picture. Of one that is damaged, or too large, its reader will say so."""
    from PIL import Image  # only now: no other kind needs it
    from PIL.GifImagePlugin import GifImageFile

    try:
        # Not with Image.open, whose size limit is a global of the process and unlike ours.
        return GifImageFile(stream).is_animated
    except (OSError, ValueError, SyntaxError, LookupError, struct.error, Image.DecompressionBombError):
        return False


def is_sequence(name: str) -> bool:
    """Whether a name is a pattern of numbered pictures, such as frame%04d.png, and not itself a file."""
    return _sequence(os.path.basename(name)) and not os.path.lexists(name)


def _sequence(name: str) -> bool:
    _, percent, behind = name.partition("%")
    digits = behind.lstrip("0123456789")
    return bool(percent) and digits.startswith("d") and "%" not in digits
