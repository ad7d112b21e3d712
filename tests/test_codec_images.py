"""Images in: every mode of every format becomes the right samples."""

import io
import os
import struct
import threading
import warnings
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from media_samples import cmyk_profile, deep_photo, exif_block, png_file, saved
from PIL import ExifTags, Image, ImageCms, ImageOps, PngImagePlugin

from linnet.bitstream import Colour, LimitExceededError, Limits
from linnet.codec.errors import MediaWarning
from linnet.codec.image.deep import encode_deep
from linnet.codec.image.exif import PREFIX, without_orientation
from linnet.codec.image.loading import load_image
from linnet.codec.image.tiff import encode_tiff


@pytest.mark.parametrize("form", ["PNG", "WEBP", "TIFF", "PPM", "BMP"])
def test_lossless_rgb_is_read_exactly(photo: Image.Image, form: str) -> None:
    options = {"lossless": True} if form == "WEBP" else {}
    frame = load_image(saved(photo, form, **options))
    assert np.array_equal(frame.pixels, np.array(photo))
    assert (frame.alpha, frame.bit_depth, frame.colour) == (None, 8, Colour.RGB)


@pytest.mark.parametrize("form", ["JPEG", "AVIF", "WEBP"])
def test_lossy_rgb_is_read_as_pillow_reads_it(photo: Image.Image, form: str) -> None:
    data = saved(photo, form)
    assert np.array_equal(load_image(data).pixels, np.array(Image.open(io.BytesIO(data)).convert("RGB")))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "PPM", "BMP", "GIF"])
def test_grey_stays_one_channel(photo: Image.Image, form: str) -> None:
    data = saved(photo.convert("L"), form)
    frame = load_image(data)
    assert frame.colour is Colour.GREY
    assert np.array_equal(frame.pixels[:, :, 0], np.array(Image.open(io.BytesIO(data)).convert("L")))


@pytest.mark.parametrize(("mode", "form"), [
    ("LA", "PNG"), ("LA", "TIFF"), ("RGBA", "PNG"), ("RGBA", "TIFF"), ("RGBA", "WEBP"), ("RGBA", "AVIF"),
])  # fmt: skip
def test_alpha_comes_apart_from_colour(photo: Image.Image, mode: str, form: str) -> None:
    image = photo.convert(mode)
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    options = {"lossless": True, "exact": True} if form == "WEBP" else {}
    frame = load_image(saved(image, form, **options))
    assert frame.alpha is not None
    assert frame.colour is (Colour.GREY if mode == "LA" else Colour.RGB)
    if form != "AVIF":  # lossy
        assert np.array_equal(frame.alpha, np.array(image.getchannel("A")))
        assert np.array_equal(frame.pixels.squeeze(), np.array(image)[:, :, :-1].squeeze())


@pytest.mark.parametrize("form", ["PNG", "GIF", "TIFF", "BMP"])
def test_palettes_become_rgb(photo: Image.Image, form: str) -> None:
    image = photo.quantize(64)
    assert np.array_equal(load_image(saved(image, form)).pixels, np.array(image.convert("RGB")))


@pytest.mark.parametrize(("form", "transparency"), [("PNG", 3), ("PNG", bytes([0, 128, 255])), ("GIF", 3)])
def test_transparent_palette_entries_become_alpha(
    photo: Image.Image, form: str, transparency: int | bytes
) -> None:
    image = photo.quantize(64)
    data = saved(image, form, transparency=transparency)
    expected = np.array(Image.open(io.BytesIO(data)).convert("RGBA"))
    frame = load_image(data)
    assert np.array_equal(frame.with_alpha(), expected)
    assert frame.alpha is not None
    assert frame.alpha.min() == 0


