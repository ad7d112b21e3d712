"""Clips: what is written is read, forwards or from anywhere; nothing damaged passes; the rest is in reach."""

import io
from array import array
from dataclasses import replace
from fractions import Fraction

import clip_samples as samples
import pytest
from bitstream_samples import Counted, chunk, full_file

from linnet.bitstream import (
    ClipFormat,
    ClipReader,
    ClipWriter,
    CodedFrame,
    CorruptFileError,
    FrameHead,
    FrameKind,
    LimitExceededError,
    Limits,
    LinnetError,
    NotLinnetError,
    Packet,
    PacketGroup,
    Reader,
    TruncatedError,
    UnsupportedVersionError,
)
from linnet.bitstream.varint import encode_varint

FILE = samples.clip_file()
COUNT = len(samples.TIMES)


def starts(data: bytes = FILE) -> list[int]:
    """Offsets of the chunks of this file, which are all shorter than 128 bytes."""
    found, position = [], 8
    while position < len(data):
        found.append(position)
        position += 2 + data[position + 1] + 4
    return found


def frame_starts() -> list[int]:
    return [start for start in starts() if FILE[start] == ord("F")]


def frames(data: bytes, damage: list[LinnetError] | None = None) -> list[CodedFrame]:
    told = None if damage is None else damage.append
    return [item for item in ClipReader(data).items(told) if isinstance(item, CodedFrame)]


FRONT = starts()[4] + 2  # from here on, damage costs less than the file


class Pipe(io.BytesIO):
    """A stream that cannot seek and gives little at a time."""

    def seekable(self) -> bool:
        return False

    def read(self, count: int | None = -1, /) -> bytes:
        return super().read(min(count or 0, 7))


def test_what_is_written_is_read() -> None:
    for source in (FILE, Pipe(FILE)):
        reader = ClipReader(source)
        assert reader.header == samples.header()
        assert (reader.streams, reader.tags) == ((samples.SOUND, samples.WORDS), samples.TAGS)
        items = list(reader.items())
        assert items[0] == PacketGroup(1, [Packet(b"first", 0)])
        for number in range(COUNT):
            frame = items[1 + 2 * number]
            assert isinstance(frame, CodedFrame)
            assert frame.head == samples.head(number)
            assert [(tile.latent_hash, tile.payload) for tile in frame.tiles] == samples.tiles(number)
            assert items[2 + 2 * number] == PacketGroup(0, samples.packets(number))
        assert (reader.file_bytes, reader.index_valid) == (len(FILE), True)


def test_seeking_finds_the_key_frame_up_to_a_number_or_a_time() -> None:
    reader = ClipReader(FILE)
    for number in range(COUNT):
        first = next(reader.items_from(number=number))
        assert isinstance(first, CodedFrame)
        assert first.head.number == number
    for time, number in ((-99, 0), (-20, 0), (-1, 0), (0, 1), (13, 2), (49, 3), (90, 6), (10**6, 6)):
        first = next(reader.items_from(time=time))
        assert isinstance(first, CodedFrame)
        assert first.head.number == number
    index = reader.index()
    assert (index.frames, index.end, index.times) == (COUNT, 90, array("q", samples.TIMES))


def test_a_file_without_index_or_with_a_wrong_one_is_scanned() -> None:
    index, end = starts()[-2:]
    bare = FILE[:index] + chunk(b"E", b"")
    wrong = FILE[:index] + chunk(b"i", FILE[index + 2 : end - 5] + b"\x7f") + FILE[end:]
    nonsense = FILE[:index] + chunk(b"i", b"\xff" * 9) + FILE[end:]
    for data in (bare, wrong, nonsense, FILE[: index + 3]):
        reader = ClipReader(data)
        first = next(reader.items_from(number=5))
        assert isinstance(first, CodedFrame)
        assert first.head == samples.head(5)
        assert reader.index().frames == COUNT
    for data in (wrong, nonsense):
        reader = ClipReader(data)
        list(reader.items())
        assert reader.index_valid is False


