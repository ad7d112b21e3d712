"""Sound and subtitles of a clip, and its tags: payloads of the stream, packets and tags chunks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from fractions import Fraction

from .chunk_types import ChunkType
from .errors import CorruptFileError, UnsupportedVersionError
from .varint import (
    decode_fraction,
    decode_svarint,
    decode_varint,
    encode_fraction,
    encode_svarint,
    encode_varint,
)

MAX_STREAMS = 255
MAX_PACKETS = 65535  # in a chunk, so that small packets cannot cost far more memory than their bytes
_KEY, _TIME, _DECODE_TIME, _DISCARD = 1, 2, 4, 8  # flags of a packet
_FLAGS = _KEY | _TIME | _DECODE_TIME | _DISCARD


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


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet of a stream; times in the stream's ticks."""

    data: bytes
    time: int | None = None  # of presentation
    decode_time: int | None = None  # None if it is `time`
    duration: int = 0  # 0 if unknown
    is_key: bool = True
    is_discard: bool = False  # to be decoded, not played


def _text(value: str) -> bytes:
    data = value.encode()
    return encode_varint(len(data)) + data


def _bytes(data: bytes, position: int) -> tuple[bytes, int]:
    """A counted piece; ValueError if it is cut off."""
    length, position = decode_varint(data, position)
    if position + length > len(data):
        raise ValueError("a text or packet is cut off")
    return data[position : position + length], position + length


def encode_pairs(pairs: dict[str, str]) -> bytes:
    """Write names and values."""
    return encode_varint(len(pairs)) + b"".join(_text(name) + _text(value) for name, value in pairs.items())


def _pairs(data: bytes, position: int) -> tuple[dict[str, str], int]:
    count, position = decode_varint(data, position)
    found: dict[str, str] = {}
    for _ in range(count):
        name, position = _bytes(data, position)
        value, position = _bytes(data, position)
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
        codec, position = _bytes(payload, position)
        tags, position = _pairs(payload, position)
        media, form = Media(payload[0]), Form(payload[1])
        data = payload[position:]
        return Stream(media, codec.decode(), tick, form, data, disposition, rate, channels, tags)
    except ValueError as error:
        raise CorruptFileError(f"bad stream: {error}", chunk=name, offset=offset) from None


def encode_packets(stream: int, packets: Sequence[Packet]) -> bytes:
    """Write the payload of a packets chunk."""
    out = bytearray(encode_varint(stream))
    for packet in packets:
        flags = packet.is_key * _KEY | packet.is_discard * _DISCARD
        flags |= (packet.time is not None) * _TIME | (packet.decode_time is not None) * _DECODE_TIME
        out.append(flags)
        out += b"" if packet.time is None else encode_svarint(packet.time)
        out += b"" if packet.decode_time is None else encode_svarint(packet.decode_time)
        out += encode_varint(packet.duration) + encode_varint(len(packet.data)) + packet.data
    return bytes(out)


def decode_packets(payload: bytes, streams: int, offset: int) -> tuple[int, list[Packet]]:
    """Read the payload of a packets chunk: the stream's number, and its packets.

    Args:
        streams: how many there are.
    Raises:
        CorruptFileError, UnsupportedVersionError.
    """
    name = ChunkType.PACKETS.name.lower()
    packets: list[Packet] = []
    try:
        stream, position = decode_varint(payload)
        if stream >= streams or position == len(payload):
            raise ValueError(f"stream {stream} of {streams}, {len(payload)} bytes")
        while position < len(payload):
            if len(packets) == MAX_PACKETS:
                raise ValueError(f"more than {MAX_PACKETS} packets")
            flags = payload[position]
            if flags & ~_FLAGS:
                raise UnsupportedVersionError(
                    f"a packet has flags {flags:02x}: it needs a newer Linnet", chunk=name, offset=offset
                )
            time = decode_time = None
            position += 1
            if flags & _TIME:
                time, position = decode_svarint(payload, position)
            if flags & _DECODE_TIME:
                decode_time, position = decode_svarint(payload, position)
            duration, position = decode_varint(payload, position)
            data, position = _bytes(payload, position)
            key, discard = bool(flags & _KEY), bool(flags & _DISCARD)
            packets.append(Packet(data, time, decode_time, duration, key, discard))
    except ValueError as error:
        raise CorruptFileError(f"bad packets: {error}", chunk=name, offset=offset) from None
    return stream, packets
