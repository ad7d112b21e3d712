"""The front of a file: signature, header, metadata and alpha, all that comes before the first tile."""

from dataclasses import dataclass
from typing import NoReturn

from .chunks import ANCILLARY_BIT, RESERVED_MASK, RESERVED_VALUE, ChunkHead, ChunkSource, ChunkType
from .errors import CorruptFileError, UnsupportedVersionError
from .header import MAJOR, MAX_HEADER_BYTES, MINOR, Header, Kind, decode_header
from .limits import Limits
from .metadata import Metadata

_METADATA = (ChunkType.ICC, ChunkType.EXIF, ChunkType.XMP)


@dataclass(frozen=True, slots=True)
class Front:
    """What stands before the tiles, and where they start."""

    header: Header
    metadata: Metadata
    alpha: bytes | None  # PNG datastream
    next_head: ChunkHead  # of the first chunk behind the front; its payload is still to be read
    next_payload: int  # offset of that payload


def skip_unknown(source: ChunkSource, head: ChunkHead, header: Header) -> None:
    """Skip an unknown ancillary chunk, refuse a critical one; both only once the CRC has ruled out damage.

    Raises:
        UnsupportedVersionError: critical, or with reserved bits. TruncatedError, CorruptFileError: damage.
    """
    source.skip_payload(head)
    reserved = head.type & RESERVED_MASK != RESERVED_VALUE
    if not reserved and head.type & ANCILLARY_BIT:
        return
    what = f"type {head.type:02x} with reserved bits" if reserved else f"critical {head.name}"
    raise UnsupportedVersionError(
        f"the file (format {header.format_version}) has a chunk of {what}, "
        f"unknown to format {MAJOR}.{MINOR}: it needs a newer Linnet",
        chunk=head.name,
        offset=head.offset,
    )


def reject(source: ChunkSource, head: ChunkHead, why: str) -> NoReturn:
    """Report a known chunk that has no business here, unless it is damaged: then that is the news.

    Raises:
        CorruptFileError, TruncatedError.
    """
    source.skip_payload(head)
    raise CorruptFileError(f"misplaced chunk: {why}", chunk=head.name, offset=head.offset)


def read_front(source: ChunkSource, limits: Limits) -> Front:
    """Read up to the first tile.

    Raises:
        NotLinnetError, TruncatedError, CorruptFileError, UnsupportedVersionError, LimitExceededError;
        ValueError: the file holds a clip.
    """
    source.read_signature()
    header = read_header(source, limits)
    if header.kind != Kind.IMAGE:
        raise ValueError("the file holds a clip, not a picture: read it with linnet.VideoReader")
    found: dict[int, bytes] = {}
    left = limits.max_metadata_bytes
    while True:
        head = source.read_head()
        if head.type in found or head.type == ChunkType.HEADER:
            reject(source, head, "it may come only once")
        if head.type == ChunkType.ALPHA:
            found[head.type] = _read_alpha(source, head, header, limits)
        elif head.type in _METADATA:
            found[head.type] = source.read_payload(
                head, left, "Limits.max_metadata_bytes, less what came before"
            )
            left -= head.length
            if head.length == 0:
                raise CorruptFileError("the metadata is empty", chunk=head.name, offset=head.offset)
        elif not head.known:
            skip_unknown(source, head, header)
        else:
            break
    if header.has_alpha and ChunkType.ALPHA not in found:
        reject(source, head, "the header announces alpha, and none has come")
    metadata = Metadata(*(found.get(kind) for kind in _METADATA))
    return Front(header, metadata, found.get(ChunkType.ALPHA), head, source.offset)


def read_header(source: ChunkSource, limits: Limits) -> Header:
    """Read the header chunk behind the signature (errors as read_front)."""
    head = source.read_head()
    if head.type != ChunkType.HEADER or head.length > MAX_HEADER_BYTES:
        raise CorruptFileError(
            f"expected a header of at most {MAX_HEADER_BYTES} bytes, here is '{head.name}' of {head.length}",
            chunk=head.name,
            offset=head.offset,
        )
    header = decode_header(source.read_payload(head, MAX_HEADER_BYTES, "format"), head.offset)
    limits.check_size(header.width, header.height, chunk=head.name, offset=head.offset)
    return header


def _read_alpha(source: ChunkSource, head: ChunkHead, header: Header, limits: Limits) -> bytes:
    if not header.has_alpha:
        reject(source, head, "the header announces no alpha")
    return source.read_payload(head, limits.max_alpha_bytes, "Limits.max_alpha_bytes")
