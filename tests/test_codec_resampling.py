"""Pictures coded smaller than they are shown: all comes back in full size, and small targets are met."""

import io
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_process import linnet as run_linnet
from format_decoder import read_file
from format_resampling import enlarged
from media_samples import deep_photo
from PIL import Image

import linnet
import linnet.pillow
from linnet.bitstream import Metadata, Reader, Writer
from linnet.codec.distortion import psnr_db
from linnet.codec.errors import MediaWarning
from linnet.codec.frame import Frame
from linnet.codec.still.header import header_of
from linnet.codec.still.hidden import with_hidden_filled
from linnet.codec.still.resampling import reduced
from linnet.models import image_codec, zoo


@pytest.fixture
def picture(photo: Image.Image) -> np.ndarray:
    """[253, 317, 3]: odd sides."""
    return np.asarray(photo.crop((100, 0, 417, 253)))


def wide_lanczos(small: int, large: int, factor: int) -> np.ndarray:
    """[small, large]: by what each sample of a line counts for each one of the reduced line."""
    t = (np.arange(large) + 0.5) / factor - 0.5 - np.arange(small)[:, None]
    window = np.where(np.abs(t) < 3, np.sinc(t) * np.sinc(t / 3), 0)
    return window / window.sum(1, keepdims=True)


def encoded(picture: np.ndarray | Frame, resampling: int, quality: float = 40) -> bytes:
    return linnet.encode(picture, quality=quality, resampling=resampling).data or b""


