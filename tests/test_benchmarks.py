"""What the benchmarks compute themselves: files within a budget, restart segments, sheets."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import vq_samples
from ablations import fingerprint, shared_settings
from contact_sheet import Cell, draw_sheet
from loss import blanked, part_payloads
from PIL import Image
from readme import renewed
from restart import restart_segments, segment_rows, with_rows_interpolated
from same_bytes import Contest, enlarged, find_rivals, largest_within, reduced

import linnet
from linnet.codec.distortion import psnr_db
from linnet.models.training.config import TrainConfig
from linnet.models.transforms import ImageConfig


@pytest.mark.parametrize("count", [1, 2, 3, 7, 96])
def test_the_largest_setting_within_a_budget_is_found_for_every_budget(count: int) -> None:
    sizes = np.cumsum(np.random.default_rng(count).integers(1, 9, count)).tolist()
    for budget in range(sizes[-1] + 2):
        fitting = [number for number, size in enumerate(sizes) if size <= budget]
        assert largest_within(sizes.__getitem__, count, budget) == (fitting[-1] if fitting else None)


def test_a_rival_gets_the_largest_files_within_the_bytes_at_every_scale(
    photo: Image.Image, tmp_path: Path
) -> None:
    pixels = np.asarray(photo.crop((100, 50, 356, 306)))
    (rival,) = find_rivals(["jpeg"])
    contest, budget = Contest(rival, pixels, tmp_path), 2500
    found = contest.candidates(budget)
    assert [each.scale for each in found] == [1, 2, 4]
    for each in found:
        assert each.path.stat().st_size == each.bytes <= budget
        assert each.decode().shape == pixels.shape
        if each.value < max(rival.values):
            rival.adapter.encode(reduced(pixels, each.scale), each.value + 1, tmp_path / "larger.jpg")
            assert (tmp_path / "larger.jpg").stat().st_size > budget


def test_where_nothing_fits_a_rival_gets_its_smallest_file(photo: Image.Image, tmp_path: Path) -> None:
    pixels = np.asarray(photo.crop((100, 50, 356, 306)))
    (rival,) = find_rivals(["webp"])
    (found,) = Contest(rival, pixels, tmp_path).candidates(20)
    assert (found.fits, found.scale, found.value) == (False, 4, 0)


def test_reducing_and_enlarging_keep_sides_that_do_not_divide(photo: Image.Image) -> None:
    pixels = np.asarray(photo.crop((100, 50, 201, 153)))
    assert reduced(pixels, 4).shape == (26, 26, 3)
    assert enlarged(reduced(pixels, 4), pixels.shape[:2]).shape == pixels.shape


def restart_jpeg(photo: Image.Image) -> bytes:
    stream = io.BytesIO()
    photo.save(stream, "JPEG", quality=20, subsampling="4:2:0", restart_marker_rows=1)
    return stream.getvalue()


def test_a_lost_restart_segment_costs_its_own_rows_only(photo: Image.Image) -> None:
    data = restart_jpeg(photo)
    segments = restart_segments(data)
    assert len(segments) == -(-photo.height // 16)
    whole = np.asarray(Image.open(io.BytesIO(data)))
    harmed = np.asarray(Image.open(io.BytesIO(blanked(data, [segments[7]]))))
    rows = segment_rows([7], photo.height)
    # Chroma is interpolated between rows of blocks: the rows next to them may change.
    near = segment_rows([7], photo.height) | np.roll(rows, 1) | np.roll(rows, -1)
    assert np.array_equal(whole[~near], harmed[~near])
    assert not np.array_equal(whole[rows], harmed[rows])


def test_interpolated_rows_are_nearer_to_the_picture_than_what_libjpeg_shows(photo: Image.Image) -> None:
    data = restart_jpeg(photo)
    segments = restart_segments(data)
    lost = [0, 9, 20, len(segments) - 1]
    harmed = np.asarray(Image.open(io.BytesIO(blanked(data, [segments[number] for number in lost]))))
    mended = with_rows_interpolated(harmed, segment_rows(lost, photo.height))
    original = np.asarray(photo)
    assert psnr_db(original, mended) > psnr_db(original, harmed) + 1


def test_a_blanked_part_is_one_lost_stage_of_one_tile(
    photo: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    vq_samples.install(monkeypatch)
    pixels = np.asarray(photo.crop((100, 50, 292, 242)))
    data = linnet.encode(pixels, model="blocks", quality=100, tile=64).data or b""
    parts = part_payloads(data)
    assert len(parts) == 3 * 9
    whole = linnet.decode(data).pixels
    harmed = linnet.decode(blanked(data, [parts[9 + 4]]), allow_partial=True)
    assert harmed.losses is not None
    assert (harmed.losses.lost, harmed.losses.coarser) == (2, ((4, 1),))  # the stage behind it goes with it
    changed = np.argwhere((whole != harmed.pixels).any(2))
    assert changed.min() >= 64
    assert changed.max() < 128


def test_a_blanked_share_is_one_of_those_that_the_others_make_good(
    photo: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    vq_samples.install(monkeypatch)
    pixels = np.asarray(photo.crop((100, 50, 292, 242)))
    data = linnet.encode(pixels, model="blocks", quality=100, resilience=25).data or b""
    shares = part_payloads(data)
    assert len(shares) == 24
    shown = linnet.decode(blanked(data, [shares[3], shares[11]]))
    assert len(shown.repairs) == 2
    assert np.array_equal(shown.pixels, linnet.decode(data).pixels)


def test_rows_of_a_slope_come_back_by_interpolation() -> None:
    slope = np.repeat(np.arange(0, 96, 2, dtype=np.uint8)[:, None, None], 3, axis=2).repeat(5, axis=1)
    lost = segment_rows([1], len(slope))
    harmed = np.where(lost[:, None, None], 0, slope).astype(np.uint8)
    assert np.array_equal(with_rows_interpolated(harmed, lost), slope)
    assert np.array_equal(with_rows_interpolated(harmed, ~lost)[0], harmed[16])
    assert (with_rows_interpolated(harmed, lost | True) == 128).all()


def test_what_is_no_jpeg_of_one_scan_is_refused(photo: Image.Image) -> None:
    data = restart_jpeg(photo)
    with pytest.raises(ValueError, match="no end"):
        restart_segments(data[:-2])
    with pytest.raises(ValueError, match="no scan"):
        restart_segments(b"\xff\xd8\xff\xd9")


def test_a_sheet_holds_every_picture_and_a_line_under_it(photo: Image.Image) -> None:
    cell = Cell(np.asarray(photo), ["one", "two"])
    sheet = draw_sheet([[cell, cell], [cell, cell]], 128)
    assert sheet.width == 2 * 128 + 3 * 6
    assert sheet.height == 2 * (150 + 2 * 17) + 3 * 6
    shown = np.asarray(sheet)[6:156, 6:134]
    assert np.array_equal(shown, np.asarray(photo.resize((128, 150), Image.Resampling.LANCZOS)))
    with pytest.raises(ValueError, match=r"\[2, 1\]"):
        draw_sheet([[cell, cell], [cell]], 128)


def test_no_ablation_goes_on_from_the_run_of_other_settings() -> None:
    config = TrainConfig(data=Path("a/pictures"), run=Path("a/run"))
    moved = replace(config, data=Path("b/pictures"), run=Path("b/run"))
    others = [
        replace(config, learning_rate=1e-2),
        replace(config, late_crop_px=128),
        replace(config, optimiser="soap"),
        replace(config, model=ImageConfig(latent=64)),
    ]
    first, same, *names = (fingerprint(shared_settings(each)) for each in (config, moved, *others))
    assert first == same
    assert len({first, *names}) == 1 + len(others)


def test_the_tables_of_the_readme_are_what_was_measured() -> None:
    text = (Path(__file__).parents[1] / "README.md").read_text()
    assert renewed(text) == text


def test_a_table_that_the_readme_lacks_is_named() -> None:
    with pytest.raises(ValueError, match=r"no table that begins with \| against"):
        renewed("# Linnet\n")
