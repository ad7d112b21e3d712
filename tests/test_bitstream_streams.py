"""Pipes, random access, and what happens to an index that is missing or wrong."""

import io
import os
import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import bitstream_samples as samples
import pytest
from bitstream_samples import chunk, header_payload, raw_file, tile_chunk

from linnet.bitstream import CorruptFileError, Reader, TruncatedError, Writer

FILE = samples.full_file()
HEAD = samples.header(has_alpha=True)


def write_tiles(stream: BinaryIO, order: list[int]) -> None:
    writer = Writer(stream, HEAD, samples.METADATA)
    writer.write_alpha(samples.ALPHA)
    for tile in order:
        writer.write_tile(tile, samples.latent_hash(tile), samples.payload(tile) * 20_000)
    writer.finish()


def through_pipe(feed: Callable[[BinaryIO], None], buffering: int) -> list[tuple[int, bytes]]:
    """Run feed in a thread at one end of a pipe, a Reader at the other."""
    read_end, write_end = os.pipe()

    def run() -> None:
        with os.fdopen(write_end, "wb", buffering=buffering) as stream:
            feed(stream)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        with os.fdopen(read_end, "rb", buffering=buffering) as stream:
            reader = Reader(stream)
            assert not reader.seekable
            return [(tile.index, tile.payload) for tile in reader.tiles()]
    finally:
        thread.join(timeout=10)


@pytest.mark.parametrize("buffering", [0, 8192])
def test_pipe_carries_a_file_from_writer_to_reader(buffering: int) -> None:
    order = [5, 0, 4, 1, 3, 2]
    tiles = through_pipe(lambda stream: write_tiles(stream, order), buffering)
    assert tiles == [(tile, samples.payload(tile) * 20_000) for tile in order]


def test_pipe_and_file_get_the_same_bytes(tmp_path: Path) -> None:
    memory = io.BytesIO()
    write_tiles(memory, [0, 1, 2, 3, 4, 5])
    path = tmp_path / "a.lnt"
    with path.open("wb") as stream:
        write_tiles(stream, [0, 1, 2, 3, 4, 5])
    assert path.read_bytes() == memory.getvalue()
    with path.open("rb") as stream:
        assert Reader(stream).tile(5).payload == samples.payload(5) * 20_000


def test_pipe_that_breaks_off_is_an_error() -> None:
    def cut_short(stream: BinaryIO) -> None:
        stream.write(FILE[:-3])

    with pytest.raises(TruncatedError, match="3 bytes short"):
        through_pipe(cut_short, 8192)


def test_pipe_can_be_read_only_once() -> None:
    class OneWay(io.BytesIO):
        def seekable(self) -> bool:
            return False

    reader = Reader(OneWay(FILE))
    with pytest.raises(ValueError, match="cannot seek"):
        reader.tile(0)
    assert len(list(reader.tiles())) == samples.TILES
    with pytest.raises(ValueError, match="only once"):
        reader.tiles()


def big_file() -> bytes:
    stream = io.BytesIO()
    write_tiles(stream, [5, 0, 4, 1, 3, 2])
    return stream.getvalue()


def test_index_gives_a_tile_without_reading_the_others() -> None:
    source = samples.Counted(big_file())
    reader = Reader(source)
    tile = reader.tile(0)
    assert tile.payload == samples.payload(0) * 20_000
    assert source.bytes_read < len(tile.payload) + 1000


def test_random_access_gives_every_tile_in_any_order() -> None:
    for data in (FILE, strip_index(FILE)):
        order = list(range(samples.TILES)) * 3
        random.Random(1).shuffle(order)
        reader = Reader(data)
        for index in order:
            assert reader.tile(index).payload == samples.payload(index)


def test_random_access_and_passes_can_alternate() -> None:
    for data in (FILE, strip_index(FILE)):
        reader = Reader(data)
        for tile in reader.tiles():
            assert reader.tile(5 - tile.index).payload == samples.payload(5 - tile.index)
            assert tile.payload == samples.payload(tile.index)
        assert len(list(zip(reader.tiles(), reader.tiles(), strict=True))) == samples.TILES


def strip_index(data: bytes) -> bytes:
    """The same file without index, which is valid."""
    start = int.from_bytes(data[-12:-4], "little")
    assert data[start : start + 1] == b"i"
    return data[:start] + samples.END


def with_index(index: bytes, pointer: int | None = None) -> bytes:
    """The same file with another index chunk and a pointer to it."""
    start = int.from_bytes(FILE[-12:-4], "little")
    end = chunk(b"E", (start if pointer is None else pointer).to_bytes(8, "little"))
    return FILE[:start] + chunk(b"i", index) + end


def right_index() -> bytes:
    offsets = {tile.index: tile.offset for tile in Reader(FILE).tiles()}
    return b"\2" + b"".join(offsets[tile].to_bytes(2, "little") for tile in range(samples.TILES))


@pytest.mark.parametrize(
    "data",
    [
        with_index(b""),
        with_index(b"\0"),
        with_index(b"\1" * 6),
        with_index(b"\1" * 8),
        with_index(b"\1" + bytes(6)),
        with_index(b"\2" + b"\xff\xff" * 6),
        with_index(b"\x08" + b"\xff" * 48),
        with_index(b"\x08" + bytes(7) + b"\xff" * 41),
        with_index(b"\2" + right_index()[3:] + right_index()[1:3]),
        with_index(bytes(10_000)),
        with_index(right_index(), pointer=0),
        with_index(right_index(), pointer=8),
        with_index(right_index(), pointer=2**64 - 1),
        with_index(right_index(), pointer=len(FILE) - 1),
    ],
)
def test_wrong_index_is_noted_and_a_scan_finds_the_tiles(data: bytes) -> None:
    reader = Reader(data)
    for index in (3, 0, 5, 1, 4, 2):
        assert reader.tile(index).payload == samples.payload(index)
    assert len(list(reader.tiles())) == samples.TILES
    assert reader.index_valid is False


def test_right_index_of_another_width_is_fine() -> None:
    reader = Reader(with_index(right_index()))
    list(reader.tiles())
    assert reader.index_valid is True
    reader = Reader(strip_index(FILE))
    list(reader.tiles())
    assert reader.index_valid is None


def test_random_access_reports_a_missing_tile() -> None:
    data = raw_file(tile_chunk(b"\1"), samples.END, head=header_payload(width=b"\x80\1"))
    reader = Reader(data)
    assert reader.tile(1).payload == b"xy"
    for _ in range(2):
        with pytest.raises(CorruptFileError, match="the first is tile 0"):
            reader.tile(0)
    with pytest.raises(ValueError, match="0 to 1"):
        reader.tile(2)


def test_full_output_is_an_os_error() -> None:
    class Full(io.BytesIO):
        def write(self, data: object, /) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        Writer(Full(), HEAD)
