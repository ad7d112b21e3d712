"""Stills in stages, format 1.3: written, read, sought, damaged; everything else stays the version it was."""

import io
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import bitstream_samples as samples
import pytest
from bitstream_samples import END, SIGNATURE, Counted, chunk, header_payload, varint
from format_parts import read_parts

from linnet.bitstream import (
    CorruptFileError,
    Header,
    LimitExceededError,
    Limits,
    LinnetError,
    Reader,
    Tile,
    TruncatedError,
    UnsupportedVersionError,
    Writer,
)
from linnet.bitstream.header_fields import decode_header, encode_header

TILES, STAGES = 6, 3
HEADER = replace(samples.header(), minor=3, stages=STAGES)
PARTS = TILES * STAGES


def payload(number: int) -> bytes:
    """The invented bytes of a part."""
    return bytes([number, 255 - number]) * (2 + number % 5)


def write_file(header: Header = HEADER, metadata: bool = False, filler: int = 1) -> bytes:
    """A whole file through the Writer."""
    stream = io.BytesIO()
    writer = Writer(stream, header, samples.METADATA if metadata else None)
    if header.has_alpha:
        writer.write_alpha(samples.ALPHA)
    for number in range(header.part_count):
        stage, tile = divmod(number, header.tile_count)
        writer.write_tile(tile, samples.latent_hash(number), payload(number) * filler, stage)
    assert writer.finish() == len(stream.getvalue())
    return stream.getvalue()


FILE = write_file()


def starts(data: bytes = FILE) -> list[int]:
    """Where the chunks begin; all of these files are shorter than 128 bytes."""
    found, position = [], len(SIGNATURE)
    while position < len(data):
        found.append(position)
        position += 2 + data[position + 1] + 4
    return found


def pieces(data: bytes = FILE) -> list[bytes]:
    """The chunks, the header first."""
    places = [*starts(data), len(data)]
    return [data[a:b] for a, b in pairwise(places)]


def numbers(tiles: Iterator[Tile] | list[Tile]) -> list[int]:
    return [tile.stage * TILES + tile.index for tile in tiles]


def told(data: bytes) -> tuple[list[Tile], list[LinnetError]]:
    """What is left of a damaged file, and what was said about the damage."""
    errors: list[LinnetError] = []
    return list(Reader(data, on_damage=errors.append).tiles()), errors


def test_parts_come_back_in_order_with_stage_and_tile() -> None:
    reader = Reader(FILE)
    tiles = list(reader.tiles())
    assert reader.header == HEADER
    assert (reader.header.format_version, reader.header.part_count) == ("1.3", PARTS)
    assert [(tile.stage, tile.index) for tile in tiles] == [divmod(n, TILES) for n in range(PARTS)]
    for number, tile in enumerate(tiles):
        assert (tile.payload, tile.latent_hash) == (payload(number), samples.latent_hash(number))
    assert reader.tile(4, stage=2).payload == payload(2 * TILES + 4)
    assert reader.container_bytes == len(FILE) - sum(len(tile.payload) for tile in tiles)


@pytest.mark.parametrize("filler", [1, 1200])
def test_a_reader_made_from_the_format_document_finds_the_same_parts(filler: int) -> None:
    data = write_file(replace(HEADER, has_alpha=True), metadata=True, filler=filler)
    stages, parts = read_parts(data)
    found = list(Reader(data).tiles())
    assert stages == STAGES
    assert [(p.stage, p.tile, p.hash, p.payload) for p in parts] == [
        (tile.stage, tile.index, tile.latent_hash, tile.payload) for tile in found
    ]
    assert [(p.width, p.height) for p in parts] == [HEADER.tile_box(tile.index)[2:] for tile in found]


def test_a_part_costs_eleven_bytes_of_container_in_a_small_file() -> None:
    front, end = len(SIGNATURE) + len(pieces()[0]), len(END)
    assert len(FILE) == front + sum(11 + len(payload(n)) for n in range(PARTS)) + end