def test_a_scan_believes_no_damaged_frame() -> None:
    bare = FILE[: starts()[-2]] + chunk(b"E", b"")
    for number in range(COUNT):
        start = frame_starts()[number]
        for bit in range(8 * (start + 2), 8 * (start + 6)):  # flags, number, time, duration
            damaged = bytearray(bare)
            damaged[bit // 8] ^= 1 << bit % 8
            index = ClipReader(bytes(damaged)).index()
            assert list(index.numbers) == [each for each in range(COUNT) if each != number], f"bit {bit}"
            assert index.frames == (COUNT if number < COUNT - 1 else COUNT - 1)


@pytest.mark.parametrize("fields", [(2**62, 0, 0), (2**63 - 1, 0, 0), (0, 0, 2**62), (0, 2**63 - 2, 1)])
def test_a_frame_that_no_index_can_count_is_damage(fields: tuple[int, int, int]) -> None:
    """Number, time (in steps of a half: even is positive) and duration."""
    payload = b"\0" + b"".join(map(encode_varint, fields)) + bytes(20)
    reader = ClipReader(FILE[: frame_starts()[0]] + chunk(b"F", payload) + chunk(b"E", b""))
    with pytest.raises(CorruptFileError, match="no whole key frame"):
        reader.index()
    with pytest.raises(CorruptFileError, match="it has to end before"):
        list(reader.items())


def test_a_frame_that_no_index_can_count_is_not_written() -> None:
    writer = ClipWriter(io.BytesIO(), samples.header())
    with pytest.raises(ValueError, match="it has to end before"):
        writer.write_frame(FrameHead(FrameKind.KEY, 0, 2**61, 2**61), samples.tiles(0))


def test_every_truncation_is_reported_with_its_place() -> None:
    places = [0, *starts()]
    for length in range(1, len(FILE)):
        with pytest.raises(TruncatedError) as caught:
            frames(FILE[:length])
        assert caught.value.offset == max(start for start in places if start <= length or start == 0)


def test_every_single_bit_flip_is_reported_with_its_place() -> None:
    places = [0, *starts()]
    for bit in range(8 * len(FILE)):
        damaged = bytearray(FILE)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises((CorruptFileError, TruncatedError, LimitExceededError, NotLinnetError)) as caught:
            frames(bytes(damaged))
        assert caught.value.offset == max(start for start in places if start <= bit // 8), f"bit {bit}"


def test_a_truncated_clip_gives_the_frames_before_the_cut() -> None:
    ends = [start + 2 + FILE[start + 1] + 4 for start in frame_starts()]
    for length in range(FRONT, len(FILE)):
        damage: list[LinnetError] = []
        whole = frames(FILE[:length], damage)
        assert [frame.head.number for frame in whole] == list(range(sum(end <= length for end in ends)))
        assert [type(error) for error in damage] == [TruncatedError]


def test_a_damaged_chunk_costs_one_frame_at_most() -> None:
    places = starts()
    for bit in range(8 * FRONT, 8 * len(FILE), 5):
        damaged = bytearray(FILE)
        damaged[bit // 8] ^= 1 << bit % 8
        hit = max(start for start in places if start <= bit // 8)
        damage: list[LinnetError] = []
        found = {frame.head.number for frame in frames(bytes(damaged), damage)}
        lost = {frame_starts().index(hit)} if hit in frame_starts() else set()
        assert found == set(range(COUNT)) - lost, f"bit {bit}"
        assert len(damage) == 1
        assert damage[0].offset == hit


def test_a_pipe_goes_on_behind_a_damaged_payload() -> None:
    damaged = bytearray(FILE)
    damaged[frame_starts()[2] + 9] ^= 1
    damage: list[LinnetError] = []
    items = list(ClipReader(Pipe(bytes(damaged))).items(damage.append))
    numbers = [item.head.number for item in items if isinstance(item, CodedFrame)]
    assert numbers == [0, 1, 3, 4, 5, 6]
    assert len(damage) == 1


def test_frames_out_of_order_and_missing_ones_are_corrupt() -> None:
    places = starts()
    cut = frame_starts()[3]
    behind = places[places.index(cut) + 1]
    with pytest.raises(CorruptFileError, match="frame 4 comes where frame 3 should"):
        frames(FILE[:cut] + FILE[behind:])
    with pytest.raises(CorruptFileError, match="frame 3 comes where frame 4 should"):
        frames(FILE[:behind] + FILE[cut:behind] + FILE[behind:])
    with pytest.raises(CorruptFileError, match="no frame"):
        frames(FILE[: places[4]] + chunk(b"E", b""))
    with pytest.raises(CorruptFileError, match="follow the end"):
        frames(FILE + b"\0")


def test_what_a_newer_version_adds_is_named() -> None:
    front, end = FILE[: starts()[4]], chunk(b"E", b"")
    for kind, payload in (
        (b"F", b"\2" + bytes(30)),
        (b"F", b"\x08" + bytes(30)),
        (b"Q", b""),
        (b"p", b"\0\x10"),
    ):
        with pytest.raises(UnsupportedVersionError, match="newer Linnet"):
            frames(front + chunk(kind, payload) + end)
    assert (
        len(frames(FILE[: frame_starts()[1]] + chunk(b"q", b"skipped") + FILE[frame_starts()[1] :])) == COUNT
    )


def test_limits_come_before_memory() -> None:
    front = FILE[: starts()[4]]
    for kind in (b"F", b"p"):
        with pytest.raises(LimitExceededError, match="max_"):
            frames(front + kind + b"\xff" * 8 + b"\x7f" + bytes(100))
    with pytest.raises(LimitExceededError, match="max_metadata_bytes"):
        ClipReader(FILE, Limits(max_metadata_bytes=30))
    with pytest.raises(LimitExceededError, match="max_pixels"):
        ClipReader(FILE, Limits(max_pixels=100))


def test_a_still_is_no_clip_and_a_clip_no_still() -> None:
    with pytest.raises(ValueError, match="picture"):
        ClipReader(full_file())
    with pytest.raises(ValueError, match="clip"):
        Reader(FILE)


def test_the_writer_refuses_what_would_not_be_valid() -> None:
    def writer() -> ClipWriter:
        return ClipWriter(io.BytesIO(), samples.header(), [samples.SOUND])

    with pytest.raises(ValueError, match="at least one frame"):
        writer().finish()
    with pytest.raises(ValueError, match="next frame is 0"):
        writer().write_frame(samples.head(1), samples.tiles(1))
    with pytest.raises(ValueError, match="2 tiles"):
        writer().write_frame(samples.head(0), samples.tiles(0)[:1])
    with pytest.raises(ValueError, match="stream must be"):
        writer().write_packets(1, [Packet(b"")])
    twice = writer()
    twice.write_frame(samples.head(0), samples.tiles(0))
    with pytest.raises(ValueError, match="the one before"):
        twice.write_frame(FrameHead(FrameKind.KEY, 1, -20, 0), samples.tiles(1))
    with pytest.raises(ValueError, match="video"):
        replace(samples.header(), clip=None)
    with pytest.raises(ValueError, match="tick"):
        ClipFormat(tick=Fraction(0))


@pytest.mark.parametrize("heads", [1, 100])
def test_a_hostile_clip_does_not_make_the_searches_long(heads: int) -> None:
    """Many damaged chunks that claim half the file, and a whole frame behind one or a hundred of them."""
    size, data, number = 100_000, bytearray(FILE[: frame_starts()[0]]), 0
    while len(data) < size // 2:
        fields = encode_varint(number) + encode_varint(2 * number) + b"\0"
        data += heads * (b"F" + encode_varint(size // 2 - 400) + b"\0" + fields)
        data += chunk(b"F", b"\0" + fields + bytes(9))
        number += 1
    data += bytes(size - len(data))
    stream = Counted(data)
    assert ClipReader(stream).index().frames > 0
    stream.seek(0)
    list(ClipReader(stream).items(lambda error: None))
    assert stream.bytes_read < 2 * 80 * size
