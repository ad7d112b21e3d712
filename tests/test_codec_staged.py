"""Stills in stages: any number of them is a picture, and quality says how many there are."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms
from staged_samples import Photo, encoded, expected
from vq_samples import SPEC, BlocksCodec, without

import linnet
from linnet.bitstream import Metadata, Reader, Writer
from linnet.codec.distortion import psnr_db
from linnet.codec.frame import Frame, Samples
from linnet.codec.still.header import header_of
from linnet.models import codecs, zoo

pytestmark = pytest.mark.usefixtures("blocks_model")
Settings = dict[str, Any]


@pytest.mark.parametrize("stages", [1, 2, 3])
@pytest.mark.parametrize("tile", [64, 128, 1024])
def test_a_file_gives_the_picture_of_its_tokens(pixels: Photo, stages: int, tile: int) -> None:
    data = encoded(pixels, stages, tile)
    assert np.array_equal(linnet.decode(data).pixels, expected(pixels, stages))
    assert linnet.decode(data, allow_partial=True).losses is None
    report = linnet.verify(data, full=True)
    assert (report.parts, report.bytes) == (report.tiles * stages, len(data))


@pytest.mark.parametrize("size", [(1, 1), (17, 33), (33, 17), (64, 65), (16, 100)])
@pytest.mark.parametrize("kind", ["rgb", "grey", "grey16", "rgb16"])
def test_any_size_and_depth_comes_back(pixels: Photo, size: tuple[int, int], kind: str) -> None:
    part: Samples = pixels[: size[0], : size[1], : 1 if kind.startswith("grey") else 3]
    if kind.endswith("16"):
        part = part.astype(np.uint16) * np.uint16(257)
    assert np.array_equal(linnet.decode(encoded(part, tile=64)).pixels, expected(part))


def test_alpha_profile_and_orientation_survive(pixels: Photo) -> None:
    alpha = np.indices(pixels.shape[:2]).sum(0).astype(np.uint8)
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    frame = Frame(pixels, alpha, 6, Metadata(icc=icc))
    data = encoded(frame, tile=128)
    back = linnet.decode(data)
    assert back.metadata.icc == icc
    assert back.alpha is not None
    assert np.array_equal(back.alpha, np.rot90(alpha, -1))
    assert np.array_equal(back.pixels, np.rot90(expected(pixels), -1))
    cut = linnet.decode(linnet.cut(data, stages=1).data or b"")
    assert cut.alpha is not None
    assert (cut.metadata.icc, np.array_equal(cut.alpha, back.alpha)) == (icc, True)
    region = linnet.decode(data, region=(30, 101, 99, 150))
    assert np.array_equal(region.pixels, back.pixels[101:251, 30:129])


def test_a_region_is_that_part_of_the_whole(pixels: Photo, tiled: bytes) -> None:
    whole = linnet.decode(tiled).pixels
    for box in ((0, 0, 1, 1), (269, 199, 1, 1), (63, 64, 2, 2), (70, 33, 150, 100)):
        x, y, width, height = box
        for damaged in (tiled, without(tiled, [7, 21])):
            if damaged is tiled:
                found = linnet.decode(damaged, region=box).pixels
                assert np.array_equal(found, whole[y : y + height, x : x + width])
            shown = linnet.decode(damaged, region=box, allow_partial=True).pixels
            full = linnet.decode(damaged, allow_partial=True).pixels
            assert np.array_equal(shown, full[y : y + height, x : x + width])


@pytest.mark.parametrize(
    ("quality", "stages"), [(0, 1), (33.33, 1), (33.34, 2), (66.66, 2), (66.67, 3), (100, 3)]
)
def test_quality_says_how_many_stages(pixels: Photo, quality: float, stages: int) -> None:
    result = linnet.encode(pixels, model="blocks", quality=quality)
    assert (result.stages, result.quality) == (stages, quality)
    by_stages = linnet.encode(pixels, model="blocks", stages=stages)
    assert by_stages.bytes == result.bytes
    again = linnet.encode(pixels, model="blocks", quality=by_stages.quality)
    assert again.data == by_stages.data
    assert by_stages.estimated_bytes == pytest.approx(by_stages.bytes, abs=80 + 15 * stages)


def test_what_a_model_lacks_is_said(pixels: Photo) -> None:
    cases: tuple[tuple[Settings, str], ...] = (
        ({"model": "fast", "stages": 2}, "does not code in stages"),
        ({"model": "blocks", "stages": 4}, "has 3 stages: choose 1 to 3, not 4"),
        ({"model": "blocks", "stages": 0}, "choose 1 to 3"),
        ({"model": "blocks", "stages": 1, "quality": 10}, "exclude each other"),
        ({"model": "blocks", "stages": 1, "target_size": 1000}, "exclude each other"),
        ({"model": "blocks", "tile": 100}, "64, 128, 256, 512, 1024"),
        ({"model": "blocks", "tile": 2048}, "64, 128, 256, 512, 1024"),
    )
    for settings, why in cases:
        with pytest.raises(ValueError, match=why):
            linnet.encode(pixels, **settings)


def test_a_clip_cannot_be_in_stages(tmp_path: Path, pixels: Photo) -> None:
    Image.fromarray(pixels).save(tmp_path / "frame1.png")
    with pytest.raises(ValueError, match="no frames of clips"):
        linnet.encode_video(tmp_path / "frame%d.png", tmp_path / "a.lnt", model="blocks")
    with pytest.raises(linnet.ModelMismatchError, match="says no stages, model 'blocks' has 3"):
        zoo.find_still_wire(SPEC.wire_id, SPEC.weights_hash)


def test_targets_take_the_most_stages_that_fit(pixels: Photo) -> None:
    sizes = [len(encoded(pixels, stages, 128)) for stages in (1, 2, 3)]
    for size, stages in ((sizes[0], 1), (sizes[1] - 1, 1), (sizes[1], 2), (10**6, 3)):
        made = linnet.encode(pixels, model="blocks", target_size=size, tile=128)
        assert (made.stages, made.bytes) == (stages, sizes[stages - 1])
        assert made.data == encoded(pixels, stages, 128)
    with pytest.raises(linnet.TargetError, match="no less than"):
        linnet.encode(pixels, model="blocks", target_size=sizes[0] - 1, tile=128)
    bpp = sizes[1] * 8 / pixels[..., 0].size
    assert linnet.encode(pixels, model="blocks", target_bpp=bpp + 1e-6, tile=128).stages == 2
    psnr = [
        10 * np.log10(255**2 / np.mean((expected(pixels, n).astype(float) - pixels) ** 2)) for n in (1, 2, 3)
    ]
    assert linnet.encode(pixels, model="blocks", target_psnr=psnr[0] + 0.01).stages == 2
    with pytest.raises(linnet.TargetError, match="cannot be met: quality"):
        linnet.encode(pixels, model="blocks", target_psnr=psnr[2] + 0.01)


def test_small_tiles_of_a_wide_picture_are_seen_together(photo: Image.Image) -> None:
    wide = np.asarray(photo.resize((1100, 72)))
    data = encoded(wide, tile=64)
    assert np.array_equal(linnet.decode(data).pixels, expected(wide))
    assert np.array_equal(linnet.decode(data, region=(1000, 60, 100, 12)).pixels, expected(wide)[60:, 1000:])
    plain = linnet.encode(wide, quality=30, tile=64).data or b""
    assert linnet.verify(plain, full=True).tiles == 36
    assert sorted(tile.index for tile in Reader(plain).tiles()) == list(range(36))
    one_tile = linnet.decode(linnet.encode(wide, quality=30).data or b"").pixels
    assert psnr_db(wide, linnet.decode(plain).pixels) == pytest.approx(psnr_db(wide, one_tile), abs=0.1)


def test_a_header_must_fit_the_model(tiled: bytes, pixels: Photo) -> None:
    frame = Frame(pixels[:16, :16])
    for header in (
        header_of(frame, BlocksCodec(), 0, stages=4),
        header_of(frame, BlocksCodec(), 0),
        replace(header_of(frame, codecs.load(zoo.find("fast")), 0), minor=3, stages=1),
    ):
        stream = io.BytesIO()
        writer = Writer(stream, header)
        for stage in range(max(1, header.stages)):
            writer.write_tile(0, 0, b"", stage)
        writer.finish()
        for lenient in (False, True):
            with pytest.raises(linnet.ModelMismatchError, match="stages, model"):
                linnet.decode(stream.getvalue(), allow_partial=lenient)


def test_limits_hold_before_anything_is_decoded(tiled: bytes) -> None:
    for limits in (
        linnet.Limits(max_pixels=53_999),
        linnet.Limits(max_side=269),
        linnet.Limits(max_tile_bytes=3),
    ):
        with pytest.raises(linnet.LimitExceededError):
            linnet.decode(tiled, limits=limits)
