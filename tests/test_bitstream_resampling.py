"""Resampled stills, format 1.4: what the header says of them, and what older readers make of it."""

from dataclasses import replace

import bitstream_samples as samples
import pytest
from bitstream_samples import END, chunk, header_payload, raw_file, tile_chunk

from linnet.bitstream import (
    CorruptFileError,
    LimitExceededError,
    Limits,
    Reader,
    Resampling,
    UnsupportedVersionError,
)
from linnet.bitstream.header_fields import encode_header

HEADER = replace(samples.header(), minor=4, resampling=Resampling(4, columns=3, rows=1))
R = 0x80
FIELDS = header_payload(version=0x14, geometry=0x30 | R) + b"\0"  # without stages


def head(field: int, fields: bytes = FIELDS) -> bytes:
    """A file whose header ends with the field `resampling`."""
    return raw_file(tile_chunk(), END, head=fields + bytes([field]))


@pytest.mark.parametrize("factor", [2, 4, 8])
@pytest.mark.parametrize("size", [(1, 1), (8, 16), (9, 15), (150, 100)])
def test_the_full_size_comes_back(factor: int, size: tuple[int, int]) -> None:
    width, height = size
    scale = Resampling.of(factor, width, height)
    header = replace(
        samples.header(-(-width // factor), -(-height // factor)), minor=4, resampling=scale, orientation=3
    )
    assert (header.full_width, header.full_height) == size
    reader = Reader(samples.write_file(header))
    assert reader.header == header
    assert reader.header.format_version == "1.4"


def test_the_header_ends_with_factor_and_what_is_cut_off() -> None:
    plain = encode_header(replace(HEADER, minor=3, resampling=None))
    coded = encode_header(HEADER)
    assert coded[-1] == 2 | 3 << 2 | 1 << 5
    assert coded[1:-1] == plain[1:2] + bytes([plain[2] | R]) + plain[3:]
    assert (HEADER.full_width, HEADER.full_height) == (4 * 150 - 3, 4 * 100 - 1)


@pytest.mark.parametrize("field", [0, 1 | 2 << 2, 1 | 2 << 5, 2 | 4 << 2, 2 | 7 << 5])
def test_a_factor_of_one_or_more_cut_off_than_there_is_is_corrupt(field: int) -> None:
    with pytest.raises(CorruptFileError, match="bad header"):
        Reader(head(field))


def test_a_header_without_the_field_it_announces_is_corrupt() -> None:
    with pytest.raises(CorruptFileError, match="cut off"):
        Reader(raw_file(tile_chunk(), END, head=FIELDS))
    with pytest.raises(CorruptFileError, match="1 bytes too many"):
        Reader(head(0, header_payload(version=0x14) + b"\0"))


@pytest.mark.parametrize("version", [0x10, 0x13])
def test_in_a_file_of_an_older_version_the_bit_is_reserved(version: int) -> None:
    fields = header_payload(version=version, geometry=0x30 | R)
    expected = f"reserved header bits .* unknown to format 1.{version & 15}"
    with pytest.raises(UnsupportedVersionError, match=expected):
        Reader(head(1, fields + (b"\0" if version == 0x13 else b"")))


def test_resampled_stages_and_clips_need_a_newer_linnet() -> None:
    with pytest.raises(UnsupportedVersionError, match="in stages that is resampled"):
        Reader(head(1, FIELDS[:-1] + b"\1"))
    with pytest.raises(UnsupportedVersionError, match="a video that is resampled"):
        Reader(
            raw_file(chunk(b"F", b""), END, head=header_payload(version=0x14, picture=5, geometry=0x30 | R))
        )


def test_limits_are_those_of_the_full_picture() -> None:
    data = samples.write_file(HEADER)
    with pytest.raises(LimitExceededError, match="597x399"):
        Reader(data, Limits(max_side=596))
    with pytest.raises(LimitExceededError, match="max_pixels"):
        Reader(data, Limits(max_pixels=597 * 399 - 1))
    assert Reader(data, Limits(max_side=597, max_pixels=597 * 399)).header == HEADER


def test_headers_that_no_file_can_have_are_refused() -> None:
    for changes in ({"minor": 3}, {"stages": 1}, {"width": 2**30}):
        with pytest.raises(ValueError, match=r"only a still|full_width"):
            replace(HEADER, **changes)
    for factor, columns in ((1, 0), (3, 0), (16, 0), (2, 2), (2, -1)):
        with pytest.raises(ValueError, match=r"factor|cut off"):
            Resampling(factor, columns)
    assert Resampling.of(1, 5, 5) is None