def as_coded(data: bytes) -> np.ndarray:
    """The coded picture of a resampled file: the same tiles behind the header of a picture of that size."""
    reader, stream = Reader(data), io.BytesIO()
    writer = Writer(stream, replace(reader.header, minor=0, resampling=None))
    for tile in reader.tiles():
        writer.write_tile(tile.index, tile.latent_hash, tile.payload)
    writer.finish()
    return linnet.decode(stream.getvalue()).pixels


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_pixels_are_those_of_the_format_document(picture: np.ndarray, factor: int) -> None:
    data = encoded(picture, factor)
    shown, coded = linnet.decode(data).pixels, as_coded(data)
    assert coded.shape[:2] == (-(-253 // factor), -(-317 // factor))
    difference = np.abs(shown - enlarged(coded, read_file(data)[0]))
    assert difference.max() <= 1
    assert difference.mean() < 1e-3


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_pictures_are_reduced_as_the_format_document_advises(picture: np.ndarray, factor: int) -> None:
    header = header_of(Frame.from_array(picture), image_codec.load(zoo.find("fast")), 40, resampling=factor)
    columns, rows = header.width * factor, header.height * factor
    source = np.pad(picture, ((0, rows - 253), (0, columns - 317), (0, 0)), mode="edge").astype(float)
    down, across = (wide_lanczos(side // factor, side, factor) for side in (rows, columns))
    expected = np.clip(np.rint(np.einsum("yY,YXc,xX->yxc", down, source, across, optimize=True)), 0, 255)
    difference = np.abs(reduced(Frame.from_array(picture), header).pixels - expected)
    assert difference.max() <= 1
    assert difference.mean() < 1e-3


@pytest.mark.parametrize("factor", [1, 2, 4, 8])
def test_what_alpha_hides_is_not_seen_along_edges(factor: int) -> None:
    rows, columns = np.mgrid[:256, :256]
    disc = (rows - 120) ** 2 + (columns - 131) ** 2 < 70**2
    white = np.where(disc[:, :, None], [255, 255, 255, 255], [0, 0, 0, 0]).astype(np.uint8)
    shown = linnet.decode(encoded(white, factor, 60))
    assert np.array_equal(shown.with_alpha()[:, :, 3], white[:, :, 3])
    assert shown.pixels[disc].min() > 215
    grey = np.dstack([white[:, :, :3] // 2 + 60, white[:, :, 3]])
    assert np.abs(linnet.decode(encoded(grey, factor, 60)).pixels[disc] - 187.0).max() < 30


def test_colours_under_alpha_are_those_of_what_is_visible_nearby(picture: np.ndarray) -> None:
    alpha = np.full(picture.shape[:2], 255, np.uint8)
    opaque = Frame(picture, alpha.copy())
    assert with_hidden_filled(opaque) is opaque
    alpha[40:60, 50:90], alpha[:, 250:] = 0, 0
    filled = with_hidden_filled(Frame(picture, alpha)).pixels
    assert np.array_equal(filled[alpha > 0], picture[alpha > 0])
    assert np.abs(filled[50, 50:52].astype(float) - picture[50, 42:50].mean(0)).max() < 60
    assert np.abs(filled[100, 250].astype(float) - picture[96:104, 242:250].mean((0, 1))).max() < 40
    assert np.abs(np.diff(filled[:, 300:].astype(int), axis=1)).max() < 10  # nothing visible is near
    assert np.array_equal(with_hidden_filled(Frame(picture, np.zeros_like(alpha))).pixels, picture)


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_a_smaller_factor_is_a_larger_file_and_a_better_picture(picture: np.ndarray, factor: int) -> None:
    coarse, fine = encoded(picture, factor), encoded(picture, factor // 2)
    assert len(coarse) < 0.6 * len(fine)
    quality = [psnr_db(picture, linnet.decode(data).pixels) for data in (coarse, fine)]
    assert 17 < quality[0] < quality[1] - 1


@pytest.mark.parametrize("size", [(1, 1), (2, 9), (17, 1)])
def test_the_smallest_pictures_come_back_in_their_size(picture: np.ndarray, size: tuple[int, int]) -> None:
    small = picture[100 : 100 + size[1], 100 : 100 + size[0]]
    shown = linnet.decode(encoded(small, 8, 100)).pixels
    assert shown.shape == small.shape
    assert np.abs(shown.mean((0, 1)) - small.mean((0, 1))).max() < 12


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_orientation_alpha_and_metadata_are_those_of_the_full_picture(
    photo: Image.Image, orientation: int
) -> None:
    deep = deep_photo(photo, 4)[:211, :157]
    source = replace(Frame.from_array(deep, orientation=orientation), metadata=Metadata(icc=b"profile"))
    data = encoded(source, 2, 60)
    frame, upright = linnet.decode(data), source.oriented()
    assert frame.upright_size == source.upright_size
    assert frame.pixels.dtype == np.uint16
    alpha = upright.with_alpha()[:, :, 3]
    assert np.array_equal(frame.with_alpha()[:, :, 3], alpha)
    assert frame.metadata.icc == b"profile"
    assert psnr_db(upright.to_eight_bits().pixels, frame.to_eight_bits().pixels) > 25
    left, top, width, height = region = (31, 40, 77, 60)
    part = linnet.decode(data, region=region)
    assert np.array_equal(part.pixels, frame.pixels[top : top + height, left : left + width])
    assert np.array_equal(part.with_alpha()[:, :, 3], alpha[top : top + height, left : left + width])
    assert linnet.verify(data, full=True).ok


@pytest.mark.parametrize("region", [(0, 0, 317, 253), (316, 252, 1, 1), (130, 120, 16, 33)])
@pytest.mark.parametrize(("factor", "tile"), [(2, 64), (4, 1024), (8, 64)])
def test_a_region_is_a_part_of_the_whole(
    picture: np.ndarray, factor: int, tile: int, region: tuple[int, int, int, int]
) -> None:
    data = linnet.encode(picture[:, :, 1], quality=40, resampling=factor, tile=tile).data or b""
    left, top, width, height = region
    whole = linnet.decode(data).pixels
    part = linnet.decode(data, region=region).pixels
    assert np.abs(part.astype(int) - whole[top : top + height, left : left + width]).max() <= 1
    with pytest.raises(ValueError, match="317x253"):
        linnet.decode(data, region=(0, 0, 318, 10))


def test_targets_below_quality_0_are_met_by_the_least_resampling(picture: np.ndarray) -> None:
    whole = linnet.encode(picture, quality=0).bytes
    found = {}
    for size in (2 * whole, whole, whole // 2, whole // 5, whole // 8):
        made = linnet.encode(picture, target_size=size)
        assert 0.95 * size <= made.bytes <= size
        assert linnet.info(made.data or b"").resampling == made.resampling
        found[size] = (made.resampling, psnr_db(picture, linnet.decode(made.data or b"").pixels))
    factors, quality = zip(*found.values(), strict=True)
    assert factors[:2] == (1, 1)
    assert list(factors) == sorted(factors)
    assert factors[2] == 2
    assert factors[-1] > 2
    assert list(quality) == sorted(quality, reverse=True)
    with pytest.raises(linnet.TargetError, match="quality 0 gives no less than"):
        linnet.encode(picture, target_size=whole // 2, resampling=1)
    assert linnet.encode(picture, target_psnr=12).resampling == 1


def test_what_is_kept_as_it_is_can_be_too_large_for_a_target(picture: np.ndarray) -> None:
    alpha = np.random.default_rng(1).integers(0, 256, picture.shape[:2], np.uint8)
    for source, why in (
        (Frame(picture, alpha), r"0 bytes of metadata and \d{5} of alpha"),
        (Frame(picture, metadata=Metadata(icc=bytes(3000))), "3000 bytes of metadata and 0 of alpha"),
    ):
        for model in ("fast", "vq"):
            with pytest.raises(linnet.TargetError, match=why):
                linnet.encode(source, target_size=2000, model=model)


def test_what_takes_more_than_half_of_a_target_is_warned_about(picture: np.ndarray) -> None:
    labelled = Frame(picture, metadata=Metadata(icc=bytes(3000)))
    with pytest.warns(MediaWarning, match="3000 bytes of metadata .* 60% of the target"):
        assert linnet.encode(labelled, target_size=5000).bytes <= 5000
    with warnings.catch_warnings():
        warnings.simplefilter("error", MediaWarning)
        linnet.encode(labelled, target_size=7000)


def test_the_smallest_of_all_files_is_what_a_refusal_names() -> None:
    dot = np.full((1, 1, 3), 90, np.uint8)
    smallest = min(len(encoded(dot, factor, 0)) for factor in (1, 2, 4, 8))
    with pytest.raises(linnet.TargetError, match=rf"quality 0 gives no less than {smallest}$"):
        linnet.encode(dot, target_size=smallest - 1)


def test_a_psnr_is_that_of_the_full_picture(picture: np.ndarray) -> None:
    made = linnet.encode(picture, target_psnr=25, resampling=2)
    assert 25 <= psnr_db(picture, linnet.decode(made.data or b"").pixels) <= 25.06
    with pytest.raises(linnet.TargetError, match="quality 100 at resampling 8 gives"):
        linnet.encode(picture, target_psnr=40, resampling=8)


def test_a_damaged_one_is_shown_in_part_and_said_so(picture: np.ndarray) -> None:
    data = linnet.encode(picture, quality=40, resampling=2, tile=64).data or b""
    tile = list(Reader(data).tiles())[2]
    broken = bytearray(data)
    broken[tile.offset + 9] ^= 1
    frame = linnet.decode(bytes(broken), allow_partial=True)
    assert frame.losses is not None
    assert frame.losses.concealed == (2,)
    whole = linnet.decode(data).pixels
    assert frame.pixels.shape == whole.shape
    beside = slice(None), slice(0, 220)  # tile 2 begins at column 256
    assert np.abs(frame.pixels[beside].astype(int) - whole[beside]).max() <= 3
    assert psnr_db(whole[:120, 260:], frame.pixels[:120, 260:]) < 25


def test_pillow_and_info_see_the_full_size(picture: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "a.lnt"
    linnet.encode(picture, path, quality=30, resampling=4)
    with Image.open(path) as image:
        assert image.size == (317, 253)
        assert np.asarray(image).shape == picture.shape
    found = linnet.info(path)
    assert (found.width, found.height, found.format_version, found.resampling) == (317, 253, "1.4", 4)
    assert found.bpp == pytest.approx(path.stat().st_size * 8 / (317 * 253))


def test_what_is_not_resampled_is_the_file_it_was(picture: np.ndarray) -> None:
    assert encoded(picture, 1) == linnet.encode(picture, quality=40).data
    assert linnet.info(encoded(picture, 1)).format_version == "1.0"


def test_wrong_factors_and_models_are_the_callers_fault(picture: np.ndarray) -> None:
    for factor in (0, 3, 16):
        with pytest.raises(ValueError, match="resampling must be one of 1, 2, 4, 8"):
            encoded(picture, factor)
    numpy_two: Any = np.int64(2)
    assert encoded(picture, numpy_two) == encoded(picture, 2)
    fraction: Any = 2.0
    with pytest.raises(ValueError, match=r"resampling must be a whole number, not 2\.0"):
        encoded(picture, fraction)
    with pytest.raises(ValueError, match="not resampled"):
        linnet.encode(picture, model="vq", resampling=2)


def test_the_command_line_meets_a_small_target_and_says_how(tmp_path: Path, photo_path: Path) -> None:
    made = run_linnet("encode", photo_path, "-o", tmp_path / "a.lnt", "--target-size", "1200", "--json")
    assert (made.code, made.records[0]["resampling"]) == (0, 4)
    assert (tmp_path / "a.lnt").stat().st_size <= 1200
    told = run_linnet("encode", photo_path, "-o", tmp_path / "b.lnt", "--resampling", "4", "--effort", "2")
    assert told.code == 0
    assert "  resampling 4  " in told.out.decode() + told.err
    assert "coded at 1/4 of its sides" in run_linnet("info", tmp_path / "b.lnt").out.decode()
    refused = run_linnet("encode", photo_path, "-n", "--resampling", "5")
    assert (refused.code, "choose one of 1, 2, 4, 8" in refused.err) == (2, True)
    assert (
        run_linnet("encode", photo_path, "-o", tmp_path / "c.lnt", "-m", "vq", "--resampling", "2").code == 2
    )
