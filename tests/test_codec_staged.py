"""Stills in stages: any number of them is a picture, and of a damaged one what is lost is told."""

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import vq_samples
from numpy.typing import NDArray
from PIL import Image, ImageCms
from vq_samples import SPEC, BlocksCodec, starts, without

import linnet
from linnet.bitstream import Header, Metadata, Reader, Writer
from linnet.codec.distortion import psnr_db
from linnet.codec.frame import Frame, Samples
from linnet.codec.still import header_of
from linnet.codec.tiles import to_planes
from linnet.models import codecs, zoo

Photo = NDArray[np.uint8]
Settings = dict[str, Any]


@pytest.fixture(scope="module", autouse=True)
def _model() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        vq_samples.install(patch)
        yield


@pytest.fixture(scope="module")
def pixels(photo_path: Path) -> Photo:
    """A part of the photograph, 270 x 200."""
    with Image.open(photo_path) as image:
        return np.asarray(image.convert("RGB"))[60:260, 130:400]


@pytest.fixture(scope="module")
def tiled(pixels: Photo) -> bytes:
    """The same in 20 tiles and 60 parts."""
    return encoded(pixels, tile=64)


def encoded(pixels: Samples | Frame, stages: int = 3, tile: int = 1024) -> bytes:
    frame = pixels if isinstance(pixels, Frame) else Frame.from_array(pixels)
    return linnet.encode(frame, model="blocks", stages=stages, tile=tile).data or b""


def expected(pixels: Samples, stages: int = 3) -> Samples:
    """What the codec itself makes of its tokens: coding loses nothing of them."""
    codec = BlocksCodec()
    tokens = codec.analyse(to_planes(pixels, 32), 0).numpy()
    tokens[..., stages:] = 0
    planes = codec.synthesise(tokens, 0)[:, : pixels.shape[0], : pixels.shape[1]]
    if pixels.shape[2] == 1:
        planes = planes.mean(0, keepdim=True)
    peak = np.iinfo(pixels.dtype).max
    return (planes * peak).round().clamp(0, peak).permute(1, 2, 0).numpy().astype(pixels.dtype)


def partial(data: bytes) -> tuple[Samples, linnet.Losses]:
    frame = linnet.decode(data, allow_partial=True)
    assert frame.losses is not None
    return frame.pixels, frame.losses


def tile_of(header: Header, pixels: Samples, tile: int) -> Samples:
    left, top, width, height = header.tile_box(tile)
    return pixels[top : top + height, left : left + width]


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
    with pytest.raises(linnet.TargetError, match="no more than"):
        linnet.encode(pixels, model="blocks", target_psnr=psnr[2] + 0.01)


def test_a_cut_is_the_file_that_had_fewer_stages(pixels: Photo, tiled: bytes, tmp_path: Path) -> None:
    for stages in (1, 2, 3):
        result = linnet.cut(tiled, stages=stages)
        data = result.data or b""
        assert (result.stages, result.stages_before, result.bytes) == (stages, 3, len(data))
        fresh = encoded(pixels, stages, 64)
        assert [tile.payload for tile in Reader(data).tiles()] == [t.payload for t in Reader(fresh).tiles()]
        assert len(data) == len(fresh)
        assert np.array_equal(linnet.decode(data).pixels, expected(pixels, stages))
        assert linnet.cut(tiled, target_size=len(data)).data == data
        assert linnet.info(data).stages == stages
    assert linnet.cut(tiled, stages=3).data == tiled
    assert linnet.cut(tiled, tmp_path / "small.lnt", stages=1).path == tmp_path / "small.lnt"
    assert linnet.info(tmp_path / "small.lnt").parts == 20


def test_a_cut_needs_only_what_it_keeps(tiled: bytes) -> None:
    places = starts(tiled)
    whole = linnet.cut(tiled, stages=2).data
    assert linnet.cut(tiled[: places[40]], stages=2).data == whole
    assert linnet.cut(io.BytesIO(tiled[: places[45]]), stages=2).data == whole
    with pytest.raises(linnet.TruncatedError):
        linnet.cut(tiled[: places[39]], stages=2)
    with pytest.raises(linnet.TruncatedError):
        linnet.cut(tiled[: places[45]], target_size=10**6)
    with pytest.raises(linnet.CorruptFileError, match="comes where"):
        linnet.cut(without(tiled, [3]), stages=2)


