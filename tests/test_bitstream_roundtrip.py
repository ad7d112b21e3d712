"""What the Writer writes, the Reader gives back, at the promised cost."""

import dataclasses
import io
from pathlib import Path

import bitstream_samples as samples
import pytest

from linnet.bitstream import Colour, Header, Limits, Metadata, Reader, Writer

GOLDEN = """
    89 4c 4e 54 0d 0a 1a 0a
    48 10  10 04 30  a0 0f  03 02 01  00 01 02 03 04 05 06 07  0f 73 7f 1c
    54 06  ef be ad de  00 00  af d1 6d a7
    45 00  bf a9 d7 cc
"""


def golden_header() -> Header:
    head = samples.header(3, 2)
    return dataclasses.replace(head, orientation=1, quality_centi=4000, weights_hash=bytes(range(8)))


def test_writer_gives_the_golden_bytes() -> None:
    stream = io.BytesIO()
    writer = Writer(stream, golden_header())
    writer.write_tile(0, 0xDEADBEEF, b"\0\0")
    writer.finish()
    assert stream.getvalue().hex(" ") == bytes.fromhex(GOLDEN).hex(" ")


def test_golden_v1_still_reads() -> None:
    reader = Reader(bytes.fromhex(GOLDEN))
    (tile,) = reader.tiles()
    assert reader.header == golden_header()
    assert (tile.index, tile.latent_hash, tile.payload, tile.offset) == (0, 0xDEADBEEF, b"\0\0", 30)


def test_example_of_the_format_is_the_golden_file() -> None:
    text = (Path(__file__).parents[1] / "bitstream" / "FORMAT.md").read_text(encoding="utf-8")
    block = text.split("## 17. Example")[1].split("```")[1]
    rows = [line.split("   ")[0].split(maxsplit=1)[1] for line in block.strip().splitlines()]
    assert bytes.fromhex("".join(rows)) == bytes.fromhex(GOLDEN)


def test_file_with_everything_comes_back() -> None:
    reader = Reader(samples.full_file())
    tiles = list(reader.tiles())
    assert reader.header == samples.header(has_alpha=True)
    assert reader.metadata == samples.METADATA
    assert reader.alpha == samples.ALPHA
    assert [tile.index for tile in tiles] == [0, 2, 1, 5, 4, 3]
    for tile in tiles:
        assert tile.payload == samples.payload(tile.index)
        assert tile.latent_hash == samples.latent_hash(tile.index)
    assert reader.index_valid is True


@pytest.mark.parametrize("colour", list(Colour))
@pytest.mark.parametrize("bit_depth", [8, 16])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_header_field_comes_back(colour: Colour, bit_depth: int, orientation: int) -> None:
    head = dataclasses.replace(
        samples.header(40_000, 1, tile_log2=15),
        colour=colour,
        bit_depth=bit_depth,
        orientation=orientation,
        quality_centi=9999 + orientation // 8,
        model=2**31 - orientation,
        minor=15,
    )
    assert Reader(samples.write_file(head), Limits(max_tile_side=2**15)).header == head


@pytest.mark.parametrize(("size", "most"), [(0, 48), (100, 48), (16_000, 49), (100_000, 50), (2_000_000, 50)])
def test_container_of_a_still_costs_at_most_50_bytes(size: int, most: int) -> None:
    stream = io.BytesIO()
    writer = Writer(stream, samples.header(768, 512, tile_log2=10))
    writer.write_tile(0, 1, bytes(size))
    cost = writer.finish() - size
    assert cost <= most <= 50
    reader = Reader(stream.getvalue())
    list(reader.tiles())
    assert reader.container_bytes == cost


def test_container_bytes_leave_out_payloads_alpha_and_metadata() -> None:
    data = samples.full_file()
    reader = Reader(data)
    carried = sum(len(tile.payload) for tile in reader.tiles())
    carried += len(samples.ALPHA) + samples.METADATA.byte_count
    assert reader.container_bytes == len(data) - carried


def test_empty_metadata_is_absent() -> None:
    reader = Reader(samples.write_file(samples.header(), Metadata(icc=b"", exif=b"e", xmp=None)))
    assert reader.metadata == Metadata(exif=b"e")


def test_tile_geometry_covers_the_picture_once() -> None:
    head = samples.header(150, 100)
    assert (head.tiles_across, head.tiles_down, head.tile_count, head.tile_size) == (3, 2, 6, 64)
    assert head.tile_box(0) == (0, 0, 64, 64)
    assert head.tile_box(5) == (128, 64, 22, 36)
    assert sum(w * h for _, _, w, h in map(head.tile_box, range(6))) == 150 * 100
    assert head.quality == 40.25
    with pytest.raises(ValueError, match="tile must be 0 to 5"):
        head.tile_box(6)


def test_tile_index_takes_the_fewest_bytes() -> None:
    widths = [samples.header(64 * tiles, 1).tile_index_bytes for tiles in (1, 2, 256, 257, 65536, 65537)]
    assert widths == [0, 1, 1, 2, 2, 3]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("width", 0),
        ("height", 2**31),
        ("bit_depth", 12),
        ("orientation", 9),
        ("quality_centi", 10001),
        ("model", -1),
        ("weights_hash", bytes(7)),
        ("tile_log2", 5),
        ("minor", 16),
    ],
)
def test_header_refuses_values_out_of_range(field: str, value: int | bytes) -> None:
    with pytest.raises(ValueError, match=field):
        dataclasses.replace(samples.header(), **{field: value})


def test_writer_refuses_invalid_files() -> None:
    writer = Writer(io.BytesIO(), samples.header(has_alpha=True))
    with pytest.raises(ValueError, match="alpha must come before"):
        writer.write_tile(0, 0, b"")
    writer.write_alpha(b"png")
    with pytest.raises(ValueError, match="already written"):
        writer.write_alpha(b"png")
    writer.write_tile(0, 0, b"")
    for tile, value, reason in ((0, 0, "already written"), (6, 0, "0 to 5"), (1, 2**32, "latent_hash")):
        with pytest.raises(ValueError, match=reason):
            writer.write_tile(tile, value, b"")
    with pytest.raises(ValueError, match="5 of 6 tiles"):
        writer.finish()
    for tile in range(1, 6):
        writer.write_tile(tile, 0, b"")
    writer.finish()
    with pytest.raises(ValueError, match="finished"):
        writer.finish()
    with pytest.raises(ValueError, match="finished"):
        writer.write_tile(0, 0, b"")
