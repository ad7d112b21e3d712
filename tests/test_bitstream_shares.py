"""Parts spread over shares, format 1.3: any few of these give a stage back, byte for byte or not at all."""

import io
from dataclasses import replace
from itertools import combinations, pairwise

import bitstream_samples as samples
import numpy as np
import pytest
from bitstream_samples import SIGNATURE, chunk
from format_shares import read_shares, slices, times

from linnet.bitstream import (
    CorruptFileError,
    Header,
    LinnetError,
    Metadata,
    Reader,
    Tile,
    TruncatedError,
    Writer,
)
from linnet.bitstream.erasure import interpolate
from linnet.bitstream.header_fields import decode_header, encode_header
from linnet.bitstream.spread import Spread

TILES, STAGES, COUNT = 6, 3, 7
SPREAD = Spread(COUNT, (2, 4, 5))
HEADER = replace(samples.header(), minor=3, stages=STAGES, spread=SPREAD)


def parts_of(header: Header) -> list[tuple[int, bytes]]:
    """The invented hash and bytes of each part; some are empty."""
    return [
        (samples.latent_hash(n), bytes([n, 255 - n, 7 * n % 256]) * (n % 5)) for n in range(header.part_count)
    ]


def write_file(header: Header = HEADER, metadata: Metadata | None = None) -> bytes:
    stream = io.BytesIO()
    writer = Writer(stream, header, metadata)
    if header.has_alpha:
        writer.write_alpha(samples.ALPHA)
    for number, (value, payload) in enumerate(parts_of(header)):
        stage, tile = divmod(number, header.tile_count)
        writer.write_tile(tile, value, payload, stage)
    assert writer.finish() == len(stream.getvalue())
    return stream.getvalue()


FILE = write_file()


def pieces(data: bytes = FILE) -> list[bytes]:
    """The chunks: header, shares, end; all are shorter than 128 bytes."""
    places, position = [len(SIGNATURE)], len(SIGNATURE)
    while position < len(data):
        position += 2 + data[position + 1] + 4
        places.append(position)
    return [data[a:b] for a, b in pairwise(places)]


def keeping(numbers: tuple[int, ...]) -> bytes:
    """The file with only these shares."""
    head, *shares, end = pieces()
    return SIGNATURE + head + b"".join(shares[number] for number in numbers) + end


def contents(tiles: list[Tile]) -> list[tuple[int, bytes]]:
    assert [tile.stage * TILES + tile.index for tile in tiles] == list(range(len(tiles)))
    return [(tile.latent_hash, tile.payload) for tile in tiles]


def read(data: bytes) -> tuple[list[tuple[int, bytes]], list[LinnetError], list[LinnetError]]:
    """Parts, damage, and damage that was made good."""
    damage: list[LinnetError] = []
    repairs: list[LinnetError] = []
    tiles = list(Reader(data, on_damage=damage.append, on_repair=repairs.append).tiles())
    return contents(tiles), damage, repairs


def test_any_number_of_slices_gives_the_others() -> None:
    rng = np.random.default_rng(1)
    for count in (1, 2, 3, 17, 254, 255):
        data = {number: rng.bytes(9) for number in range(count)}
        every = interpolate(data, range(256))
        assert every[:count] == list(data.values())
        chosen = sorted(int(n) for n in rng.choice(256, count, replace=False))
        assert interpolate({number: every[number] for number in chosen}, range(256)) == every


def test_the_field_is_that_of_the_format() -> None:
    data = {0: bytes(range(256)), 1: bytes(256)}  # a line through 0 at 1: (x + 1) * byte
    for point, found in zip((2, 3, 129, 255), interpolate(data, (2, 3, 129, 255)), strict=True):
        assert found == bytes(times(point ^ 1, byte) for byte in range(256))
    assert slices(data, range(4)) == interpolate(data, range(4))


@pytest.mark.parametrize("use", [slice(None), slice(None, None, -1), slice(2, None)])
def test_a_second_reader_finds_the_same_parts(use: slice) -> None:
    assert read_shares(FILE, TILES, use) == parts_of(HEADER)
    one = replace(HEADER, tile_log2=10, stages=1, spread=Spread(3, (3,)))
    assert read_shares(write_file(one), 1, slice(None)) == parts_of(one)


def test_every_set_of_shares_gives_the_stages_it_suffices_for() -> None:
    every = parts_of(HEADER)
    for size in range(COUNT):
        for numbers in combinations(range(COUNT), size):
            data, stages = keeping(numbers), sum(size >= needed for needed in SPREAD.needed)
            found, damage, repairs = read(data)
            assert found == every[: stages * TILES]
            assert (bool(damage), bool(repairs)) == (stages < STAGES, stages == STAGES)
            with pytest.raises(CorruptFileError):
                list(Reader(data).tiles())


