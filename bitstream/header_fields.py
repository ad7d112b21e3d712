"""The bytes of the header: its fields in the order of FORMAT.md section 5, written and read."""

from .chunk_types import ChunkType
from .clip import ClipFormat, Range, Sampling, Siting, decode_times, encode_clip, unknown_source
from .errors import CorruptFileError, UnsupportedVersionError
from .header import (
    INTER_MINOR,
    MAJOR,
    MINOR,
    RESAMPLED_MINOR,
    STAGED_MINOR,
    WEIGHTS_HASH_BYTES,
    Colour,
    Header,
    Kind,
    ModelRef,
)
from .resampling import parse_resampling
from .spread import parse_spread
from .varint import decode_varint, encode_varint

RESAMPLED_BIT = 0x80  # of the geometry
SPREAD_BIT = 0x80  # of the byte with the number of stages: they are spread over shares
SOURCE_BYTES = 5  # the fields of a clip behind its fractions
_CHUNK = ChunkType.HEADER.name.lower()


def encode_header(header: Header) -> bytes:
    """Write the payload of the header chunk."""
    picture = header.kind | header.colour << 2 | (header.bit_depth == 16) << 4 | header.has_alpha << 5
    geometry = header.orientation - 1 | header.tile_log2 << 3
    geometry |= RESAMPLED_BIT if header.resampling else 0
    return (
        bytes([MAJOR << 4 | header.minor, picture, geometry])
        + header.quality_centi.to_bytes(2, "little")
        + encode_varint(header.width)
        + encode_varint(header.height)
        + encode_varint(header.model)
        + header.weights_hash
        + (encode_clip(header.clip) if header.clip else b"")
        + (encode_varint(header.inter.wire_id) + header.inter.weights_hash if header.inter else b"")
        + (_encode_stages(header) if header.clip is None and header.minor >= STAGED_MINOR else b"")
        + (header.resampling.encode() if header.resampling else b"")
    )


def _encode_stages(header: Header) -> bytes:
    if header.spread is None:
        return bytes([header.stages])
    return bytes([header.stages | SPREAD_BIT]) + header.spread.encode()


def decode_header(payload: bytes, offset: int) -> Header:
    """Read the payload of the header chunk, whose CRC was right.

    Args:
        payload: at most 255 bytes.
        offset: of the chunk, for messages.
    Raises:
        UnsupportedVersionError: another major version, or a code or bit that only newer versions define.
        CorruptFileError: too short, too long, or a value out of range.
    """
    _check_version(payload, offset)
    try:
        return _parse_fields(payload, offset)
    except ValueError as error:
        raise CorruptFileError(f"bad header: {error}", chunk=_CHUNK, offset=offset) from None


def _check_version(payload: bytes, offset: int) -> None:
    """Refuse another major version before anything else is interpreted."""
    if not payload:
        raise CorruptFileError("the header is empty", chunk=_CHUNK, offset=offset)
    major, minor = payload[0] >> 4, payload[0] & 0x0F
    if major != MAJOR:
        raise UnsupportedVersionError(
            f"the file has format {major}.{minor}, this Linnet reads {MAJOR}.x: "
            f"it needs {'a newer Linnet' if major > MAJOR else 'the Linnet that wrote it'}",
            chunk=_CHUNK,
            offset=offset,
        )


