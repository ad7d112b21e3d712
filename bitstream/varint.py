"""Numbers of any size as bytes and back: varints, signed ones, fractions; and bytes behind their number."""

from fractions import Fraction

VARINT_BYTES = 9  # at most: 63 bits
MAX_TERM = 2**31 - 1  # of fractions


def encode_varint(value: int) -> bytes:
    """Write an unsigned integer below 2**63 in its shortest form, 7 bits a byte, low bits first.

    Raises:
        ValueError: a value outside 0 to 2**63 - 1.
    """
    if not 0 <= value < 2**63:
        raise ValueError(f"a varint holds 0 to 2**63 - 1, not {value}")
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def decode_varint(data: bytes, position: int = 0) -> tuple[int, int]:
    """Read a varint.

    Args:
        data: bytes that hold it.
        position: where it starts.
    Returns:
        the value, and the position behind it.
    Raises:
        ValueError: it is cut off, longer than 9 bytes, or not in its shortest form; the text says which.
    """
    value = 0
    for count in range(VARINT_BYTES):
        if position + count >= len(data):
            raise ValueError("a varint is cut off")
        byte = data[position + count]
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            if byte == 0 and count > 0:  # one value, one spelling: else two files would mean the same
                raise ValueError("a varint is not in its shortest form")
            return value, position + count + 1
    raise ValueError(f"a varint is longer than {VARINT_BYTES} bytes")


def encode_svarint(value: int) -> bytes:
    """Write a signed integer of -2**62 to 2**62 - 1."""
    return encode_varint(2 * value if value >= 0 else -2 * value - 1)


def decode_svarint(data: bytes, position: int) -> tuple[int, int]:
    """Read a signed integer; returns it and the position behind it. Raises ValueError."""
    value, position = decode_varint(data, position)
    return (-(value >> 1) - 1 if value & 1 else value >> 1), position


def encode_fraction(value: Fraction) -> bytes:
    """Numerator and denominator as varints."""
    return encode_varint(value.numerator) + encode_varint(value.denominator)


def decode_fraction(data: bytes, position: int) -> tuple[Fraction, int]:
    """Read a fraction; returns it and the position behind it. Raises ValueError."""
    above, position = decode_varint(data, position)
    below, position = decode_varint(data, position)
    if above > MAX_TERM or not 1 <= below <= MAX_TERM:
        raise ValueError(f"a fraction is {above}/{below}")
    return Fraction(above, below), position


def encode_counted(data: bytes) -> bytes:
    """Bytes behind their number."""
    return encode_varint(len(data)) + data


def decode_counted(data: bytes, position: int) -> tuple[bytes, int]:
    """Read bytes behind their number; returns them and the position behind. Raises ValueError: cut off."""
    length, position = decode_varint(data, position)
    if position + length > len(data):
        raise ValueError("a text or packet is cut off")
    return data[position : position + length], position + length
