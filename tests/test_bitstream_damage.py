"""No truncation and no changed bit passes: each is an error of the right kind with its place."""

import io
import pickle
from collections.abc import Iterator

import bitstream_samples as samples
import pytest

from linnet.bitstream import (
    CorruptFileError,
    FormatError,
    LimitExceededError,
    LinnetError,
    NotLinnetError,
    Reader,
    TruncatedError,
)

FILE = samples.full_file()


def read_all(data: bytes) -> None:
    for _ in Reader(data).tiles():
        pass


def failure(data: bytes) -> LinnetError:
    """The error of reading it; any other exception ends the test, and so does success."""
    with pytest.raises(LinnetError) as caught:
        read_all(data)
    return caught.value


def chunk_starts() -> Iterator[int]:
    position = 8
    while position < len(FILE):
        yield position
        position += 2 + FILE[position + 1] + 4  # all chunks of this file are shorter than 128 bytes


def test_intact_file_reads() -> None:
    read_all(FILE)
    assert len(list(chunk_starts())) == 13


def test_every_truncation_is_reported_with_its_place() -> None:
    starts = [0, *chunk_starts()]
    for length in range(1, len(FILE)):
        error = failure(FILE[:length])
        assert type(error) is TruncatedError, f"{length}: {error!r}"
        assert error.offset == max(start for start in starts if start <= length or start == 0), str(error)
        assert error.chunk is not None
        assert f"at byte {error.offset}" in str(error)


def test_every_single_bit_flip_is_reported_with_its_place() -> None:
    starts = [0, *chunk_starts()]
    for bit in range(8 * len(FILE)):
        damaged = bytearray(FILE)
        damaged[bit // 8] ^= 1 << bit % 8
        error = failure(bytes(damaged))
        allowed = (NotLinnetError,) if bit < 64 else (CorruptFileError, TruncatedError, LimitExceededError)
        assert type(error) in allowed, f"bit {bit}: {error!r}"
        assert error.offset == max(start for start in starts if start <= bit // 8), f"bit {bit}: {error}"
        assert error.chunk is not None


def test_bit_flips_behind_the_length_are_checksum_errors() -> None:
    for start in chunk_starts():
        for place in range(start + 2, start + 2 + FILE[start + 1] + 4):
            damaged = bytearray(FILE)
            damaged[place] ^= 0x10
            error = failure(bytes(damaged))
            assert type(error) is CorruptFileError
            assert "checksum" in str(error)
            assert error.offset == start


def test_random_access_never_gives_damaged_bytes() -> None:
    for bit in range(64, 8 * len(FILE), 3):
        damaged = bytearray(FILE)
        damaged[bit // 8] ^= 1 << bit % 8
        try:
            reader = Reader(bytes(damaged))
        except LinnetError:
            continue
        for index in range(samples.TILES):
            try:
                tile = reader.tile(index)
            except LinnetError:
                continue
            assert tile.payload == samples.payload(index)
            assert tile.latent_hash == samples.latent_hash(index)


def test_damaged_tile_leaves_the_others_within_reach() -> None:
    starts = list(chunk_starts())
    damaged = bytearray(FILE)
    damaged[starts[5] + 8] ^= 1  # header, 3 metadata, alpha, then the first tile
    reader = Reader(bytes(damaged))
    assert reader.tile(3).payload == samples.payload(3)
    with pytest.raises(CorruptFileError, match="checksum") as caught:
        reader.tile(0)
    assert (caught.value.chunk, caught.value.offset) == ("tile", starts[5])


def test_trailing_bytes_are_an_error() -> None:
    for extra in (b"\0", b"\n", FILE):
        error = failure(FILE + extra)
        assert type(error) is CorruptFileError
        assert error.offset == len(FILE)


@pytest.mark.parametrize(
    "data", [b"", b"hello, world", b"\x89PNG\r\n\x1a\n", b"\x89LNT\n\x1a\nH\x10", b"\x09LNT"]
)
def test_other_files_are_not_linnet(data: bytes) -> None:
    error = failure(data)
    assert type(error) is NotLinnetError
    assert (error.chunk, error.offset) == ("signature", 0)


def test_changed_line_endings_are_named() -> None:
    assert "line endings" in str(failure(FILE.replace(b"\r\n", b"\n")))


@pytest.mark.parametrize("count", [2, 8])
def test_varint_not_in_shortest_form_is_corrupt(count: int) -> None:
    length = bytes([0x86] + [0x80] * (count - 2) + [0])
    error = failure(samples.raw_file(b"T" + length + b"\1\0\0\0xy" + bytes(4), samples.END))
    assert type(error) is CorruptFileError
    assert "shortest form" in str(error)
    width = bytes([0x83] + [0x80] * (count - 2) + [0])
    error = failure(samples.raw_file(head=samples.header_payload(width=width)))
    assert type(error) is CorruptFileError
    assert "shortest form" in str(error)
    assert error.chunk == "header"


def test_overlong_varint_is_corrupt() -> None:
    error = failure(samples.raw_file(b"T" + b"\xff" * 9 + b"\1"))
    assert type(error) is CorruptFileError
    assert "longer than 9 bytes" in str(error)
    error = failure(samples.raw_file(head=samples.header_payload(width=b"\xff" * 9 + b"\1")))
    assert "longer than 9 bytes" in str(error)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x10",
        samples.header_payload()[:-1],
        samples.header_payload() + b"\0",
        samples.header_payload(rest=b""),
        samples.header_payload(width=b"\0"),
        samples.header_payload(height=b"\xff\xff\xff\xff\x7f"),
        samples.header_payload(quality=10001),
        samples.header_payload(geometry=5 << 3),
    ],
)
def test_bad_header_behind_a_good_checksum_is_corrupt(payload: bytes) -> None:
    error = failure(samples.raw_file(samples.tile_chunk(), samples.END, head=payload))
    assert type(error) is CorruptFileError
    assert (error.chunk, error.offset) == ("header", 8)


def test_errors_survive_the_way_between_processes() -> None:
    error = pickle.loads(pickle.dumps(CorruptFileError("bad", chunk="tile", offset=7)))
    assert isinstance(error, FormatError)
    assert str(error) == "bad (in chunk 'tile' at byte 7)"
    assert (error.message, error.chunk, error.offset) == ("bad", "tile", 7)


def test_file_inside_another_stream_counts_offsets_from_its_signature() -> None:
    stream = io.BytesIO(b"before" + FILE)
    stream.seek(6)
    reader = Reader(stream)
    assert reader.tile(4).payload == samples.payload(4)
    assert [tile.offset for tile in reader.tiles()] == [tile.offset for tile in Reader(FILE).tiles()]