def test_an_index_comes_only_where_a_scan_would_be_long() -> None:
    assert b"i" not in [piece[:1] for piece in pieces()]
    large = write_file(filler=1200)
    reader = Reader(large)
    assert len(list(reader.tiles())) == PARTS
    assert reader.index_valid is True
    assert reader.tile(5, stage=2).payload == payload(PARTS - 1) * 1200
    one_tile = write_file(replace(HEADER, tile_log2=8), filler=40_000)
    reader = Reader(one_tile)
    assert len(list(reader.tiles())) == STAGES
    assert reader.index_valid is None


def test_fewer_stages_leave_the_parts_as_they_are() -> None:
    for stages in (1, 2):
        shorter = write_file(replace(HEADER, stages=stages))
        assert pieces(shorter)[1:-1] == pieces()[1 : 1 + stages * TILES]


@pytest.mark.parametrize("minor", [0, 1, 2])
def test_a_still_without_stages_stays_what_it_was(minor: int) -> None:
    head = replace(samples.header(), minor=minor)
    assert len(encode_header(head)) == len(encode_header(replace(head, minor=0)))
    with pytest.raises(ValueError, match=r"format 1\.3"):
        replace(head, stages=1)


def test_a_header_of_1_3_ends_with_its_stages() -> None:
    data = encode_header(HEADER)
    assert (data[0], data[-1]) == (0x13, STAGES)
    assert decode_header(data, 8) == HEADER
    for bad, why in (
        (data[:-1], "cut off"),
        (data + b"\0", "1 bytes too many"),
        (data[:-1] + b"\x11", "stages must be 0 to 16"),
        (data[:-1] + b"\x7f", "stages must be 0 to 16"),
        (b"\x12" + data[1:], "1 bytes too many"),
    ):
        with pytest.raises(CorruptFileError, match=why):
            decode_header(bad, 8)
    assert decode_header(b"\x15" + data[1:] + b"to come", 8).stages == STAGES
    with pytest.raises(ValueError, match="stages must be 0 to 16"):
        replace(HEADER, stages=17)


def test_reserved_bits_of_a_1_3_file_need_a_newer_linnet() -> None:
    for head in (header_payload(0x13, picture=0x44), header_payload(0x13, geometry=0xB0)):
        with pytest.raises(UnsupportedVersionError, match="needs a newer Linnet"):
            Reader(SIGNATURE + chunk(b"H", head + b"\1"))
    newer = SIGNATURE + pieces()[0] + chunk(b"Q", b"") + b"".join(pieces()[1:])
    for on_damage in (None, lambda error: None):
        with pytest.raises(UnsupportedVersionError, match="needs a newer Linnet"):
            list(Reader(newer, on_damage=on_damage).tiles())


def test_the_part_in_the_format_document_is_one() -> None:
    text = (Path(__file__).parents[1] / "bitstream" / "FORMAT.md").read_text(encoding="utf-8")
    lines = text[text.index("A part of the same file") :].split("```")[1].splitlines()
    written = bytes.fromhex("".join(line[:30] for line in lines))
    head = replace(samples.header(), width=3, height=2, minor=3, stages=3)
    stream = io.BytesIO()
    writer = Writer(stream, head)
    writer.write_tile(0, 0xDEADBEEF, bytes(2))
    before = writer.bytes_written
    writer.write_tile(0, 0xDEADBEEF, bytes(2), stage=1)
    assert stream.getvalue()[before:] == written


def part(number: int, width: int = 1) -> bytes:
    return chunk(b"P", number.to_bytes(width, "little") + b"\1\0\0\0xy")


