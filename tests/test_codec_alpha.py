"""Alpha as PNG: bit-exact there and back; anything else is a corrupt file."""

import io
import struct
import zlib

import numpy as np
import pytest
from media_samples import deep_photo, png_file, saved
from PIL import Image

from linnet.bitstream import CorruptFileError
from linnet.codec.still.alpha import alpha_from_png, alpha_to_png


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (600, 512)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_alpha_comes_back_bit_exact(dtype: type[np.uint8 | np.uint16], size: tuple[int, int]) -> None:
    noise = np.random.default_rng(3).integers(0, np.iinfo(dtype).max, size, dtype=dtype, endpoint=True)
    for alpha in (noise, np.zeros(size, dtype), np.full(size, np.iinfo(dtype).max, dtype)):
        again = alpha_from_png(alpha_to_png(alpha), size[1], size[0], alpha.dtype.itemsize * 8)
        assert again.dtype == dtype
        assert np.array_equal(again, alpha)


def test_strided_alpha_is_coded(photo: Image.Image) -> None:
    alpha = deep_photo(photo, 4)[::2, ::-1, 3]
    assert np.array_equal(alpha_from_png(alpha_to_png(alpha), 203, 151, 16), alpha)


def test_an_opaque_plane_costs_little() -> None:
    assert len(alpha_to_png(np.full((1024, 1024), 255, np.uint8))) < 3000  # 0.02 bits a pixel


@pytest.mark.parametrize("alpha", [np.zeros((4, 4, 1), np.uint8), np.zeros((4, 4), np.float32)])
def test_other_arrays_are_the_callers_fault(alpha: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"\[H, W\] uint8 or uint16, not"):
        alpha_to_png(alpha)


@pytest.mark.parametrize(("width", "height", "bit_depth"), [(513, 600, 8), (600, 512, 8), (512, 600, 16)])
def test_another_size_or_depth_is_corrupt(
    photo: Image.Image, width: int, height: int, bit_depth: int
) -> None:
    data = saved(photo.convert("L"), "PNG")
    with pytest.raises(CorruptFileError, match=r"the alpha plane is L 512x600, the picture needs") as caught:
        alpha_from_png(data, width, height, bit_depth)
    assert caught.value.chunk == "alpha"


@pytest.mark.parametrize("mode", ["1", "LA", "RGB", "P"])
def test_other_modes_are_corrupt(photo: Image.Image, mode: str) -> None:
    with pytest.raises(CorruptFileError, match="the picture needs L 512x600"):
        alpha_from_png(saved(photo.convert(mode), "PNG"), 512, 600, 8)


@pytest.mark.parametrize(("bits", "interlaced"), [(4, 0), (8, 1)])
def test_grey_samples_of_another_kind_are_corrupt(bits: int, interlaced: int) -> None:
    header = struct.pack(">IIBBBBB", 8, 1, bits, 0, 0, 0, interlaced)
    rows = bytes(1 + bits) if not interlaced else bytes(2 + 2 + 3 + 5)  # passes of 1, 1, 2 and 4 columns
    with pytest.raises(CorruptFileError, match="not of 8-bit grey samples in one pass"):
        alpha_from_png(png_file(header, zlib.compress(rows)), 8, 1, 8)


def test_other_formats_and_garbage_are_corrupt(photo: Image.Image) -> None:
    for data in (b"", b"garbage", saved(photo.convert("L"), "JPEG"), b"\x89PNG\r\n\x1a\n"):
        with pytest.raises(CorruptFileError, match="not a PNG datastream"):
            alpha_from_png(data, 512, 600, 8)


def test_every_truncation_of_the_samples_is_corrupt(photo: Image.Image) -> None:
    data = alpha_to_png(np.array(photo.convert("L"))[:20, :30])
    # The last 21 bytes are checksums and an empty end chunk; the container's checksum covers those too.
    for cut in range(len(data) - 21):
        with pytest.raises(CorruptFileError):
            alpha_from_png(data[:cut], 30, 20, 8)


def grey(rows: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of 30 x 20 pixels of 200, of which so many rows are there."""
    header = struct.pack(">IIBBBBB", 30, 20, 8, 0, 0, 0, 0)
    return png_file(header, zlib.compress((b"\0" + bytes([200] * 30)) * rows), *chunks)


def test_missing_and_surplus_rows_are_corrupt() -> None:
    assert (alpha_from_png(grey(20), 30, 20, 8) == 200).all()
    for rows, found in ((0, "0"), (19, "589"), (21, "more")):
        with pytest.raises(CorruptFileError, match=f"inflates to {found} bytes where 620 are due"):
            alpha_from_png(grey(rows), 30, 20, 8)


@pytest.mark.parametrize("chunk", [
    (b"zTXt", b"a\0\0" + zlib.compress(bytes(2**21))), (b"gAMA", b"x"), (b"acTL", struct.pack(">II", 2, 0)),
    (b"tRNS", b""), (b"iCCP", b"x\0\1"), (b"prIv", b"anything"),
])  # fmt: skip
def test_other_chunks_are_ignored_whatever_is_in_them(chunk: tuple[bytes, bytes]) -> None:
    assert (alpha_from_png(grey(20, chunk), 30, 20, 8) == 200).all()


def test_a_size_beyond_the_picture_is_refused_before_decoding() -> None:
    stream = io.BytesIO()
    Image.new("L", (4000, 4000)).save(stream, "PNG")
    with pytest.raises(CorruptFileError, match="4000x4000, the picture needs L 8x8"):
        alpha_from_png(stream.getvalue(), 8, 8, 8)
