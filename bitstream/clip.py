"""What a clip's header says beyond a still's: times, sample shape and the pixels of the source."""

from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction

from .varint import MAX_TERM, decode_fraction, encode_fraction

UNKNOWN_CODE = 2  # "unspecified" in ITU-T H.273


class Sampling(IntEnum):
    """The colour samples of the source."""

    GREY = 0
    YUV420 = 1
    YUV422 = 2
    YUV444 = 3
    RGB = 4


class Range(IntEnum):
    """The range of the source's samples."""

    UNKNOWN = 0
    LIMITED = 1
    FULL = 2


class Siting(IntEnum):
    """Where the colour samples of the source lie among its luma samples."""

    UNKNOWN = 0
    LEFT = 1
    CENTER = 2
    TOP_LEFT = 3


@dataclass(frozen=True, slots=True)
class ClipFormat:
    """The video fields of the header. Raises ValueError where one is outside its range.

    Source: FORMAT.md section 18.
    """

    tick: Fraction  # seconds
    rate: Fraction = Fraction(0)  # frames per second, nominal; 0 if unknown or not constant
    aspect: Fraction = Fraction(0)  # width to height of a sample; 0 if unknown
    sampling: Sampling = Sampling.RGB
    range: Range = Range.FULL
    siting: Siting = Siting.UNKNOWN
    depth: int = 8  # bits a sample of the source, 1 to 16
    primaries: int = UNKNOWN_CODE  # ITU-T H.273, 0 to 255
    transfer: int = UNKNOWN_CODE
    matrix: int = UNKNOWN_CODE

    def __post_init__(self) -> None:
        fractions = (("tick", self.tick, 1), ("rate", self.rate, 0), ("aspect", self.aspect, 0))
        for name, value, low in fractions:
            if not (low <= value.numerator <= MAX_TERM and value.denominator <= MAX_TERM):
                raise ValueError(f"{name} must be a fraction of terms up to {MAX_TERM}, not {value}")
        if not 1 <= self.depth <= 16:
            raise ValueError(f"depth must be 1 to 16 bits, not {self.depth}")
        for name in ("primaries", "transfer", "matrix"):
            if not 0 <= getattr(self, name) <= 255:
                raise ValueError(f"{name} must be 0 to 255, not {getattr(self, name)}")


def encode_clip(clip: ClipFormat) -> bytes:
    """Write the video fields."""
    fractions = b"".join(encode_fraction(value) for value in (clip.tick, clip.rate, clip.aspect))
    source = clip.sampling | clip.range << 3 | clip.siting << 5
    return fractions + bytes([source, clip.depth, clip.primaries, clip.transfer, clip.matrix])


def unknown_source(data: bytes, position: int) -> str | None:
    """What the source field at `position` uses that this version does not define, in words."""
    source = data[position]
    if source >= 0x80:
        return f"reserved source bits ({source:02x})"
    if source & 7 not in set(Sampling):
        return f"sampling {source & 7}"
    return f"range {source >> 3 & 3}" if source >> 3 & 3 not in set(Range) else None


def decode_times(data: bytes, position: int) -> tuple[tuple[Fraction, Fraction, Fraction], int]:
    """Read tick, rate and aspect. Raises ValueError."""
    tick, position = decode_fraction(data, position)
    rate, position = decode_fraction(data, position)
    aspect, position = decode_fraction(data, position)
    return (tick, rate, aspect), position
