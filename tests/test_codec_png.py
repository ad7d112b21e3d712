"""Rows of a PNG that are not there: counted, and never shown as black."""

import io
import struct
import zlib

import numpy as np
import pytest
from media_samples import deep_photo, png_file, saved
from PIL import Image

from linnet.codec.errors import UnreadableImageError
from linnet.codec.image.deep import encode_deep
from linnet.codec.image.loading import load_image
from linnet.codec.image.png import count_pixel_bytes

PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def header(width: int, height: int, bits: int, colour: int, interlaced: bool = False) -> bytes:
    return struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlaced)


def black_rows(width: int, height: int, bits_a_pixel: int, interlaced: bool) -> bytes:
    """Filter bytes and samples, all zero."""
    if not interlaced:
        return bytes(height * (1 + (width * bits_a_pixel + 7) // 8))
    shapes = [np.zeros((height, width))[top::down, left::across].shape for left, top, across, down in PASSES]
    return bytes(sum(rows * (1 + (columns * bits_a_pixel + 7) // 8) for rows, columns in shapes if columns))


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(("bits", "colour", "channels"), [
    (1, 0, 1), (4, 0, 1), (8, 0, 1), (16, 0, 1), (8, 2, 3), (16, 2, 3), (8, 4, 2), (8, 6, 4), (16, 6, 4),
])  # fmt: skip
def test_whole_pictures_pass_and_lose_no_byte(
    bits: int, colour: int, channels: int, interlaced: bool
) -> None:
    for width, height in ((1, 1), (3, 2), (4, 5), (5, 9), (9, 4), (67, 33)):
        rows = black_rows(width, height, bits * channels, interlaced)
        head = header(width, height, bits, colour, interlaced)
        data = png_file(head, zlib.compress(rows))
        assert count_pixel_bytes(io.BytesIO(data)) == (len(rows), len(rows))
        assert load_image(data).pixels.shape[:2] == (height, width)
        with pytest.raises(UnreadableImageError, match=f"{len(rows) - 1} bytes where {len(rows)} are due"):
            load_image(png_file(head, zlib.compress(rows[:-1])))


def test_a_picture_whose_data_end_early_is_refused_as_a_cut_file_is(photo: Image.Image) -> None:
    rows = [b"\0" + row.tobytes() for row in np.array(photo.convert("L"))]
    for count in (0, 1, 300, 599):
        data = png_file(header(512, 600, 8, 0), zlib.compress(b"".join(rows[:count])))
        with pytest.raises(UnreadableImageError, match="cannot be read as an image: its pixels inflate to"):
            load_image(data)
        with pytest.raises(UnreadableImageError, match="the image cannot be read as an image"):
            load_image(Image.open(io.BytesIO(data)))
    assert load_image(png_file(header(512, 600, 8, 0), zlib.compress(b"".join(rows)))).pixels.any()


def test_a_deep_picture_whose_data_end_early_is_refused() -> None:
    data = png_file(header(64, 64, 16, 2), zlib.compress(bytes(20 * (1 + 64 * 6))))
    with pytest.raises(UnreadableImageError, match="7700 bytes where 24640 are due"):
        load_image(data)


def test_pixels_are_counted_across_chunks_and_pieces(photo: Image.Image) -> None:
    big = Image.new("L", (4000, 1500))  # one piece deflated, many inflated
    for data in (saved(photo, "PNG"), saved(big, "PNG"), encode_deep(deep_photo(photo, 4), "png")):
        stream = io.BytesIO(data)
        stream.seek(5)
        there, due = count_pixel_bytes(stream)
        assert there == due > 0
        assert stream.tell() == 5
    rows = zlib.compress(bytes(64 * 65))
    singly = [(b"IDAT", rows[place : place + 1]) for place in range(len(rows) - 1)]
    data = png_file(header(64, 64, 8, 0), rows[-1:], (b"IDAT", b""), *singly)
    assert count_pixel_bytes(io.BytesIO(data)) == (64 * 65, 64 * 65)
    assert load_image(data).pixels.shape == (64, 64, 1)


def test_data_behind_the_last_row_do_not_matter_and_are_not_inflated() -> None:
    data = png_file(header(64, 64, 8, 0), zlib.compress(bytes(50_000_000)))
    there, due = count_pixel_bytes(io.BytesIO(data))
    assert due < there < 1_000_000
    assert load_image(data).pixels.shape == (64, 64, 1)