def test_what_cannot_be_cut_is_said(pixels: Photo, tiled: bytes) -> None:
    cases: tuple[tuple[Settings, str], ...] = (
        ({}, "either how many stages"),
        ({"stages": 1, "target_size": 9}, "either how many stages"),
        ({"stages": 4}, "has 3 stages: 4 cannot"),
        ({"stages": 0}, "0 cannot be kept"),
        ({"target_size": 100}, "one stage alone takes"),
    )
    for settings, why in cases:
        with pytest.raises(ValueError, match=why):
            linnet.cut(tiled, **settings)
    plain = linnet.encode(pixels[:20, :20], quality=0).data or b""
    with pytest.raises(ValueError, match="does not come in stages"):
        linnet.cut(plain, stages=1)


def test_truncation_between_stages_equals_a_cut(pixels: Photo) -> None:
    data = encoded(pixels)
    for stages, place in enumerate(starts(data)[1:], 1):
        with pytest.raises(linnet.TruncatedError):
            linnet.decode(data[:place])
        shown, losses = partial(data[:place])
        assert np.array_equal(shown, linnet.decode(linnet.cut(data, stages=stages).data or b"").pixels)
        assert losses.coarser == (((0, stages),) if stages < 3 else ())
        assert losses.lost == 3 - stages
    with pytest.raises(linnet.TruncatedError):
        linnet.decode(data[: starts(data)[1] - 1], allow_partial=True)


def test_truncation_within_a_stage_shows_some_tiles_coarser(pixels: Photo, tiled: bytes) -> None:
    header, places = Reader(tiled).header, starts(tiled)
    pictures = [expected(pixels, stages) for stages in (1, 2, 3)]
    for count in range(20, 60, 7):
        shown, losses = partial(tiled[: places[count] + 3])
        assert (losses.parts, losses.lost, losses.concealed) == (60, 60 - count, ())
        stages = [sum(stage * 20 + tile < count for stage in range(3)) for tile in range(20)]
        assert dict(losses.coarser) == {tile: n for tile, n in enumerate(stages) if n < 3}
        for tile, n in enumerate(stages):
            assert np.array_equal(tile_of(header, shown, tile), tile_of(header, pictures[n - 1], tile))


def test_a_fifth_of_all_parts_lost_still_gives_a_picture_and_a_report(pixels: Photo, tiled: bytes) -> None:
    header, whole = Reader(tiled).header, expected(pixels)
    rng = np.random.default_rng(3)
    for _ in range(10):
        gone = {int(number) for number in rng.choice(60, 12, replace=False)}
        shown, losses = partial(without(tiled, gone))
        # a stage without those before it is lost with them
        known = [next((s for s in range(3) if 20 * s + tile in gone), 3) for tile in range(20)]
        assert losses.lost == 60 - sum(known)
        assert losses.concealed == tuple(tile for tile, n in enumerate(known) if n == 0)
        assert losses.coarser == tuple((tile, n) for tile, n in enumerate(known) if 0 < n < 3)
        for tile, n in enumerate(known):
            same = np.array_equal(tile_of(header, shown, tile), tile_of(header, whole, tile))
            assert same or n < 3
        error = np.abs(shown.astype(float) - pixels).mean()
        assert error < 2 * np.abs(whole.astype(float) - pixels).mean()


def test_the_report_in_words(tiled: bytes) -> None:
    _, losses = partial(without(tiled, [2, 24, 46, 47]))
    assert losses.describe() == (
        "7 of 60 parts lost: tile 2 concealed from its neighbours, tiles 6, 7 shown with 2 of 3 stages, "
        "tile 4 shown with 1 of 3 stages"
    )
    _, losses = partial(without(tiled, range(10)))
    assert "tiles 0, 1, 2, 3, 4, 5, 6, 7 and 2 more concealed from their neighbours" in losses.describe()


def test_a_hole_looks_like_its_neighbours(pixels: Photo, tiled: bytes) -> None:
    header = Reader(tiled).header
    ours, grey = [], []
    for tile in range(20):
        shown, losses = partial(without(tiled, [tile]))
        assert losses.concealed == (tile,)
        original = tile_of(header, pixels, tile).astype(float)
        ours.append(np.mean((tile_of(header, shown, tile) - original) ** 2))
        grey.append(np.mean((128 - original) ** 2))
    assert np.mean(ours) < 0.8 * np.mean(grey)


def test_holes_of_a_large_picture_are_filled_a_window_at_a_time(photo: Image.Image) -> None:
    sizes: list[int] = []

    class Watched(BlocksCodec):
        def fill(self, known: vq_samples.Int32, stages: int) -> vq_samples.Int32:
            sizes.append(max(known.shape[:2]) * 16)
            assert known[..., 0].any(), "it goes from what is known into what is not"
            return super().fill(known, stages)

    large = np.asarray(photo.resize((2100, 1100)))
    data = encoded(large, 1, 1024)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(codecs, "load_staged", lambda spec, device, tune="fidelity": Watched())
        shown, losses = partial(without(data, [0, 1, 3]))
    assert losses.concealed == (0, 1, 3)
    assert len(sizes) == 3
    assert max(sizes) <= 1024 + 2 * 256
    assert np.abs(shown.astype(float) - large).mean() < 80


