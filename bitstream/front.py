"""The front of a file: signature, header, metadata and alpha, all that comes before the first tile."""

from dataclasses import dataclass
from typing import NoReturn

from .chunk_types import ANCILLARY_BIT, RESERVED_MASK, RESERVED_VALUE, ChunkHead, ChunkType
from .chunks import ChunkSource
from .errors import CorruptFileError, UnsupportedVersionError
from .header import MAJOR, MAX_HEADER_BYTES, MINOR, Header, Kind
from .header_fields import decode_header
from .limits import Limits
from .metadata import Metadata
from .resync import DAMAGE, OnDamage, search_still

_METADATA = (ChunkType.ICC, ChunkType.EXIF, ChunkType.XMP)
_FRONT = bytes([*_METADATA, ChunkType.ALPHA])


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


def read_front(
    source: ChunkSource,
    limits: Limits,
    on_damage: OnDamage | None = None,
    on_share: OnDamage | None = None,
) -> Front:
    """Read up to the first tile.

    Args:
        on_damage: told of metadata or alpha that are damaged, and then left out; None to raise it.
        on_share: told of damage behind all of these in a file in shares; None to raise it.
    Raises:
        NotLinnetError, TruncatedError, CorruptFileError, UnsupportedVersionError, LimitExceededError;
        ValueError: the file holds a clip.
    """
    source.read_signature()
    header = read_header(source, limits)
    if header.kind != Kind.IMAGE:
        raise ValueError("the file holds a clip, not a picture: read it with linnet.VideoReader")
    found: dict[int, bytes] = {}
    whole, search = True, search_still(source, header, _FRONT)
    while True:
        head, start = None, source.offset
        try:
            head = source.read_head()
            if not _take(source, head, header, limits, found):
                break
        except DAMAGE as error:
            in_shares = header.spread is not None and len(found) == header.spread.front
            tell = on_share if in_shares else on_damage
            if tell is None:
                raise
            tell(error)
            whole = False
            if source.seekable:
                behind = search.next(head, start)
                if behind is None:
                    raise
                source.seek(behind)
            elif head is None or source.offset < start + head.length:
                raise
    tell = on_damage if whole else lambda error: None
    if header.has_alpha and ChunkType.ALPHA not in found:
        _miss(source, head, "alpha, and none has come", tell)
    elif header.spread and len(found) != header.spread.front:
        _miss(source, head, f"{header.spread.front} chunks before the shares, {len(found)} came", tell)
    metadata = Metadata(*(found.get(kind) for kind in _METADATA))
    return Front(header, metadata, found.get(ChunkType.ALPHA), head, source.offset)


def _take(
    source: ChunkSource, head: ChunkHead, header: Header, limits: Limits, found: dict[int, bytes]
) -> bool:
    """Read one chunk into `found`, by type; False, with nothing read, if it does not belong to the front."""
    if head.type in found or head.type == ChunkType.HEADER:
        reject(source, head, "it may come only once")
    if head.type == ChunkType.ALPHA:
        if not header.has_alpha:
            reject(source, head, "the header announces no alpha")
        found[head.type] = source.read_payload(head, limits.max_alpha_bytes, "Limits.max_alpha_bytes")
    elif head.type in _METADATA:
        left = limits.max_metadata_bytes - sum(len(found.get(kind, b"")) for kind in _METADATA)
        data = source.read_payload(head, left, "Limits.max_metadata_bytes, less what came before")
        if head.length == 0:
            raise CorruptFileError("the metadata is empty", chunk=head.name, offset=head.offset)
        found[head.type] = data
    elif not head.known:
        skip_unknown(source, head, header)
    else:
        return False
    return True


def _miss(source: ChunkSource, head: ChunkHead, what: str, on_damage: OnDamage | None) -> None:
    """Report that the first chunk behind the front has come before what the header announces."""
    why = f"the header announces {what}"
    if on_damage is None:
        reject(source, head, why)
    on_damage(CorruptFileError(why, chunk=head.name, offset=head.offset))


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
    limits.check_size(header.full_width, header.full_height, chunk=head.name, offset=head.offset)
    side = min(header.tile_size, max(header.width, header.height))
    limits.check_tile(side, chunk=head.name, offset=head.offset)
    return header
