"""Pictures through the codec and back: every size, depth and kind, and what comes with them."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from media_samples import deep_photo
from model_samples import psnr_db
from PIL import Image

import linnet
from linnet.codec.frame import Frame


def enlarged(photo: Image.Image, width: int, height: int) -> Image.Image:
    """The photograph, repeated and cut to any size."""
    pixels = np.asarray(photo)
    repeats = -(-height // pixels.shape[0]), -(-width // pixels.shape[1]), 1
    return Image.fromarray(np.tile(pixels, repeats)[:height, :width])


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (63, 65), (1023, 1025), (5000, 300)])
def test_every_size_round_trips(photo: Image.Image, size: tuple[int, int]) -> None:
    picture = enlarged(photo, *size)
    result = linnet.encode(picture, quality=70)
    assert result.data is not None
    frame = linnet.decode(result.data)
    assert (frame.width, frame.height) == size
    assert psnr_db(frame.pixels.astype(np.uint8), np.asarray(picture)) > 24


def test_psnr_and_size_rise_with_quality(photo: Image.Image) -> None:
    points = []
    for quality in (0, 15, 30, 45, 60, 75, 90, 100):
        result = linnet.encode(photo, quality=quality)
        assert result.data is not None
        decoded = linnet.decode(result.data).pixels.astype(np.uint8)
        points.append((result.bytes, psnr_db(decoded, np.asarray(photo))))
    for (size, psnr), (more, better) in itertools.pairwise(points):
        assert more > size
        assert better > psnr
    assert points[-1][1] > 38


def test_the_file_is_within_1_percent_of_the_models_estimate(photo: Image.Image) -> None:
    for quality in (20, 80):
        result = linnet.encode(photo, quality=quality)
        assert (
            abs((result.bytes - linnet.info(result.data or b"").container_bytes) / result.estimated_bytes - 1)
            < 0.01
        )


def test_a_still_costs_at_most_64_bytes_of_container(photo: Image.Image) -> None:
    assert linnet.info(linnet.encode(photo).data or b"").container_bytes <= 64


def test_alpha_comes_back_bit_exact(photo: Image.Image) -> None:
    alpha = np.random.default_rng(1).integers(0, 256, (photo.height, photo.width), np.uint8)
    picture = photo.copy()
    picture.putalpha(Image.fromarray(alpha))
    frame = linnet.decode(linnet.encode(picture).data or b"")
    assert frame.alpha is not None
    np.testing.assert_array_equal(frame.alpha, alpha)


def test_grey_stays_grey(photo: Image.Image) -> None:
    grey = photo.convert("L")
    frame = linnet.decode(linnet.encode(grey, quality=80).data or b"")
    assert frame.pixels.shape == (photo.height, photo.width, 1)
    assert psnr_db(frame.pixels[:, :, 0].astype(np.uint8), np.asarray(grey)) > 33


def test_16_bits_keep_more_precision_than_8_at_high_quality(photo: Image.Image) -> None:
    ramp = np.linspace(9000, 30000, 256)[:, None] + np.linspace(0, 9000, 256)[None, :]
    deep = np.repeat(ramp[:, :, None], 3, 2).astype(np.uint16)
    frame = linnet.decode(linnet.encode(deep, quality=100).data or b"")
    assert frame.bit_depth == 16
    error = np.sqrt(np.mean((frame.pixels.astype(float) - deep) ** 2))
    rounded = (frame.pixels.astype(float) / 257).round() * 257
    error_of_8_bits = np.sqrt(np.mean((rounded - deep) ** 2))
    assert len(np.unique(frame.pixels)) > 4 * len(np.unique(rounded))
    assert error < error_of_8_bits


def test_a_16_bit_photo_round_trips_with_its_alpha(photo: Image.Image) -> None:
    deep = deep_photo(photo, 4)
    frame = linnet.decode(linnet.encode(deep, quality=90).data or b"")
    assert frame.pixels.dtype == np.uint16
    assert frame.alpha is not None
    np.testing.assert_array_equal(frame.alpha, deep[:, :, 3])


def test_icc_exif_and_xmp_come_back_byte_exact_and_can_be_stripped(
    photo: Image.Image, tmp_path: Path
) -> None:
    icc, xmp = b"ICC profile bytes " * 30, b"<x:xmpmeta>words</x:xmpmeta>"
    exif = Image.Exif()
    exif[0x010E] = "a portrait"
    source = tmp_path / "in.webp"
    photo.save(source, lossless=True, icc_profile=icc, exif=exif, xmp=xmp)
    kept = linnet.decode(linnet.encode(source).data or b"").metadata
    assert (kept.icc, kept.exif, kept.xmp) == (icc, exif.tobytes().removeprefix(b"Exif\0\0"), xmp)
    stripped = linnet.decode(linnet.encode(source, metadata="none").data or b"").metadata
    assert (stripped.icc, stripped.exif, stripped.xmp) == (None, None, None)


@pytest.mark.parametrize("orientation", [3, 6])
def test_an_oriented_photo_comes_back_upright(photo: Image.Image, orientation: int) -> None:
    frame = Frame.from_array(np.asarray(photo)).stored_as(orientation)
    decoded = linnet.decode(linnet.encode(frame, quality=80).data or b"")
    assert decoded.orientation == 1
    assert psnr_db(decoded.pixels.astype(np.uint8), np.asarray(photo)) > 33


def test_a_region_is_the_same_part_of_the_whole(photo: Image.Image) -> None:
    data = linnet.encode(enlarged(photo, 2100, 1100), quality=50).data or b""
    whole = linnet.decode(data).pixels.astype(int)
    x, y, width, height = region = (990, 1000, 90, 80)
    part = linnet.decode(data, region=region).pixels.astype(int)
    assert np.abs(part - whole[y : y + height, x : x + width]).max() <= 1


@pytest.mark.parametrize("region", [(-1, 0, 5, 5), (0, 0, 0, 5), (500, 0, 20, 5), (0, 0, 5, 601)])
def test_a_region_outside_the_picture_is_refused(
    photo: Image.Image, region: tuple[int, int, int, int]
) -> None:
    data = linnet.encode(photo, quality=0).data or b""
    with pytest.raises(ValueError, match="not inside the picture of 512x600"):
        linnet.decode(data, region=region)


@pytest.mark.parametrize("quality", [-0.1, 100.1])
def test_a_quality_outside_0_to_100_is_refused(photo: Image.Image, quality: float) -> None:
    with pytest.raises(ValueError, match="0 to 100"):
        linnet.encode(photo, quality=quality)


@pytest.mark.parametrize("device", ["cuda:99", "toaster", "meta"])
def test_a_device_that_is_not_there_is_refused(photo: Image.Image, device: str) -> None:
    with pytest.raises(ValueError, match=device):
        linnet.encode(photo, device=device)
