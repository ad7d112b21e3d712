"""Images of 16 bits: no bit is lost on the way in, whatever the format."""

import struct

import numpy as np
import pytest
from media_samples import deep_photo, saved
from PIL import Image

from linnet.bitstream import Colour
from linnet.codec.errors import MediaWarning
from linnet.codec.image.deep import decode_deep, encode_deep
from linnet.codec.image.loading import load_image
from linnet.codec.image.tiff import encode_tiff


@pytest.mark.parametrize("form", ["PNG", "TIFF", "PPM"])
def test_deep_grey_keeps_every_bit(photo: Image.Image, form: str) -> None:
    samples = deep_photo(photo, 1)
    frame = load_image(saved(Image.fromarray(samples[:, :, 0]), form))
    assert (frame.bit_depth, frame.colour) == (16, Colour.GREY)
    assert np.array_equal(frame.pixels, samples)


def test_deep_grey_of_big_endian_tiff_keeps_every_bit(photo: Image.Image) -> None:
    samples = deep_photo(photo, 1)
    image = Image.frombytes("I;16B", (203, 301), samples.astype(">u2").tobytes())
    assert np.array_equal(load_image(saved(image, "TIFF")).pixels, samples)


def retagged(data: bytes, tag: int, old: int, new: int) -> bytes:
    """A TIFF of Pillow's with another value of one of its tags of one integer."""
    for kind in (3, 4):
        entry = struct.pack("<HHI", tag, kind, 1)
        if entry + struct.pack("<I", old) in data:
            return data.replace(entry + struct.pack("<I", old), entry + struct.pack("<I", new))
    raise ValueError(f"tag {tag} is not {old}")


def test_deep_grey_of_a_tiff_whose_white_is_zero_is_no_negative(photo: Image.Image) -> None:
    samples = deep_photo(photo, 1)
    data = saved(Image.fromarray(65535 - samples[:, :, 0]), "TIFF")
    assert np.array_equal(load_image(retagged(data, 262, 1, 0)).pixels, samples)


def test_a_tiff_of_twelve_bits_is_scaled_to_the_full_range() -> None:
    twelve = np.arange(4096).reshape(64, 64)
    first, second = twelve[:, ::2], twelve[:, 1::2]
    packed = np.stack([first >> 4, (first & 15) << 4 | second >> 8, second & 255], -1).reshape(64, 96)
    data = saved(Image.fromarray(packed.astype(np.uint8)), "TIFF")  # as 96 columns of 8 bits
    frame = load_image(retagged(retagged(data, 256, 96, 64), 258, 8, 12))
    assert np.array_equal(frame.pixels[:, :, 0], np.round(twelve * 65535 / 4095))


def test_deep_grey_with_a_transparent_level_gets_alpha(photo: Image.Image) -> None:
    samples = deep_photo(photo, 1)[:, :, 0]
    frame = load_image(saved(Image.fromarray(samples), "PNG", transparency=int(samples[50, 50])))
    assert frame.alpha is not None
    assert np.array_equal(frame.alpha == 0, samples == samples[50, 50])
    assert np.array_equal(frame.pixels[:, :, 0], samples)


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_deep_png_keeps_every_bit(photo: Image.Image, channels: int) -> None:
    samples = deep_photo(photo, channels)
    frame = load_image(encode_deep(samples, "png"))
    assert frame.bit_depth == 16
    assert np.array_equal(frame.with_alpha(), samples)


@pytest.mark.parametrize("channels", [3, 4])
def test_deep_tiff_keeps_every_bit(photo: Image.Image, channels: int) -> None:
    samples = deep_photo(photo, channels)
    frame = load_image(encode_tiff(samples, None, None, None))
    assert frame.bit_depth == 16
    assert np.array_equal(frame.with_alpha(), samples)


def test_deep_ppm_keeps_every_bit(photo: Image.Image) -> None:
    samples = deep_photo(photo, 3)
    assert np.array_equal(load_image(encode_deep(samples, "ppm")).pixels, samples)


def test_ppm_of_ten_bits_is_scaled_to_the_full_range(photo: Image.Image) -> None:
    ten = deep_photo(photo, 3) >> 6
    header = f"P6\n{ten.shape[1]} {ten.shape[0]}\n1023\n".encode()
    frame = load_image(header + ten.astype(">u2").tobytes())
    assert np.abs(frame.pixels - ten * (65535 / 1023)).max() < 1


def test_premultiplied_deep_tiff_is_read_as_8_bits_with_a_warning(photo: Image.Image) -> None:
    data = encode_tiff(deep_photo(photo, 4), None, None, None)
    associated = data.replace(struct.pack("<HHIHH", 338, 3, 1, 2, 0), struct.pack("<HHIHH", 338, 3, 1, 1, 0))
    assert associated != data
    with pytest.warns(MediaWarning, match="only 8 could be read"):
        frame = load_image(associated)
    assert (frame.bit_depth, frame.alpha is not None) == (8, True)


def test_deep_decoder_refuses_pictures_of_8_bits(photo: Image.Image) -> None:
    with pytest.raises(ValueError, match="rgb24"):
        decode_deep(saved(photo, "PNG"), "png")
