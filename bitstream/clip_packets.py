"""Packets of a clip's streams: the payload of a packets chunk, to bytes and back."""

from collections.abc import Sequence
from dataclasses import dataclass

from .chunk_types import ChunkType
from .errors import CorruptFileError, UnsupportedVersionError
from .varint import (
    decode_counted,
    decode_svarint,
    decode_varint,
    encode_counted,
    encode_svarint,
    encode_varint,
)

MAX_PACKETS = 65535  # in a chunk, so that small packets cannot cost far more memory than their bytes
_KEY, _TIME, _DECODE_TIME, _DISCARD = 1, 2, 4, 8  # flags of a packet
_FLAGS = _KEY | _TIME | _DECODE_TIME | _DISCARD


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet of a stream; times in the stream's ticks."""

    data: bytes
    time: int | None = None  # of presentation
    decode_time: int | None = None  # None if it is `time`
    duration: int = 0  # 0 if unknown
    is_key: bool = True
    is_discard: bool = False  # to be decoded, not played


@dataclass(frozen=True, slots=True)
class PacketGroup:
    """Packets of one stream as they stand together in the file."""

    stream: int
    packets: list[Packet]


def encode_packets(stream: int, packets: Sequence[Packet]) -> bytes:
    """Write the payload of a packets chunk."""
    out = bytearray(encode_varint(stream))
    for packet in packets:
        flags = packet.is_key * _KEY | packet.is_discard * _DISCARD
        flags |= (packet.time is not None) * _TIME | (packet.decode_time is not None) * _DECODE_TIME
        out.append(flags)
        out += b"" if packet.time is None else encode_svarint(packet.time)
        out += b"" if packet.decode_time is None else encode_svarint(packet.decode_time)
        out += encode_varint(packet.duration) + encode_counted(packet.data)
    return bytes(out)


def decode_packets(payload: bytes, streams: int, offset: int) -> PacketGroup:
    """Read the payload of a packets chunk.

    Args:
        streams: how many the clip has.
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
            data, position = decode_counted(payload, position)
            key, discard = bool(flags & _KEY), bool(flags & _DISCARD)
            packets.append(Packet(data, time, decode_time, duration, key, discard))
    except ValueError as error:
        raise CorruptFileError(f"bad packets: {error}", chunk=name, offset=offset) from None
    return PacketGroup(stream, packets)
