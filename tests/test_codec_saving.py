"""Images out: formats by suffix, what each can hold, whole files."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from media_samples import deep_photo
from PIL import Image

from linnet.codec.errors import MediaWarning
from linnet.codec.frame import Frame, to_eight_bits
from linnet.codec.image.loading import load_image
from linnet.codec.image.saving import SUFFIXES, save_image

LOSSLESS = [".png", ".webp", ".tif", ".tiff", ".ppm", ".pnm", ".bmp"]


def array_of(photo: Image.Image, mode: str) -> np.ndarray:
    """A part of the photograph in a mode of 8 bits, its alpha a ramp."""
    part = photo.crop((100, 50, 251, 163)).convert(mode)
    if mode in ("LA", "RGBA"):
        part.putalpha(Image.linear_gradient("L").resize(part.size))
    return np.array(part)


@pytest.mark.parametrize("suffix", LOSSLESS)
def test_lossless_formats_give_back_the_pixels(photo: Image.Image, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    written = save_image(Frame.from_array(array_of(photo, "RGB")), path)
    assert written == path.stat().st_size
    assert np.array_equal(load_image(path).pixels, array_of(photo, "RGB"))
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".avif"])
def test_lossy_formats_come_close(photo: Image.Image, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    save_image(Frame.from_array(array_of(photo, "RGB")), path)
    difference = load_image(path).pixels.astype(float) - array_of(photo, "RGB")
    assert 10 * np.log10(255**2 / np.mean(difference**2)) > 38


@pytest.mark.parametrize(("suffix", "form"), [
    (".png", "PNG"), (".JPG", "JPEG"), (".webp", "WEBP"), (".avif", "AVIF"), (".Tif", "TIFF"),
    (".ppm", "PPM"), (".bmp", "BMP"),
])  # fmt: skip
def test_the_suffix_names_the_format(photo: Image.Image, tmp_path: Path, suffix: str, form: str) -> None:
    path = tmp_path / f"out{suffix}"
    save_image(Frame.from_array(array_of(photo, "RGB")), path)
    with Image.open(path) as image:
        assert image.format == form


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".pgm", ".pnm", ".bmp"])
def test_grey_is_written_as_one_channel(photo: Image.Image, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    save_image(Frame.from_array(array_of(photo, "L")), path)
    with Image.open(path) as image:
        assert image.mode == "L"
    assert np.abs(load_image(path).pixels[:, :, 0] - array_of(photo, "L").astype(int)).mean() < 1.5


def test_grey_in_a_ppm_becomes_rgb(photo: Image.Image, tmp_path: Path) -> None:
    path = tmp_path / "out.ppm"
    save_image(Frame.from_array(array_of(photo, "L")), path)
    assert path.read_bytes().startswith(b"P6")
    assert np.array_equal(load_image(path).pixels, array_of(photo, "L")[:, :, None].repeat(3, 2))


def test_rgb_does_not_become_grey_in_a_pgm(photo: Image.Image, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="as PGM: it holds grey only"):
        save_image(Frame.from_array(array_of(photo, "RGB")), tmp_path / "out.pgm")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_alpha_is_written_exactly(photo: Image.Image, tmp_path: Path, suffix: str, mode: str) -> None:
    path, array = tmp_path / f"out{suffix}", array_of(photo, mode)
    save_image(Frame.from_array(array), path)
    again = load_image(path).with_alpha()
    expected = array if suffix != ".webp" or mode == "RGBA" else array[:, :, [0, 0, 0, 1]]  # WebP has no grey
    assert np.array_equal(again, expected)


@pytest.mark.parametrize("suffix", [".jpg", ".ppm", ".bmp"])
def test_alpha_is_never_dropped_in_silence(photo: Image.Image, tmp_path: Path, suffix: str) -> None:
    array = array_of(photo, "RGBA")
    with pytest.raises(ValueError, match=r"cannot hold transparency: save as \.png"):
        save_image(Frame.from_array(array), tmp_path / f"out{suffix}")
    assert list(tmp_path.iterdir()) == []
    array[:, :, 3] = 255
    save_image(Frame.from_array(array), tmp_path / f"out{suffix}")  # opaque everywhere: nothing is lost


@pytest.mark.parametrize(("suffix", "channels"), [
    (".png", 1), (".png", 2), (".png", 3), (".png", 4), (".tif", 1), (".tif", 3), (".tif", 4),
    (".ppm", 3), (".pgm", 1), (".pnm", 3), (".pnm", 1),
])  # fmt: skip
def test_sixteen_bits_are_written_exactly(
    photo: Image.Image, tmp_path: Path, suffix: str, channels: int
) -> None:
    path, samples = tmp_path / f"out{suffix}", deep_photo(photo, channels)
    save_image(Frame.from_array(samples), path)
    frame = load_image(path)
    assert frame.bit_depth == 16
    assert np.array_equal(frame.with_alpha(), samples)


def test_deep_grey_with_alpha_goes_into_tiff_as_rgb(photo: Image.Image, tmp_path: Path) -> None:
    samples = deep_photo(photo, 2)
    save_image(Frame.from_array(samples), tmp_path / "out.tif")
    assert np.array_equal(load_image(tmp_path / "out.tif").with_alpha(), samples[:, :, [0, 0, 0, 1]])


@pytest.mark.parametrize("suffix", [".webp", ".bmp"])
def test_formats_of_8_bits_round_16_with_a_warning(photo: Image.Image, tmp_path: Path, suffix: str) -> None:
    samples = deep_photo(photo, 3)
    with pytest.warns(MediaWarning, match="8 bits a sample: rounded from 16"):
        save_image(Frame.from_array(samples), tmp_path / f"out{suffix}")
    assert np.array_equal(load_image(tmp_path / f"out{suffix}").pixels, to_eight_bits(samples))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pixels_are_written_upright(photo: Image.Image, tmp_path: Path, orientation: int) -> None:
    frame = Frame.from_array(array_of(photo, "RGBA"), orientation=orientation)
    save_image(frame, tmp_path / "out.png")
    assert np.array_equal(load_image(tmp_path / "out.png").with_alpha(), frame.oriented().with_alpha())


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (3, 5)])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_tiny_pictures_are_written(tmp_path: Path, suffix: str, size: tuple[int, int]) -> None:
    path = tmp_path / f"out{suffix}"
    save_image(Frame.from_array(np.full(size, 90, np.uint8)), path)
    frame = load_image(path)
    assert (frame.height, frame.width) == size
    assert np.abs(frame.pixels.astype(int) - 90).max() <= 2


@pytest.mark.parametrize(("suffix", "side"), [(".jpg", 65501), (".webp", 16384), (".avif", 65537)])
def test_a_picture_too_large_for_its_format_is_refused(tmp_path: Path, suffix: str, side: int) -> None:
    frame = Frame.from_array(np.zeros((1, side), np.uint8))
    with pytest.raises(ValueError, match=f"at most {side - 1} pixels a side, the picture has {side}x1"):
        save_image(frame, tmp_path / f"out{suffix}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "message"), [
    ("out.xyz", r"cannot write images as '\.xyz': expected one of \.png"),
    ("out", "'.*out' has no suffix to tell the format"),
    ("out.lnt", r"cannot write images as '\.lnt'"),
])  # fmt: skip
def test_unknown_suffixes_are_the_callers_fault(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        save_image(Frame.from_array(np.zeros((4, 4), np.uint8)), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_stream_needs_a_format_and_no_seeking(photo: Image.Image) -> None:
    frame = Frame.from_array(array_of(photo, "RGB"))
    with pytest.raises(ValueError, match="a stream has no suffix"):
        save_image(frame, io.BytesIO())
    for form in ("png", "tif", "ppm"):
        inlet, outlet = os.pipe()
        with os.fdopen(inlet, "rb") as reader, os.fdopen(outlet, "wb") as writer:
            os.set_blocking(outlet, True)
            small = Frame.from_array(frame.pixels[:20, :20])
            assert save_image(small, writer, form) > 0
            writer.close()
            assert np.array_equal(load_image(reader).pixels, small.pixels)


def test_the_format_may_differ_from_the_suffix(photo: Image.Image, tmp_path: Path) -> None:
    save_image(Frame.from_array(array_of(photo, "RGB")), tmp_path / "out.data", "PNG")
    with Image.open(tmp_path / "out.data") as image:
        assert image.format == "PNG"


def test_an_existing_file_is_kept_unless_told(photo: Image.Image, tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    path.write_bytes(b"old")
    frame = Frame.from_array(array_of(photo, "RGB"))
    with pytest.raises(FileExistsError):
        save_image(frame, path)
    assert path.read_bytes() == b"old"
    save_image(frame, path, overwrite=True)
    assert np.array_equal(load_image(path).pixels, frame.pixels)


def test_an_image_may_be_saved_over_the_file_it_came_from(photo: Image.Image, tmp_path: Path) -> None:
    path = tmp_path / "turned.png"
    save_image(Frame.from_array(array_of(photo, "RGB")), path)
    save_image(Frame.from_array(load_image(path).pixels, orientation=6), path, overwrite=True)
    assert np.array_equal(load_image(path).pixels, np.rot90(array_of(photo, "RGB"), -1))
