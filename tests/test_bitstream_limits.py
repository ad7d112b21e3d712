"""Limits are checked before memory is taken: what a file claims costs nothing."""

import dataclasses
import io
import tracemalloc
from collections.abc import Iterator

import bitstream_samples as samples
import pytest
from bitstream_samples import END, header_payload, raw_file, tile_chunk, varint

from linnet.bitstream import LimitExceededError, Limits, LinnetError, Reader, TruncatedError

MIB = 2**20


@pytest.fixture
def small_memory() -> Iterator[None]:
    """Fails the test if it ever holds more than 2 MiB at a time."""
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 * MIB, f"{peak} bytes were allocated"


def failure(data: bytes, limits: Limits | None = None) -> LinnetError:
    with pytest.raises(LinnetError) as caught:
        list(Reader(data, limits).tiles())
    assert caught.value.chunk is not None
    assert caught.value.offset is not None
    return caught.value


@pytest.mark.usefixtures("small_memory")
def test_a_header_of_a_terapixel_is_refused_for_nothing() -> None:
    head = header_payload(width=varint(2**20), height=varint(2**20))
    error = failure(raw_file(tile_chunk(bytes(4)), END, head=head))
    assert type(error) is LimitExceededError
    assert "1048576x1048576" in str(error)
    assert (error.chunk, error.offset) == ("header", 8)


@pytest.mark.usefixtures("small_memory")
def test_a_header_within_lifted_limits_costs_nothing_either() -> None:
    head = header_payload(width=varint(2**21), height=varint(2**21))  # 2**30 tiles of 64 pixels
    limits = Limits(max_pixels=2**62, max_side=2**31)
    error = failure(raw_file(tile_chunk(bytes(4)), END, head=head), limits)
    assert "1073741823 of 1073741824 tiles are missing" in str(error)
    with pytest.raises(LinnetError, match="tiles are missing"):
        Reader(raw_file(tile_chunk(bytes(4)), END, head=head), limits).tile(7)


@pytest.mark.parametrize(("sides", "tile_log2", "refused"), [
    ((9000, 9000), 15, 9000), ((40_000, 10), 15, 32768), ((10, 4096), 12, 4096),
    ((2049, 64), 12, 2049), ((2048, 2048), 15, None), ((9000, 9000), 11, None), ((3, 2), 15, None),
])  # fmt: skip
def test_tiles_are_as_large_as_the_picture_lets_them_be(
    sides: tuple[int, int], tile_log2: int, refused: int | None
) -> None:
    head = header_payload(geometry=tile_log2 << 3, width=varint(sides[0]), height=varint(sides[1]))
    error = failure(raw_file(END, head=head))
    if refused is None:
        assert "missing" in str(error)
    else:
        assert type(error) is LimitExceededError
        assert f"the tiles are {refused} pixels wide or high, at most 2048 (Limits.max_tile_side)" in str(
            error
        )
        assert (error.chunk, error.offset) == ("header", 8)


@pytest.mark.usefixtures("small_memory")
@pytest.mark.parametrize("kind", [b"T", b"A", b"c", b"e", b"x", b"q", b"Q", b"i", b"E", b"H"])
@pytest.mark.parametrize("claim", [2**60, 2**63 - 1, 2**28])
def test_a_chunk_of_an_exabyte_is_refused_for_nothing(kind: bytes, claim: int) -> None:
    head = header_payload(picture=0x24 if kind == b"A" else 0x04)
    claimed = kind + varint(claim) + bytes(1000)
    error = failure(raw_file(claimed, head=head))
    limited = kind in (b"c", b"e", b"x") or (kind in (b"T", b"A") and claim > 2**28)
    assert type(error) is (LimitExceededError if limited else TruncatedError)


@pytest.mark.usefixtures("small_memory")
def test_a_claimed_length_costs_nothing_on_a_file_either(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("claims") / "claim.lnt"
    path.write_bytes(raw_file(b"T" + varint(2**28) + bytes(1000)))
    with path.open("rb") as stream, pytest.raises(TruncatedError):
        list(Reader(stream).tiles())


@pytest.mark.usefixtures("small_memory")
def test_unknown_ancillary_chunks_are_skipped_in_bounded_memory() -> None:
    class Zeros(io.BytesIO):
        """The start of a chunk of 8 MiB, and behind it as many zeros, made as they are read."""

        left = 8 * MIB

        def seekable(self) -> bool:
            return False

        def read(self, size: int | None = -1, /) -> bytes:
            if front := super().read(size):
                return front
            count = min(size or 0, self.left)
            self.left -= count
            return bytes(count)

    source = Zeros(raw_file(b"q" + varint(8 * MIB)))
    with pytest.raises(TruncatedError, match="4 bytes short"):
        Reader(source)
    assert source.left == 0


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(max_side=149), "at most 149 a side"),
        (Limits(max_pixels=14_999), "at most 14999"),
        (Limits(max_metadata_bytes=18), "max_metadata_bytes"),
        (Limits(max_alpha_bytes=9), "max_alpha_bytes"),
        (Limits(max_tile_bytes=15), "max_tile_bytes"),
        (Limits(max_tile_side=63), "at most 63 (Limits.max_tile_side)"),
    ],
)
def test_each_limit_can_be_set_and_is_named(limits: Limits, reason: str) -> None:
    error = failure(samples.full_file(), limits)
    assert type(error) is LimitExceededError
    assert reason in str(error)


def test_a_file_just_within_all_limits_reads() -> None:
    limits = Limits(15_000, 150, samples.METADATA.byte_count, len(samples.ALPHA), 16, max_tile_side=64)
    assert len(list(Reader(samples.full_file(), limits).tiles())) == samples.TILES


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Limits)])
def test_limits_must_be_whole_numbers(name: str) -> None:
    for value in (-1, 1.5, None):
        with pytest.raises(ValueError, match=name):
            dataclasses.replace(Limits(), **{name: value})
