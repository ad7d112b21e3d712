"""Clips with inter frames, format 1.2: written, read, sought, damaged; and what stays format 1.1."""

import io
from dataclasses import replace
from pathlib import Path

import clip_samples as samples
import pytest
from bitstream_samples import chunk

from linnet.bitstream import (
    ClipReader,
    ClipWriter,
    CodedFrame,
    CorruptFileError,
    FrameKind,
    LinnetError,
    ModelRef,
    PacketGroup,
    TruncatedError,
)
from linnet.bitstream.chunks import SIGNATURE
from linnet.bitstream.clip_frames import decode_frame, encode_frame
from linnet.bitstream.clip_index import IndexBuilder
from linnet.bitstream.header_fields import decode_header, encode_header

GOLDEN = Path(__file__).parent / "conformance" / "clips" / "v1.1_fast_uneven.lnt"
FILE = samples.clip_file(samples.GOP)
HEADER = samples.header(gop=samples.GOP)
COUNT = len(samples.TIMES)
KEYS = [number for number in range(COUNT) if number % samples.GOP == 0]
# Section 18 of FORMAT.md.
EXAMPLE = bytes.fromhex("""
    46 15 01 01 02 00 78 56 34 12 02 aa bb ef be ad de 01 cc 0d f0 fe ca 14 1d e9 7d
""")


def frames(data: bytes, damage: list[LinnetError] | None = None) -> list[CodedFrame]:
    told = None if damage is None else damage.append
    return [item for item in ClipReader(data).items(told) if isinstance(item, CodedFrame)]


def places() -> list[int]:
    """Offsets of the frame chunks."""
    return [frame.offset for frame in frames(FILE)]


def frame_chunk(number: int) -> bytes:
    """A frame as it stands in the file; all are shorter than 128 bytes."""
    start = places()[number]
    return FILE[start : start + FILE[start + 1] + 6]