def test_nothing_left_of_the_first_stage_is_an_error(tiled: bytes) -> None:
    for data in (without(tiled, range(20)), without(tiled, range(60))):
        with pytest.raises(linnet.CorruptFileError):
            linnet.decode(data, allow_partial=True)


def test_damage_anywhere_is_never_silent(pixels: Photo) -> None:
    intact, rng = encoded(pixels[:100, :130], tile=64), np.random.default_rng(11)
    whole = linnet.decode(intact).pixels
    outcomes = {"refused": 0, "partial": 0}
    for _ in range(200):
        damaged = bytearray(intact)
        for _ in range(rng.integers(1, 4)):
            damaged[rng.integers(len(damaged))] ^= int(rng.integers(1, 256))
        with pytest.raises(linnet.LinnetError):
            linnet.decode(bytes(damaged))
        try:
            frame = linnet.decode(bytes(damaged), allow_partial=True)
        except linnet.LinnetError:
            outcomes["refused"] += 1
            continue
        outcomes["partial"] += 1
        assert frame.losses is not None
        assert frame.losses.lost or np.array_equal(frame.pixels, whole)
    assert outcomes["partial"] > 150


def rewritten(data: bytes, number: int, latent_hash: int = 0, payload: bytes | None = None) -> bytes:
    """The file with another hash or payload of one part, in a valid container."""
    reader, stream = Reader(data), io.BytesIO()
    writer = Writer(stream, reader.header)
    for place, part in enumerate(reader.tiles()):
        changed = place == number
        value = part.latent_hash ^ latent_hash if changed else part.latent_hash
        body = payload if changed and payload is not None else part.payload
        writer.write_tile(part.index, value, body, part.stage)
    writer.finish()
    return stream.getvalue()


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


def test_a_wrong_hash_is_out_of_step_and_never_shown(tiled: bytes) -> None:
    data = rewritten(tiled, 23, latent_hash=1)
    assert linnet.verify(data).ok
    for read in (linnet.decode, lambda data: linnet.verify(data, full=True)):
        with pytest.raises(linnet.ModelMismatchError, match="stage 1 of tile 3 has hash"):
            read(data)
    _, losses = partial(data)
    assert (losses.lost, losses.coarser) == (2, ((3, 1),))


def test_random_payloads_behind_a_right_checksum_never_decode(tiled: bytes) -> None:
    rng = np.random.default_rng(5)
    for number in (0, 25, 59):
        for length in (0, 3, 4, 12, 40):
            payload = rng.integers(0, 256, length, np.uint8).tobytes()
            data = rewritten(tiled, number, payload=payload)
            with pytest.raises(linnet.FormatError, match=f"stage {number // 20} of tile {number % 20}"):
                linnet.decode(data)
            _, losses = partial(data)
            assert losses.lost == 3 - number // 20


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


def test_lost_alpha_is_told(pixels: Photo) -> None:
    data = bytearray(encoded(Frame(pixels, np.full(pixels.shape[:2], 9, np.uint8))))
    data[data.index(b"\x89PNG") + 20] ^= 1
    frame = linnet.decode(bytes(data), allow_partial=True)
    assert frame.losses is not None
    assert (frame.alpha, frame.losses.alpha, frame.losses.lost) == (None, True, 0)
    assert frame.losses.describe() == "none of 3 parts lost: alpha lost: shown opaque"


def test_lost_tiles_of_a_plain_still_are_told_and_grey(pixels: Photo) -> None:
    data = linnet.encode(pixels[:64, :192], tile=64, quality=40).data or b""
    header, damaged = Reader(data).header, bytearray(data)
    damaged[Reader(data).tile(2).offset + 10] ^= 1
    with pytest.raises(linnet.CorruptFileError):
        linnet.decode(bytes(damaged))
    shown, losses = partial(bytes(damaged))
    assert (losses.parts, losses.lost, losses.concealed, losses.stages) == (3, 1, (2,), 0)
    assert losses.describe() == "1 of 3 tiles lost: tile 2 shown grey"
    whole = linnet.decode(data).pixels.astype(int)
    assert np.abs(tile_of(header, shown - whole, 0)).max() <= 1
    assert np.abs(tile_of(header, shown - whole, 2)).max() > 30
    with pytest.raises(linnet.CorruptFileError):
        linnet.decode(bytes(damaged), region=(150, 0, 40, 64), allow_partial=False)
