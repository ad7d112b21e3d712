"""PNG datastreams chunk by chunk: whether all rows are there, and the chunks that hold pixels alone."""

import io
import struct
import zlib
from collections.abc import Iterator
from typing import IO

from PIL import PngImagePlugin

_SIGNATURE_BYTES, _CRC_BYTES = 8, 4
_PIECE = 2**18  # bytes to read or to inflate at once
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
# First column and row of each pass, and the steps from one to the next. Source: PNG (W3C), section 8.1.
_WHOLE = ((0, 0, 1, 1),)
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def only_pixels(data: bytes) -> bytes:
    """The datastream without chunks other than IHDR, IDAT and IEND; these stay as they are, even damaged."""
    stream, kept = io.BytesIO(data), [data[:_SIGNATURE_BYTES]]
    for kind, length in _chunks(stream):
        if kind in (b"IHDR", b"IDAT", b"IEND"):
            content = stream.tell()
            kept.append(data[content - 8 : content + length + _CRC_BYTES])
    return b"".join(kept)


def without_bulk(data: bytes, most: int) -> tuple[bytes, bytes | None, bool]:
    """The datastream without compressed metadata that Pillow refuses to inflate: more than a mebibyte.

    Args:
        most: bytes that a profile may have.
    Returns:
        it, the ICC profile if it was one of them, and whether something else was.
    """
    stream, kept, profile, lost = io.BytesIO(data), [data[:_SIGNATURE_BYTES]], None, False
    for kind, length in _chunks(stream):
        content = stream.tell()
        if kind in (b"iCCP", b"zTXt", b"iTXt"):
            found = _inflated(data[content : content + length], kind, most)
            if len(found) > PngImagePlugin.MAX_TEXT_CHUNK:
                profile = found if kind == b"iCCP" and len(found) <= most else profile
                lost = lost or found is not profile
                continue
        kept.append(data[content - 8 : content + length + _CRC_BYTES])
    return b"".join(kept), profile, lost


def _inflated(content: bytes, kind: bytes, most: int) -> bytes:
    """What is compressed in a chunk of metadata, up to one byte more than `most`; nothing if damaged."""
    rest = content.partition(b"\0")[2]  # behind the keyword
    if kind == b"iTXt":
        if rest[:1] != b"\1":
            return b""
        rest = b"\0" + rest[2:].split(b"\0", 2)[-1]  # behind the method, a language and its keyword
    try:
        return zlib.decompressobj().decompress(rest[1:], most + 1)
    except zlib.error:
        return b""


def count_pixel_bytes(stream: IO[bytes]) -> tuple[int, int]:
    """Count what the pixels of a datastream inflate to, in pieces: Pillow shows as zeros what is not there.

    Args:
        stream: a PNG from its offset 0 on; it comes back where it was.
    Returns:
        bytes there are, rows still filtered (where there are too many, at least one more than is due), and
        bytes due by the header. 0 due where that is none that Pillow reads.
    """
    place = stream.tell()
    due, there, inflater = 0, 0, zlib.decompressobj()
    try:
        for kind, piece in _pieces(stream):
            if kind == b"IHDR":
                due = _bytes_due(piece)
                continue
            while piece and there <= due:
                there += len(inflater.decompress(piece, _PIECE))
                piece = inflater.unconsumed_tail
            if inflater.eof or there > due:
                break
        else:
            there += len(inflater.flush())  # no input is left: a few kilobytes at most
    except zlib.error:
        pass  # damaged: what is behind is not there
    stream.seek(place)
    return there, due


def _chunks(stream: IO[bytes]) -> Iterator[tuple[bytes, int]]:
    """Kind and length of each chunk, up to IEND or the end; the stream stands where its content starts."""
    stream.seek(_SIGNATURE_BYTES)
    while len(head := stream.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        content = stream.tell()
        yield kind, length
        if kind == b"IEND":
            return
        stream.seek(content + length + _CRC_BYTES)


def _pieces(stream: IO[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """The content of IHDR, then that of IDAT chunks in pieces, each with its kind."""
    for kind, length in _chunks(stream):
        if kind == b"IHDR":
            yield kind, stream.read(13)
        elif kind == b"IDAT":
            while length and (piece := stream.read(min(length, _PIECE))):
                length -= len(piece)
                yield kind, piece


def _bytes_due(header: bytes) -> int:
    """What the rows of all passes take, each with the byte of its filter."""
    if len(header) < 13:
        return 0
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    bits, due = depth * _CHANNELS.get(colour, 0), 0
    for left, top, across, down in _ADAM7 if interlaced else _WHOLE:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns:
            due += rows * (1 + -(-columns * bits // 8))
    return due