def flipped(bit: int) -> bytes:
    damaged = bytearray(FILE)
    damaged[bit // 8] ^= 1 << bit % 8
    return bytes(damaged)


def test_inter_frames_come_back_with_their_motion() -> None:
    reader = ClipReader(FILE)
    assert reader.header == HEADER
    assert reader.header.inter == samples.INTER
    assert reader.header.format_version == "1.2"
    found = [item for item in reader.items() if isinstance(item, CodedFrame)]
    for number, frame in enumerate(found):
        assert frame.head == samples.head(number, samples.GOP)
        assert [(tile.latent_hash, tile.payload) for tile in frame.tiles] == samples.tiles(number)
        motion = frame.motion and (frame.motion.hash, frame.motion.payload)
        assert motion == samples.motion(number, samples.GOP)
    assert len(found) == COUNT
    assert reader.index_valid is True


def test_the_example_of_the_format_is_such_a_frame() -> None:
    head = replace(samples.head(1, samples.GOP), time=1, duration=0)
    tiles = [(0xDEADBEEF, b"\xcc"), (0xCAFEF00D, b"")]
    payload = encode_frame(head, tiles, (0x12345678, b"\xaa\xbb"))
    assert chunk(b"F", payload) == EXAMPLE
    assert decode_frame(payload, HEADER, 0).head == head
    text = (Path(__file__).parents[1] / "bitstream" / "FORMAT.md").read_text(encoding="utf-8")
    shown = text.split("An inter frame of a clip of two tiles")[1].split("```")[1]
    assert bytes.fromhex("".join(line[4:32] for line in shown.splitlines())) == EXAMPLE


def test_the_index_has_the_key_frames_and_counts_all() -> None:
    bare = FILE[: FILE.rindex(chunk(b"E", FILE[-12:-4]))]  # the end is lost: a scan makes the same index
    for data in (FILE, bare):
        index = ClipReader(data).index()
        assert list(index.numbers) == KEYS
        assert [index.times[entry] for entry in range(len(KEYS))] == [samples.TIMES[key] for key in KEYS]
        last = samples.head(COUNT - 1)
        assert (index.frames, index.end) == (COUNT, last.time + last.duration)


def test_seeking_starts_at_the_key_frame_before() -> None:
    reader = ClipReader(FILE)
    for number, time in enumerate(samples.TIMES):
        for items in (reader.items_from(number=number), reader.items_from(time=time)):
            found = [item.head.number for item in items if isinstance(item, CodedFrame)]
            assert found == list(range(number - number % samples.GOP, COUNT))


def test_an_index_that_names_an_inter_frame_is_wrong_and_does_not_mislead() -> None:
    wrong = IndexBuilder()
    for number in (0, 1, COUNT - 1):
        wrong.add(samples.head(number), places()[number])
    start = int.from_bytes(FILE[-12:-4], "little")
    data = FILE[:start] + chunk(b"i", wrong.payload()) + FILE[-14:]
    reader = ClipReader(data)
    assert list(reader.index().numbers) == [0, 1, COUNT - 1]
    first = next(reader.items_from(number=2))
    assert isinstance(first, CodedFrame)
    assert first.head.number == 0
    list(reader.items())
    assert reader.index_valid is False


def test_an_intra_clip_stays_format_1_1_to_the_byte() -> None:
    data = GOLDEN.read_bytes()
    reader = ClipReader(data)
    assert (reader.header.minor, reader.header.inter) == (1, None)
    stream = io.BytesIO()
    writer = ClipWriter(stream, reader.header, reader.streams, reader.tags)
    for item in reader.items():
        if isinstance(item, PacketGroup):
            writer.write_packets(item.stream, item.packets)
        else:
            writer.write_frame(item.head, [(tile.latent_hash, tile.payload) for tile in item.tiles])
    writer.finish()
    assert stream.getvalue() == data


def test_a_header_names_an_inter_model_from_1_2_on_and_only_there() -> None:
    payload = encode_header(HEADER)
    assert decode_header(payload, 8) == HEADER
    for length in range(len(payload) - 9, len(payload)):
        with pytest.raises(CorruptFileError):
            decode_header(payload[:length], 8)
    with pytest.raises(CorruptFileError, match="9 bytes too many"):
        decode_header(b"\x11" + payload[1:], 8)
    with pytest.raises(CorruptFileError, match="1 bytes too many"):
        decode_header(payload + b"\0", 8)
    assert decode_header(b"\x15" + payload[1:] + b"\0", 8).inter == samples.INTER
    for minor, inter in ((1, samples.INTER), (2, None)):
        with pytest.raises(ValueError, match="names an inter model"):
            replace(HEADER, minor=minor, inter=inter)
    with pytest.raises(ValueError, match="wire id"):
        ModelRef(2**31, bytes(8))
    with pytest.raises(ValueError, match="8 bytes"):
        ModelRef(3, bytes(7))


def test_inter_frames_without_a_model_or_without_a_frame_before_are_corrupt() -> None:
    front, end = FILE[: places()[0]], chunk(b"E", b"")
    old = SIGNATURE + chunk(b"H", encode_header(samples.header()))
    with pytest.raises(CorruptFileError, match=r"bad frame 1: an inter frame, but the header \(format 1.1\)"):
        frames(old + frame_chunk(0) + frame_chunk(1) + end)
    lone = encode_frame(replace(samples.head(0), kind=FrameKind.INTER), samples.tiles(0), (0, b""))
    with pytest.raises(CorruptFileError, match="bad frame 0: the first frame of a clip is a key frame"):
        frames(front + chunk(b"F", lone) + end)


def test_a_piece_that_is_cut_off_is_named() -> None:
    whole = encode_frame(samples.head(1, samples.GOP), samples.tiles(1), samples.motion(1, samples.GOP))
    assert decode_frame(whole, HEADER, 0).motion is not None
    for length, name in ((8, "its motion"), (12, "its motion"), (15, "tile 0"), (len(whole) - 5, "tile 1")):
        with pytest.raises(CorruptFileError, match=f"bad frame 1: .*{name} is cut off|varint") as caught:
            decode_frame(whole[:length], HEADER, 77)
        assert caught.value.offset == 77
    with pytest.raises(CorruptFileError, match="bytes should come"):
        decode_frame(whole[:8] + b"\xff\xff\x7f" + whole[9:], HEADER, 0)


def test_the_writer_refuses_inter_frames_that_depend_on_nothing() -> None:
    motion = samples.motion(1, samples.GOP)
    keys_only = ClipWriter(io.BytesIO(), samples.header())
    keys_only.write_frame(samples.head(0), samples.tiles(0))
    with pytest.raises(ValueError, match="names no inter model"):
        keys_only.write_frame(samples.head(1, samples.GOP), samples.tiles(1), motion)
    writer = ClipWriter(io.BytesIO(), HEADER)
    with pytest.raises(ValueError, match="no frame comes before"):
        writer.write_frame(replace(samples.head(0), kind=FrameKind.INTER), samples.tiles(0), motion)
    writer.write_frame(samples.head(0), samples.tiles(0))
    for head, own in ((samples.head(1), motion), (samples.head(1, samples.GOP), None)):
        with pytest.raises(ValueError, match="an inter frame, and no key frame, has motion"):
            writer.write_frame(head, samples.tiles(1), own)
    writer.write_frame(samples.head(1, samples.GOP), samples.tiles(1), motion)


def test_every_damaged_bit_of_an_inter_frame_is_found_and_the_rest_is_read() -> None:
    start = places()[4]
    for bit in range(8 * start, 8 * (start + len(frame_chunk(4)))):
        damage: list[LinnetError] = []
        found = [frame.head.number for frame in frames(flipped(bit), damage)]
        assert found == [0, 1, 2, 3, 5, 6], f"bit {bit}"
        assert [error.offset for error in damage] == [start]


def test_a_missing_frame_is_told_and_the_next_one_given() -> None:
    for number in (0, 2, 4):
        start = places()[number]
        data = FILE[:start] + FILE[start + len(frame_chunk(number)) :]
        damage: list[LinnetError] = []
        assert [f.head.number for f in frames(data, damage)] == [n for n in range(COUNT) if n != number]
        assert [error.message for error in damage] == [
            f"frame {number + 1} comes where frame {number} should"
        ]


def test_every_truncation_is_reported() -> None:
    for length in range(places()[0], len(FILE)):
        with pytest.raises(TruncatedError):
            frames(FILE[:length])


def test_a_lost_first_key_frame_without_index_is_said_and_later_ones_are_found() -> None:
    start = places()[0]
    data = FILE[:start] + b"\xff" + FILE[start + 1 : int.from_bytes(FILE[-12:-4], "little")]
    reader = ClipReader(data)
    assert list(reader.index().numbers) == KEYS[1:]
    with pytest.raises(CorruptFileError, match="frames 0 to 2 are lost"):
        reader.items_from(number=1)
    damage: list[LinnetError] = []
    first = next(reader.items_from(time=samples.TIMES[0], on_damage=damage.append))
    assert isinstance(first, CodedFrame)
    assert (first.head.number, len(damage)) == (KEYS[1], 1)
    first = next(reader.items_from(number=5))
    assert isinstance(first, CodedFrame)
    assert first.head.number == KEYS[1]