@pytest.mark.parametrize(("mode", "transparency"), [("L", 30), ("RGB", (10, 10, 10)), ("1", 0)])
def test_a_transparent_colour_becomes_alpha(
    photo: Image.Image, mode: str, transparency: int | tuple[int, int, int]
) -> None:
    image = photo.convert(mode)
    image.paste(transparency, (0, 0, 40, 40))
    frame = load_image(saved(image, "PNG", transparency=transparency))
    assert frame.alpha is not None
    assert not frame.alpha[:40, :40].any()
    assert frame.alpha.max() == 255
    assert np.array_equal(frame.pixels.squeeze(), np.array(image.convert("L") if mode == "1" else image))


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_the_transparent_level_of_a_grey_png_is_one_of_its_own_bits(bits: int) -> None:
    row = bytes([0x1B] * 8)  # of 2 bits: 0, 1, 2, 3; of 4 bits: 1, 11
    header = struct.pack(">IIBBBBB", 64 // bits, 5, bits, 0, 0, 0, 0)
    level = {1: 1, 2: 2, 4: 11, 8: 0x1B}[bits]
    data = png_file(header, zlib.compress((b"\0" + row) * 5), (b"tRNS", struct.pack(">H", level)))
    image = Image.open(io.BytesIO(data))
    for source in (data, image, image):  # an image object may have been loaded by the call before
        frame = load_image(source)
        assert frame.alpha is not None
        assert not frame.alpha.all()
        assert np.array_equal(frame.alpha == 0, frame.pixels[:, :, 0] == level * 255 // (2**bits - 1))


@pytest.mark.parametrize("form", ["PNG", "TIFF", "PPM", "BMP", "GIF"])
def test_one_bit_becomes_black_and_white(photo: Image.Image, form: str) -> None:
    frame = load_image(saved(photo.convert("1"), form))
    assert frame.colour is Colour.GREY
    assert np.array_equal(frame.pixels[:, :, 0], np.array(photo.convert("1").convert("L")))


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_cmyk_without_a_profile_is_read_as_pillow_reads_it(photo: Image.Image, form: str) -> None:
    data = saved(photo.convert("CMYK"), form)
    frame = load_image(data)
    assert np.array_equal(frame.pixels, np.array(Image.open(io.BytesIO(data)).convert("RGB")))
    assert frame.metadata.icc is None


def test_cmyk_with_a_profile_goes_through_it_and_drops_it(photo: Image.Image) -> None:
    data = saved(photo.convert("CMYK"), "TIFF", icc_profile=cmyk_profile())
    frame = load_image(data)
    expected = ImageCms.profileToProfile(
        Image.open(io.BytesIO(data)),
        ImageCms.ImageCmsProfile(io.BytesIO(cmyk_profile())),
        ImageCms.createProfile("sRGB"),
        outputMode="RGB",
    )
    assert frame.metadata.icc is None
    assert np.array_equal(frame.pixels, np.array(expected))
    assert not np.array_equal(frame.pixels, np.array(photo))


def test_cmyk_with_a_profile_that_does_not_fit_is_read_with_a_warning(photo: Image.Image) -> None:
    data = saved(photo.convert("CMYK"), "JPEG", icc_profile=b"no profile at all")
    with pytest.warns(MediaWarning, match="colours are approximate"):
        frame = load_image(data)
    assert np.array_equal(frame.pixels, np.array(Image.open(io.BytesIO(data)).convert("RGB")))


def test_lab_is_converted_to_srgb(photo: Image.Image) -> None:
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    image = ImageCms.profileToProfile(photo, srgb, lab, outputMode="LAB")
    assert image is not None
    difference = load_image(saved(image, "TIFF")).pixels.astype(int) - np.array(photo)
    assert np.abs(difference).mean() < 2


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "deep PNG", "deep TIFF"])
def test_orientation_is_kept_beside_the_pixels(photo: Image.Image, form: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    if form == "deep PNG":
        data = encode_deep(deep_photo(photo, 3), "png")
        stream = io.BytesIO()
        PngImagePlugin.putchunk(stream, b"eXIf", exif.tobytes()[6:])
        data = data[:33] + stream.getvalue() + data[33:]
    elif form == "deep TIFF":
        data = encode_tiff(deep_photo(photo, 3), None, exif.tobytes()[6:], None)
    else:
        data = saved(photo.crop((0, 0, 203, 301)), form, exif=exif.tobytes())
    frame = load_image(data).oriented()
    expected = np.array(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    assert expected.shape == frame.pixels.shape
    shown = frame.pixels if frame.bit_depth == 8 else frame.pixels >> 8  # Pillow cuts, it does not round
    assert np.array_equal(shown, expected)


def test_orientation_in_xmp_counts_where_exif_has_none(photo: Image.Image) -> None:
    xmp = b'<rdf:Description tiff:Orientation="8"/>'
    for exif in (b"", PREFIX + without_orientation(exif_block(3))):
        assert load_image(saved(photo, "JPEG", exif=exif, xmp=xmp)).orientation == 8


@pytest.mark.parametrize("orientation", [1, 3, 9])
def test_orientation_in_exif_overrules_xmp_even_where_it_says_upright(
    photo: Image.Image, orientation: int
) -> None:
    xmp = b'<rdf:Description tiff:Orientation="8"/>'
    frame = load_image(saved(photo, "JPEG", exif=PREFIX + exif_block(orientation), xmp=xmp))
    assert frame.orientation == (orientation if orientation < 9 else 1)


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_of_several_pictures_the_first_is_used_with_a_warning(photo: Image.Image, form: str) -> None:
    first, second = photo.convert("L").crop((0, 0, 64, 48)), photo.convert("L").crop((100, 100, 164, 148))
    options = {"lossless": True} if form == "WEBP" else {"quality": 100} if form == "AVIF" else {}
    data = saved(first, form, save_all=True, append_images=[second], **options)
    with pytest.warns(MediaWarning, match="only the first is used"):
        frame = load_image(data)
    assert (
        np.abs(frame.pixels[:, :, :1].astype(int) - np.array(first)[:, :, None]).max() <= (form == "AVIF") * 4
    )


def test_one_picture_gives_no_warning(photo: Image.Image) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for form in ("PNG", "JPEG", "WEBP", "AVIF", "TIFF", "PPM", "BMP", "GIF"):
            load_image(saved(photo.crop((0, 0, 32, 32)), form))


def test_every_kind_of_source_gives_the_same_pixels(photo: Image.Image, photo_path: Path) -> None:
    expected = np.array(photo)
    data = photo_path.read_bytes()
    for source in (photo_path, str(photo_path), data, bytearray(data), io.BytesIO(data), photo):
        assert np.array_equal(load_image(source).pixels, expected)


def test_a_pipe_is_read_to_its_end(photo: Image.Image, photo_path: Path) -> None:
    inlet, outlet = os.pipe()

    def feed() -> None:
        with os.fdopen(outlet, "wb") as stream:
            stream.write(photo_path.read_bytes())

    thread = threading.Thread(target=feed)
    thread.start()
    with os.fdopen(inlet, "rb") as stream:
        frame = load_image(stream)
    thread.join()
    assert np.array_equal(frame.pixels, np.array(photo))


def test_a_stream_is_read_from_where_it_stands(photo: Image.Image) -> None:
    stream = io.BytesIO(b"something before" + saved(photo, "PNG"))
    stream.seek(16)
    assert np.array_equal(load_image(stream).pixels, np.array(photo))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "AVIF", "TIFF", "PPM", "BMP", "GIF"])