@pytest.mark.parametrize(
    ("chunks", "why"),
    [
        ([part(0), part(1)], "1 of 3 parts are missing, the first is stage 2 of tile 0"),
        ([], "3 of 3 parts are missing"),
        ([part(0), part(2)], "stage 2 of tile 0 comes where stage 1 of tile 0 should"),
        ([part(0), part(0)], "stage 0 of tile 0 comes twice"),
        ([part(1), part(0)], "stage 1 of tile 0 comes where stage 0 of tile 0 should"),
        ([part(0), part(1), part(3)], "part 3 of 7 bytes: parts are 0 to 2"),
        ([chunk(b"P", b"\0\1\0\0")], "have at least 5 bytes"),
        ([samples.tile_chunk(), part(0)], "must come before the tiles"),
        ([part(0), part(1), part(2), chunk(b"i", b"\1abc")], "one index may come"),
    ],
)
def test_missing_doubled_or_foreign_parts_are_corrupt(chunks: list[bytes], why: str) -> None:
    head = header_payload(0x13) + bytes([STAGES])
    with pytest.raises(CorruptFileError, match=why) as caught:
        list(Reader(SIGNATURE + chunk(b"H", head) + b"".join(chunks) + END).tiles())
    assert caught.value.chunk is not None
    assert caught.value.offset is not None


def test_a_part_in_a_file_without_stages_is_corrupt() -> None:
    with pytest.raises(CorruptFileError, match="must come before the tiles"):
        list(Reader(SIGNATURE + chunk(b"H", header_payload()) + part(0) + END).tiles())


def test_every_truncation_and_every_changed_bit_is_reported() -> None:
    places = [0, *starts()]
    for length in range(1, len(FILE)):
        with pytest.raises(TruncatedError) as caught:
            list(Reader(FILE[:length]).tiles())
        assert caught.value.offset == max(place for place in places if place <= length or place == 0)
    for bit in range(64, 8 * len(FILE)):
        damaged = bytearray(FILE)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises((CorruptFileError, TruncatedError, LimitExceededError)):
            list(Reader(bytes(damaged)).tiles())


def test_a_truncated_file_gives_the_parts_before_its_end() -> None:
    places = starts()
    for length in range(places[1] + 2, len(FILE)):  # before that not even the front is whole
        tiles, errors = told(FILE[:length])
        whole = sum(length >= end for end in places[2:])
        assert numbers(tiles) == list(range(min(whole, PARTS)))
        assert [type(error) for error in errors] == [TruncatedError]


def test_a_changed_byte_costs_its_own_part_alone() -> None:
    places = starts()
    for place in range(places[1], places[-1]):
        damaged = bytearray(FILE)
        damaged[place] ^= 0x5A
        tiles, errors = told(bytes(damaged))
        hit = max(number for number in range(PARTS) if places[1 + number] <= place)
        assert set(range(PARTS)) - set(numbers(tiles)) == {hit}, place
        assert errors
        assert all(tile.payload == payload(n) for n, tile in zip(numbers(tiles), tiles, strict=True))


def test_removed_and_doubled_parts_are_told_and_passed_over() -> None:
    front, chunks = pieces()[0], pieces()[1:]
    kept = [piece for number, piece in enumerate(chunks) if number not in (0, 7, 8, PARTS - 1)]
    tiles, errors = told(SIGNATURE + front + b"".join(kept))
    assert numbers(tiles) == [n for n in range(PARTS) if n not in (0, 7, 8, PARTS - 1)]
    assert "stage 0 of tile 1 comes where stage 0 of tile 0 should" in str(errors[0])
    tiles, errors = told(SIGNATURE + front + b"".join(chunks[:3] + chunks[1:]))
    assert numbers(tiles) == list(range(PARTS))
    assert "comes twice" in str(errors[0])
    tiles, errors = told(SIGNATURE + front + b"".join(chunks[: PARTS - 1] + chunks[PARTS:]))
    assert "1 of 18 parts are missing, the first is stage 2 of tile 5" in str(errors[0])
    assert len(tiles) == PARTS - 1


