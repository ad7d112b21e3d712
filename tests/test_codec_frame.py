"""Frame: what it accepts, how it turns, what Pillow gets of it."""

import numpy as np
import pytest
from media_samples import exif_block
from PIL import ExifTags, Image, ImageOps

from linnet.bitstream import Colour, Metadata
from linnet.codec.frame import Frame, to_eight_bits
from linnet.codec.image.exif import orientation_of, with_orientation, without_orientation
from linnet.codec.orientation import stored_region

ORIENTATIONS = range(1, 9)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_oriented_turns_as_pillow_does(photo: Image.Image, orientation: int) -> None:
    photo.info["exif"] = b"Exif\0\0" + exif_block(orientation)
    upright = Frame.from_array(np.array(photo), orientation=orientation).oriented()
    assert upright.orientation == 1
    assert np.array_equal(upright.pixels, np.array(ImageOps.exif_transpose(photo)))


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_stored_as_undoes_oriented(photo: Image.Image, orientation: int) -> None:
    array = np.dstack([np.array(photo), np.array(photo)[:, :, :1]])
    stored = Frame.from_array(array, orientation=orientation)
    again = stored.oriented().stored_as(orientation)
    assert np.array_equal(again.pixels, stored.pixels)
    assert again.alpha is not None
    assert stored.alpha is not None
    assert np.array_equal(again.alpha, stored.alpha)
    assert again.orientation == orientation
    assert again.pixels.flags.c_contiguous


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_stored_region_turned_upright_is_the_region(photo: Image.Image, orientation: int) -> None:
    stored = Frame.from_array(np.array(photo), orientation=orientation)
    upright = stored.oriented()
    x, y, width, height = 30, 50, 100, 20
    left, top, across, down = stored_region((x, y, width, height), stored.upright_size, orientation)
    part = Frame.from_array(stored.pixels[top : top + down, left : left + across], orientation=orientation)
    assert np.array_equal(part.oriented().pixels, upright.pixels[y : y + height, x : x + width])


def test_size_is_as_stored_and_upright_size_as_shown() -> None:
    frame = Frame.from_array(np.zeros((20, 30), np.uint8), orientation=6)
    assert (frame.width, frame.height) == (30, 20)
    assert frame.upright_size == (20, 30)
    assert frame.upright_size == (frame.oriented().width, frame.oriented().height)


@pytest.mark.parametrize("dtype", ["u1", "<u2", ">u2"])
@pytest.mark.parametrize(("channels", "colour", "has_alpha"), [
    (1, Colour.GREY, False), (2, Colour.GREY, True), (3, Colour.RGB, False), (4, Colour.RGB, True),
])  # fmt: skip
def test_from_array_splits_colour_and_alpha(
    dtype: str, channels: int, colour: Colour, has_alpha: bool
) -> None:
    array = np.arange(5 * 4 * channels).reshape(5, 4, channels).astype(dtype)
    frame = Frame.from_array(array)
    assert frame.colour is colour
    assert (frame.alpha is not None) == has_alpha
    assert frame.bit_depth == 8 * array.dtype.itemsize
    assert np.array_equal(frame.with_alpha(), array)
    assert frame.pixels.dtype.isnative


def test_from_array_takes_plain_grey() -> None:
    assert Frame.from_array(np.zeros((5, 4), np.uint8)).pixels.shape == (5, 4, 1)