def test_a_whole_file_is_read_by_part_and_from_a_pipe() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    every = parts_of(HEADER)
    assert read(FILE) == (every, [], [])
    reader = Reader(FILE)
    assert [contents_of(reader.tile(n % TILES, n // TILES)) for n in range(TILES * STAGES)] == every
    assert contents(list(Reader(Pipe(FILE)).tiles())) == every
    assert len(list(reader.tiles())) == TILES * STAGES
    coded = sum(len(payload) for _, payload in every)
    assert (reader.container_bytes or 0) + reader.parity_bytes + coded == len(FILE)
    assert reader.intact_shares == COUNT
    few = Reader(keeping((0, 1)), on_damage=lambda error: None)
    assert contents_of(few.tile(3, 0)) == every[3]
    with pytest.raises(CorruptFileError, match="too few shares are left for stage 1"):
        few.tile(3, 1)


def contents_of(tile: Tile) -> tuple[int, bytes]:
    return tile.latent_hash, tile.payload


def test_a_flipped_bit_or_a_cut_is_told_and_never_changes_a_part() -> None:
    every, front = parts_of(HEADER), len(SIGNATURE) + len(pieces()[0])
    for place in range(front, len(FILE)):
        damaged = bytearray(FILE)
        damaged[place] ^= 1 << place % 8
        found, damage, repairs = read(bytes(damaged))
        assert found == every
        assert (damage, bool(repairs)) == ([], True)
    for end in range(front + len(pieces()[1]), len(FILE)):
        found, damage, repairs = read(FILE[:end])
        assert found == every[: len(found)]
        assert damage or repairs
        with pytest.raises(TruncatedError):
            list(Reader(FILE[:end]).tiles())


def test_damage_to_metadata_is_not_taken_for_damage_to_shares() -> None:
    data = write_file(replace(HEADER, has_alpha=True), samples.METADATA)
    head = pieces(data)[0]
    assert (head[0], head[-5]) == (ord("H"), 4)
    share = len(SIGNATURE) + sum(len(piece) for piece in pieces(data)[:5])
    for place in range(len(SIGNATURE) + len(head), share + 3):
        damaged = bytearray(data)
        damaged[place] ^= 0x20
        reader = Reader(bytes(damaged), on_damage=(errors := []).append, on_repair=(repairs := []).append)
        assert contents(list(reader.tiles())) == parts_of(HEADER)
        assert (bool(errors), bool(errors or repairs)) == (place < share, True)


def test_shares_that_contradict_each_other_are_never_used() -> None:
    head, *shares, end = pieces()
    every = parts_of(HEADER)
    for place in range(3, shares[0][1] + 2):
        body = bytearray(shares[3][2:-4])
        body[place - 2] ^= 0x10
        data = SIGNATURE + head + b"".join([*shares[:3], chunk(b"S", bytes(body)), *shares[4:]]) + end
        found, damage, repairs = read(data)
        assert found == every[: len(found)]
        assert len(damage) + len(repairs) == 1
        with pytest.raises(CorruptFileError, match=r"contradict|does not fit"):
            list(Reader(data, on_repair=None).tiles())
    longer = SIGNATURE + head + b"".join(shares[:-1]) + chunk(b"S", shares[-1][2:-4] + b"\0") + end
    found, damage, repairs = read(longer)
    assert (found, damage) == (every, [])
    assert "share 6 does not fit the others" in str(repairs[0])


def test_wrong_data_behind_right_checksums_is_corrupt() -> None:
    head, *shares, end = pieces()
    spread = replace(HEADER, stages=1, spread=Spread(2, (1,)))
    start = SIGNATURE + chunk(b"H", encode_header(spread))
    for data, why in (
        (b"\0", "ends within tile"),
        (b"\x80", "cut off"),
        (b"\x05\0\0\0\0\0", "ends within tile"),
        (b"\x02\0\0\1", "not add up"),
        (b"\x30" + bytes(9), "not add up"),
    ):
        body = samples.varint(len(data)) + data
        file = start + chunk(b"S", b"\0" + body) + chunk(b"S", b"\1" + body) + end
        with pytest.raises(CorruptFileError, match=why):
            list(Reader(file).tiles())
    twice = SIGNATURE + head + b"".join([*shares[:2], *shares[1:]]) + end
    with pytest.raises(CorruptFileError, match="share 1 comes twice"):
        list(Reader(twice).tiles())
    part = SIGNATURE + head + chunk(b"P", bytes(9)) + b"".join(shares) + end
    with pytest.raises(CorruptFileError, match="misplaced"):
        list(Reader(part).tiles())


def test_a_header_says_how_many_shares_a_stage_needs() -> None:
    data = encode_header(HEADER)
    assert data[-6:] == bytes([0x83, 7, 2, 4, 5, 0])
    assert decode_header(data, 8) == HEADER
    for tail, why in (
        ([0x83, 7, 2, 4, 5], "cut off"),
        ([0x83], "cut off"),
        ([0x83, 7, 2, 4, 5, 0, 6], "1 bytes too many"),
        ([0x83, 7, 2, 5, 4, 0], "no stage can need fewer"),
        ([0x83, 7, 0, 4, 5, 0], "1 to 7 shares"),
        ([0x83, 7, 2, 4, 8, 0], "1 to 7 shares"),
        ([0x83, 1, 1, 1, 1, 0], "2 to 255"),
        ([0x83, 7, 2, 4, 5, 5], "0 to 4 chunks"),
        ([0x80, 7, 0], "1 to 7 shares"),
    ):
        with pytest.raises(CorruptFileError, match=why):
            decode_header(data[:-6] + bytes(tail), 8)
    for spread in (Spread(7, (1,)), Spread(7, (1, 2, 3, 4))):
        with pytest.raises(ValueError, match="for 3 stages"):
            replace(HEADER, spread=spread)
    assert HEADER.of_stages(2).spread == Spread(7, (2, 4))