def test_damaged_metadata_and_alpha_leave_the_picture() -> None:
    data = write_file(replace(HEADER, has_alpha=True), metadata=True)
    places = starts(data)
    for number, name in enumerate(("icc", "exif", "xmp", "alpha"), 1):
        damaged = bytearray(data)
        damaged[places[number] + 4] ^= 1
        errors: list[LinnetError] = []
        reader = Reader(bytes(damaged), on_damage=errors.append)
        assert [error.chunk for error in errors] == [name]
        assert (reader.alpha is None) == (name == "alpha")
        assert [bool(part) for part in (reader.metadata.icc, reader.metadata.exif, reader.metadata.xmp)] == [
            other != name for other in ("icc", "exif", "xmp")
        ]
        assert numbers(reader.tiles()) == list(range(PARTS))
        with pytest.raises(CorruptFileError):
            Reader(bytes(damaged))
    gone = SIGNATURE + b"".join(piece for piece in pieces(data) if piece[:1] != b"A")
    errors = []
    assert Reader(gone, on_damage=errors.append).alpha is None
    assert "none has come" in str(errors[0])


def test_without_a_whole_header_or_any_part_there_is_nothing_to_pass_over() -> None:
    damaged = bytearray(FILE)
    damaged[12] ^= 1
    with pytest.raises(CorruptFileError, match="checksum"):
        told(bytes(damaged))
    with pytest.raises(TruncatedError):
        told(FILE[: starts()[1]])


def test_a_pipe_goes_on_behind_a_chunk_whose_length_is_right() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    damaged = bytearray(FILE)
    damaged[starts()[4] + 8] ^= 1
    errors: list[LinnetError] = []
    assert numbers(Reader(Pipe(bytes(damaged)), on_damage=errors.append).tiles()) == [
        number for number in range(PARTS) if number != 3
    ]
    assert len(errors) == 1


def test_a_hostile_file_does_not_make_the_search_long() -> None:
    size = 40_000
    inner = b"".join(b"P" + varint(size - place) + b"\0" for place in range(0, size // 2, 5))
    data = SIGNATURE + pieces()[0] + b"P" + varint(2**60) + bytes(8) + inner + bytes(size)
    stream = Counted(data)
    assert list(Reader(stream, on_damage=lambda error: None).tiles()) == []
    assert stream.bytes_read < 100 * len(data)


def test_limits_hold_for_parts_too() -> None:
    with pytest.raises(LimitExceededError, match="max_tile_bytes"):
        list(Reader(FILE, Limits(max_tile_bytes=11)).tiles())
    huge = header_payload(0x13, width=varint(2**21), height=varint(2**21)) + b"\x10"
    limits = Limits(max_pixels=2**62, max_side=2**31)
    with pytest.raises(CorruptFileError, match=r"17179869183 of 17179869184 parts are missing"):
        list(Reader(SIGNATURE + chunk(b"H", huge) + part(0, 5) + END, limits).tiles())


def test_the_writer_refuses_parts_out_of_order() -> None:
    writer = Writer(io.BytesIO(), HEADER)
    writer.write_tile(0, 0, b"")
    for tile, stage, why in (
        (0, 0, "already written"),
        (2, 0, "part 2 comes where part 1"),
        (1, 3, "0 to 2"),
    ):
        with pytest.raises(ValueError, match=why):
            writer.write_tile(tile, 0, b"", stage)
    with pytest.raises(ValueError, match="17 of 18 parts"):
        writer.finish()
    with pytest.raises(ValueError, match="stage must be 0 to 0"):
        Writer(io.BytesIO(), samples.header()).write_tile(0, 0, b"", 1)


def test_tiles_of_a_plain_still_are_passed_over_too() -> None:
    data = bytearray(samples.full_file())
    place = Reader(bytes(data)).tile(2).offset
    data[place + 8] ^= 1
    tiles, errors = told(bytes(data))
    assert sorted(tile.index for tile in tiles) == [0, 1, 3, 4, 5]
    assert [(error.chunk, error.offset) for error in errors] == [("tile", place)]
