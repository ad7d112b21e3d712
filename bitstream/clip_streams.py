"""Streams of sound and subtitles, and tags: payloads of the chunks in a clip's front, to bytes and back."""

from dataclasses import dataclass, field
from enum import IntEnum
from fractions import Fraction

from .chunk_types import ChunkType
from .errors import CorruptFileError, UnsupportedVersionError
from .varint import (
    decode_counted,
    decode_fraction,
    decode_varint,
    encode_counted,
    encode_fraction,
    encode_varint,
)

MAX_STREAMS = 255


class Media(IntEnum):
    """What a stream carries."""

    AUDIO = 0
    SUBTITLE = 1


class Form(IntEnum):
    """The kind of file that holds a stream's codec parameters."""

    NONE = 0
    MATROSKA = 1
    MP4 = 2
    QUICKTIME = 3


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream that travels untouched. Source: FORMAT.md section 18."""

    media: Media
    codec: str  # FFmpeg's name
    tick: Fraction  # seconds
    form: Form = Form.NONE
    parameters: bytes = b""  # a file of that form with one track
    disposition: int = 0  # bits as FFmpeg's AV_DISPOSITION
    rate: int = 0  # samples per second of sound
    channels: int = 0  # of sound
    tags: dict[str, str] = field(default_factory=dict)


def _text(value: str) -> bytes:
    return encode_counted(value.encode())


def encode_pairs(pairs: dict[str, str]) -> bytes:
    """Write names and values."""
    return encode_varint(len(pairs)) + b"".join(_text(name) + _text(value) for name, value in pairs.items())


def _pairs(data: bytes, position: int) -> tuple[dict[str, str], int]:
    count, position = decode_varint(data, position)
    found: dict[str, str] = {}
    for _ in range(count):
        name, position = decode_counted(data, position)
        value, position = decode_counted(data, position)
        found[name.decode()] = value.decode()
    return found, position


def decode_tags(payload: bytes, offset: int) -> dict[str, str]:
    """Read the payload of a tags chunk. Raises CorruptFileError."""
    try:
        tags, end = _pairs(payload, 0)
        if end != len(payload):
            raise ValueError(f"{len(payload) - end} bytes too many")
    except ValueError as error:  # UnicodeDecodeError is one
        raise CorruptFileError(
            f"bad tags: {error}", chunk=ChunkType.TAGS.name.lower(), offset=offset
        ) from None
    return tags


def encode_stream(stream: Stream) -> bytes:
    """Write the payload of a stream chunk."""
    numbers = (stream.disposition, stream.rate, stream.channels)
    return (
        bytes([stream.media, stream.form])
        + encode_fraction(stream.tick)
        + b"".join(map(encode_varint, numbers))
        + _text(stream.codec)
        + encode_pairs(stream.tags)
        + stream.parameters
    )


def decode_stream(payload: bytes, offset: int) -> Stream:
    """Read the payload of a stream chunk. Raises CorruptFileError, UnsupportedVersionError."""
    name = ChunkType.STREAM.name.lower()
    try:
        if len(payload) < 2:
            raise ValueError("it is cut off")
        if payload[0] not in set(Media) or payload[1] not in set(Form):
            raise UnsupportedVersionError(
                f"a stream of media {payload[0]} and form {payload[1]} is unknown to this version: "
                "it needs a newer Linnet",
                chunk=name,
                offset=offset,
            )
        tick, position = decode_fraction(payload, 2)
        if not tick:
            raise ValueError("its tick is 0")
        disposition, position = decode_varint(payload, position)
        rate, position = decode_varint(payload, position)
        channels, position = decode_varint(payload, position)
        codec, position = decode_counted(payload, position)
        tags, position = _pairs(payload, position)
        media, form = Media(payload[0]), Form(payload[1])
        data = payload[position:]
        return Stream(media, codec.decode(), tick, form, data, disposition, rate, channels, tags)
    except ValueError as error:
        raise CorruptFileError(f"bad stream: {error}", chunk=name, offset=offset) from None