def _parse_fields(payload: bytes, offset: int) -> Header:
    """Read the fields; ValueError says what is out of range."""
    if len(payload) < 5:
        raise ValueError("it is cut off")
    minor, picture, geometry = payload[0] & 0x0F, payload[1], payload[2]
    is_video, is_resampled = picture & 3 == Kind.VIDEO, geometry >= RESAMPLED_BIT
    known_bits = picture < 0x40 and (minor >= RESAMPLED_MINOR or not is_resampled)
    _check_known(minor, offset, (f"reserved header bits ({picture:02x} {geometry:02x})", known_bits))
    _check_known(minor, offset, (f"kind {picture & 3}", picture & 3 in set(Kind)))
    _check_known(minor, offset, (f"colour {picture >> 2 & 3}", picture >> 2 & 3 in set(Colour)))
    _check_known(minor, offset, ("a video with alpha", not (is_video and picture & 0x20)))
    _check_known(minor, offset, ("a video that is resampled", not (is_video and is_resampled)))
    width, position = decode_varint(payload, 5)
    height, position = decode_varint(payload, position)
    model, end = _parse_model(payload, position)
    clip, end = _parse_clip(payload, end, offset) if is_video else (None, end)
    inter, end = _parse_model(payload, end) if is_video and minor >= INTER_MINOR else (None, end)
    staged = not is_video and minor >= STAGED_MINOR
    stages, end = _parse_byte(payload, end) if staged else (0, end)
    spread = None
    if stages & SPREAD_BIT:
        stages ^= SPREAD_BIT
        spread, end = parse_spread(payload, end, stages)
    _check_known(minor, offset, ("a still in stages that is resampled", not (stages and is_resampled)))
    resampling, end = _parse_byte(payload, end) if is_resampled else (0, end)
    if len(payload) > end and minor <= MINOR:  # a newer minor version may have added fields
        raise ValueError(f"{len(payload) - end} bytes too many")
    return Header(
        kind=Kind(picture & 3),
        width=width,
        height=height,
        bit_depth=16 if picture & 0x10 else 8,
        colour=Colour(picture >> 2 & 3),
        has_alpha=bool(picture & 0x20),
        orientation=(geometry & 7) + 1,
        quality_centi=int.from_bytes(payload[3:5], "little"),
        model=model.wire_id,
        weights_hash=model.weights_hash,
        tile_log2=geometry >> 3 & 15,
        minor=minor,
        clip=clip,
        inter=inter,
        stages=stages,
        spread=spread,
        resampling=parse_resampling(resampling) if is_resampled else None,
    )


def _parse_byte(payload: bytes, position: int) -> tuple[int, int]:
    """Read a u8; returns it and the position behind it."""
    if position >= len(payload):
        raise ValueError("it is cut off")
    return payload[position], position + 1


def _parse_model(payload: bytes, position: int) -> tuple[ModelRef, int]:
    """Read a wire id and a weights hash; returns them and the position behind them."""
    wire_id, position = decode_varint(payload, position)
    end = position + WEIGHTS_HASH_BYTES
    if len(payload) < end:
        raise ValueError("it is cut off")
    return ModelRef(wire_id, payload[position:end]), end


def _check_known(minor: int, offset: int, what: tuple[str, bool]) -> None:
    """Refuse what only a newer version defines; `what` is its name, and whether this one knows it."""
    if not what[1]:
        raise UnsupportedVersionError(
            f"the file (format {MAJOR}.{minor}) uses {what[0]}, "
            f"unknown to format {MAJOR}.{min(minor, MINOR)}: it needs a newer Linnet",
            chunk=_CHUNK,
            offset=offset,
        )


def _parse_clip(payload: bytes, position: int, offset: int) -> tuple[ClipFormat, int]:
    """Read the video fields; returns them and the position behind them."""
    (tick, rate, aspect), position = decode_times(payload, position)
    end = position + SOURCE_BYTES
    if len(payload) < end:
        raise ValueError("it is cut off")
    unknown = unknown_source(payload, position)
    _check_known(payload[0] & 0x0F, offset, (unknown or "", unknown is None))
    source, depth, primaries, transfer, matrix = payload[position:end]
    clip = ClipFormat(
        tick=tick,
        rate=rate,
        aspect=aspect,
        sampling=Sampling(source & 7),
        range=Range(source >> 3 & 3),
        siting=Siting(source >> 5),
        depth=depth,
        primaries=primaries,
        transfer=transfer,
        matrix=matrix,
    )
    return clip, end