@pytest.mark.parametrize(("array", "message"), [
    (np.zeros((4, 4, 3), np.float32), "float32"),
    (np.zeros((4, 4, 3), bool), "bool"),
    (np.zeros((4, 4, 3), np.int16), "int16"),
    (np.zeros((4, 4, 5), np.uint8), "not 5"),
    (np.zeros(4, np.uint8), r"\[4\]"),
    (np.zeros((1, 4, 4, 3), np.uint8), r"\[1, 4, 4, 3\]"),
    (np.zeros((0, 4, 3), np.uint8), r"\[0, 4, 3\]"),
])  # fmt: skip
def test_other_arrays_are_the_callers_fault(array: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Frame.from_array(array)


@pytest.mark.parametrize("alpha", [np.zeros((4, 5), np.uint8), np.zeros((4, 4), np.uint16)])
def test_alpha_must_fit_the_pixels(alpha: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"alpha must be \[4, 4\] uint8"):
        Frame(np.zeros((4, 4, 3), np.uint8), alpha)


@pytest.mark.parametrize("orientation", [0, 9, -1])
def test_orientation_outside_exif_is_refused(orientation: int) -> None:
    frame = Frame.from_array(np.zeros((4, 4), np.uint8))
    with pytest.raises(ValueError, match=f"1 to 8 as in EXIF, not {orientation}"):
        Frame(frame.pixels, orientation=orientation)
    with pytest.raises(ValueError, match=f"not {orientation}"):
        frame.stored_as(orientation)


def test_sixteen_bits_round_to_the_nearest_of_eight() -> None:
    samples = np.arange(65536, dtype=np.uint16)
    assert np.array_equal(to_eight_bits(samples), np.round(samples / 257).astype(np.uint8))


@pytest.mark.parametrize(("channels", "dtype", "mode"), [
    (1, np.uint8, "L"), (2, np.uint8, "LA"), (3, np.uint8, "RGB"), (4, np.uint8, "RGBA"),
    (1, np.uint16, "I;16"), (2, np.uint16, "LA"), (3, np.uint16, "RGB"), (4, np.uint16, "RGBA"),
])  # fmt: skip
def test_to_pil_chooses_the_nearest_mode(channels: int, dtype: type[np.uint8 | np.uint16], mode: str) -> None:
    array = np.full((6, 4, channels), 200, dtype)
    image = Frame.from_array(array).to_pil()
    assert (image.mode, image.size) == (mode, (4, 6))
    expected = array if mode == "I;16" else to_eight_bits(array)
    assert np.array_equal(np.array(image).reshape(array.shape), expected)


@pytest.mark.parametrize("endian", ["<", ">"])
def test_to_pil_is_upright_and_says_so(endian: str) -> None:
    metadata = Metadata(icc=b"profile", exif=exif_block(6, endian), xmp=b"<x/>")
    image = Frame.from_array(np.zeros((20, 30), np.uint8), orientation=6, metadata=metadata).to_pil()
    assert image.size == (20, 30)
    assert image.getexif()[ExifTags.Base.Orientation] == 1
    assert image.getexif()[ExifTags.Base.Make] == "Linnet Optical"
    assert image.info["icc_profile"] == b"profile"
    assert image.info["xmp"] == b"<x/>"


@pytest.mark.parametrize("endian", ["<", ">"])
def test_patching_the_orientation_changes_nothing_else(endian: str) -> None:
    block = exif_block(6, endian)
    patched = with_orientation(block, 1)
    assert orientation_of(block) == 6
    assert orientation_of(patched) == 1
    assert sum(a != b for a, b in zip(block, patched, strict=True)) == 1
    assert with_orientation(patched, 6) == block


@pytest.mark.parametrize("endian", ["<", ">"])
def test_removing_the_orientation_keeps_every_other_value(endian: str) -> None:
    tags = Image.Exif()
    tags.load(b"Exif\0\0" + without_orientation(exif_block(6, endian)))
    assert ExifTags.Base.Orientation not in tags
    assert tags[ExifTags.Base.Make] == "Linnet Optical"
    assert tags.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] == "2024:05:06 07:08:09"
    assert tags.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] == "N"


def test_damaged_exif_has_no_orientation_and_stays_as_it_is() -> None:
    block = exif_block(6)
    blocks = [block[:cut] for cut in range(len(block))] + [b"", b"II*\0\xff\xff\xff\xff", b"MM\0*" + bytes(4)]
    for broken in blocks:
        assert orientation_of(broken) in (1, 6)
        if orientation_of(broken) == 1:
            assert with_orientation(broken, 1) == broken
            assert without_orientation(broken) == broken


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_senseless_orientation_tags_count_as_upright(value: int) -> None:
    assert orientation_of(with_orientation(exif_block(6), value)) == 1