def test_size_limits_hold_before_pixels_are_decoded(photo: Image.Image, form: str) -> None:
    data = saved(photo, form)
    whole = len(data)
    for limits in (Limits(max_pixels=512 * 600 - 1), Limits(max_side=599)):
        # Half of the file: decoding it would be another error.
        for part in (data, data[: whole // 2] if form in ("PNG", "JPEG", "PPM", "BMP", "GIF") else data):
            with pytest.raises(LimitExceededError, match="512x600"):
                load_image(part, limits)
    load_image(data, Limits(max_pixels=512 * 600, max_side=600))


def test_a_decompression_bomb_is_refused_by_its_header() -> None:
    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    stream = io.BytesIO()
    stream.write(b"\x89PNG\r\n\x1a\n")
    PngImagePlugin.putchunk(stream, b"IHDR", header)
    PngImagePlugin.putchunk(stream, b"IDAT", b"")
    with pytest.raises(LimitExceededError, match="60000x60000"):
        load_image(stream.getvalue())


def test_pillows_own_size_limit_does_not_interfere(
    photo: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert load_image(saved(photo, "PNG")).pixels.shape == (600, 512, 3)
    with suppress(LimitExceededError):  # some plugins ask for themselves, which depends on Pillow's version
        load_image(saved(photo, "WEBP"))


def test_floats_are_refused_by_name(photo: Image.Image) -> None:
    with pytest.raises(ValueError, match="32-bit floats"):
        load_image(saved(photo.convert("F"), "TIFF"))


def test_integers_beyond_16_bits_are_refused_with_their_range() -> None:
    with pytest.raises(ValueError, match="from -5 to 70000"):
        load_image(Image.fromarray(np.array([[-5, 70000]], np.int32)))


def test_empty_image_objects_are_refused() -> None:
    with pytest.raises(ValueError, match="no pixels"):
        load_image(Image.new("RGB", (0, 5)))


def test_a_frame_made_of_a_loaded_image_saves_its_metadata(photo: Image.Image) -> None:
    photo.info.update(icc_profile=b"icc", exif=b"Exif\0\0exif", xmp="<x/>")
    metadata = load_image(photo).metadata
    assert (metadata.icc, metadata.exif, metadata.xmp) == (b"icc", b"exif", b"<x/>")
