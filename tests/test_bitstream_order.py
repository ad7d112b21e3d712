"""Chunks come in the order and number that FORMAT.md allows, and unknown ones as their type says."""

import bitstream_samples as samples
import pytest
from bitstream_samples import END, chunk, header_payload, raw_file, tile_chunk

from linnet.bitstream import CorruptFileError, FormatError, Reader, UnsupportedVersionError

TWO_TILES = header_payload(width=b"\x80\1")  # 128 x 2: two tiles of 64


def failure(data: bytes) -> FormatError:
    with pytest.raises(FormatError) as caught:
        list(Reader(data).tiles())
    assert caught.value.offset is not None
    assert caught.value.chunk is not None
    return caught.value


def two_tiles(*chunks: bytes) -> bytes:
    return raw_file(*chunks, head=TWO_TILES)


@pytest.mark.parametrize(
    ("chunks", "reason"),
    [
        ((tile_chunk(b"\0"), tile_chunk(b"\0"), END), "tile 0 comes twice"),
        ((tile_chunk(b"\0"), tile_chunk(b"\1"), tile_chunk(b"\0"), END), "tile 0 comes twice"),
        ((tile_chunk(b"\1"), END), "1 of 2 tiles are missing, the first is tile 0"),
        ((END,), "2 of 2 tiles are missing"),
        ((tile_chunk(b"\2"), END), "tiles are 0 to 1"),
        ((chunk(b"T", b"\0\1\2\3"), END), "at least 5 bytes"),
        ((tile_chunk(b"\0"), chunk(b"i", b"\1\0\0"), tile_chunk(b"\1"), END), "index"),
        ((tile_chunk(b"\0"), tile_chunk(b"\1"), chunk(b"i", b"\1\1\1"), tile_chunk(b"\1"), END), "twice"),
        ((tile_chunk(b"\0"), tile_chunk(b"\1"), chunk(b"i", b"\1"), chunk(b"i", b"\1"), END), "one index"),
        ((tile_chunk(b"\0"), tile_chunk(b"\1"), chunk(b"E", b"1234567")), "not 0 or 8"),
        ((chunk(b"e", b"a"), chunk(b"e", b"a"), END), "only once"),
        ((chunk(b"e", b""), END), "empty"),
        ((chunk(b"A", b"png"), END), "announces no alpha"),
        ((chunk(b"H", TWO_TILES), END), "only once"),
        ((tile_chunk(b"\0"), chunk(b"x", b"late"), END), "before the tiles"),
        ((tile_chunk(b"\0"), chunk(b"H", TWO_TILES), END), "before the tiles"),
    ],
)
def test_wrong_order_or_number_is_corrupt(chunks: tuple[bytes, ...], reason: str) -> None:
    error = failure(two_tiles(*chunks))
    assert type(error) is CorruptFileError
    assert reason in str(error)


def test_a_file_of_one_tile_has_no_index() -> None:
    assert "if there are several" in str(failure(raw_file(tile_chunk(), chunk(b"i", b"\1\x1e"), END)))


def test_alpha_must_come_if_announced() -> None:
    head = header_payload(picture=0x24)
    assert "announces alpha" in str(failure(raw_file(tile_chunk(), END, head=head)))
    twice = raw_file(chunk(b"A", b"png"), chunk(b"A", b"png"), tile_chunk(), END, head=head)
    assert "only once" in str(failure(twice))


def test_first_chunk_must_be_the_header() -> None:
    error = failure(samples.SIGNATURE + tile_chunk() + END)
    assert type(error) is CorruptFileError
    assert "expected a header" in str(error)


def test_tiles_in_any_order_are_fine() -> None:
    reader = Reader(two_tiles(tile_chunk(b"\1", b"b"), tile_chunk(b"\0", b"a"), END))
    assert [(tile.index, tile.payload) for tile in reader.tiles()] == [(1, b"b"), (0, b"a")]


def test_unknown_ancillary_chunks_are_skipped_anywhere() -> None:
    extra = chunk(b"q", bytes(300_000))
    reader = Reader(
        two_tiles(extra, chunk(b"c", b"icc"), extra, tile_chunk(b"\0"), extra, tile_chunk(b"\1"), extra, END)
    )
    assert reader.metadata.icc == b"icc"
    assert [tile.index for tile in reader.tiles()] == [0, 1]
    assert reader.tile(1).payload == b"xy"


@pytest.mark.parametrize("place", ["front", "tiles"])
@pytest.mark.parametrize("kind", [b"Q", b"\xd4", b"\x14", b"\x00", b"\xe3", b"\x23"])
def test_unknown_critical_and_reserved_types_need_a_newer_linnet(place: str, kind: bytes) -> None:
    before = (tile_chunk(b"\0"),) if place == "tiles" else ()
    data = two_tiles(*before, chunk(kind, b"new"), tile_chunk(b"\1"), END)
    error = failure(data)
    assert type(error) is UnsupportedVersionError
    assert "needs a newer Linnet" in str(error)
    assert error.offset == len(two_tiles(*before))


def test_damaged_unknown_chunk_is_damage_not_a_new_version() -> None:
    for kind in (b"Q", b"q", b"\xd4"):
        broken = bytearray(chunk(kind, b"new"))
        broken[-1] ^= 1
        assert type(failure(two_tiles(bytes(broken), END))) is CorruptFileError


def test_other_major_version_says_what_it_needs() -> None:
    for version, text in ((0x20, "2.0"), (0xF7, "15.7")):
        data = raw_file(b"anything", head=bytes([version]) + b"in other fields")
        error = failure(data)
        assert type(error) is UnsupportedVersionError
        assert f"format {text}" in str(error)
        assert "needs a newer Linnet" in str(error)
        assert (error.chunk, error.offset) == ("header", 8)
    assert "the Linnet that wrote it" in str(failure(raw_file(head=header_payload(version=0x01))))


def test_newer_minor_version_is_read_and_its_additions_ignored() -> None:
    head = header_payload(version=0x15) + b"\0" + b"fields to come"
    reader = Reader(raw_file(chunk(b"n", b"new"), tile_chunk(), END, head=head))
    assert [tile.payload for tile in reader.tiles()] == [b"xy"]
    assert reader.header.format_version == "1.5"


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (header_payload(version=0x11, picture=0x44), "reserved header bits"),
        (header_payload(picture=0x84), "reserved header bits"),
        (header_payload(geometry=0xB0), "reserved header bits"),
        (header_payload(picture=0x06), "kind 2"),
        (header_payload(picture=0x0C), "colour 3"),
    ],
)
def test_reserved_bits_and_codes_of_the_header_need_a_newer_linnet(head: bytes, what: str) -> None:
    error = failure(raw_file(tile_chunk(), END, head=head))
    assert type(error) is UnsupportedVersionError
    assert what in str(error)
    assert "needs a newer Linnet" in str(error)
