"""Small clips for the tests of the container, with invented payloads."""

import io
from fractions import Fraction

from linnet.bitstream import (
    ClipFormat,
    ClipWriter,
    Colour,
    FrameHead,
    FrameKind,
    Header,
    Kind,
    Media,
    ModelRef,
    Packet,
    Range,
    Sampling,
    Siting,
    Stream,
)

TIMES = (-20, 0, 13, 14, 50, 51, 90)  # ticks: as uneven as a camera that slows down in the dark
SOUND = Stream(Media.AUDIO, "aac", Fraction(1, 48000), rate=48000, channels=2, tags={"language": "deu"})
WORDS = Stream(Media.SUBTITLE, "subrip", Fraction(1, 1000), disposition=1, parameters=b"\x1a\x45\xdf\xa3")
TAGS = {"title": "Grüße", "date": "2024"}
FORMAT = ClipFormat(
    tick=Fraction(1001, 30000),
    rate=Fraction(30000, 1001),
    aspect=Fraction(16, 15),
    sampling=Sampling.YUV420,
    range=Range.LIMITED,
    siting=Siting.LEFT,
    depth=10,
    primaries=9,
    transfer=16,
    matrix=9,
)


INTER = ModelRef(3, b"\xb1\xc2\xd3\xe4\xf5\x06\x17\x28")
GOP = 3  # of the clips with inter frames


def header(width: int = 100, height: int = 60, gop: int = 1) -> Header:
    """100 x 60 pixels: 2 x 1 tiles of 64 pixels."""
    return Header(
        kind=Kind.VIDEO,
        width=width,
        height=height,
        bit_depth=16,
        colour=Colour.RGB,
        has_alpha=False,
        orientation=6,
        quality_centi=4025,
        model=1,
        weights_hash=b"\xa1\xb2\xc3\xd4\xe5\xf6\x07\x18",
        tile_log2=6,
        minor=1 if gop == 1 else 2,
        clip=FORMAT,
        inter=None if gop == 1 else INTER,
    )


def head(number: int, gop: int = 1) -> FrameHead:
    """The invented fields of a frame; every third has a quality of its own."""
    kind = FrameKind.INTER if number % gop else FrameKind.KEY
    return FrameHead(kind, number, TIMES[number], number % 3, 3000 if number % 3 == 2 else None)


def motion(number: int, gop: int = 1) -> tuple[int, bytes] | None:
    """The invented motion of a frame; that of frame 4 has no symbols."""
    return (number * 0x01010101, b"\xaa\xbb\xcc\xdd" * (number % 4)) if number % gop else None


def tiles(number: int) -> list[tuple[int, bytes]]:
    """The invented tiles of a frame."""
    return [
        (0x9E3779B1 * (number + 1) % 2**32, bytes([number, 70, 69]) * (3 + number)),
        (number, b"\1\2\3\4"),
    ]


def packets(number: int) -> list[Packet]:
    """The invented packets behind a frame."""
    return [Packet(b"sound" * number, 1024 * number, None, 1024), Packet(b"", None, -7, 0, False, True)]


def clip_file(gop: int = 1) -> bytes:
    """Seven frames, every `gop`th a key frame; sound behind each, two words."""
    stream = io.BytesIO()
    writer = ClipWriter(stream, header(gop=gop), [SOUND, WORDS], TAGS)
    writer.write_packets(1, [Packet(b"first", 0)])
    for number in range(len(TIMES)):
        writer.write_frame(head(number, gop), tiles(number), motion(number, gop))
        writer.write_packets(0, packets(number))
    assert writer.finish() == len(stream.getvalue())
    return stream.getvalue()
