"""Files of a wished size, rate or PSNR: met where the model reaches it, refused in a line where not."""

from pathlib import Path

import numpy as np
import pytest
from cli_process import linnet as run_linnet
from PIL import Image

import linnet
from linnet.codec.distortion import psnr_db
from linnet.codec.still.search import Attempt, search
from linnet.codec.wish import Aim, Target


@pytest.fixture
def picture(photo: Image.Image) -> np.ndarray:
    return np.asarray(photo.crop((100, 0, 420, 256)))


@pytest.mark.parametrize("size", [3000, 9000, 25_000])
def test_a_file_is_at_most_the_target_size_and_within_a_percent_of_it(picture: np.ndarray, size: int) -> None:
    made = linnet.encode(picture, target_size=size)
    assert 0.985 * size <= made.bytes <= size


def test_a_target_rate_counts_the_whole_file(picture: np.ndarray) -> None:
    made = linnet.encode(picture, target_bpp=0.75)
    assert made.data is not None
    assert 0.74 <= len(made.data) * 8 / (320 * 256) <= 0.75
    assert linnet.info(made.data).quality == made.quality


def test_a_target_psnr_is_reached_by_the_decoded_picture(picture: np.ndarray) -> None:
    made = linnet.encode(picture, target_psnr=34.0)
    assert made.data is not None
    assert 34.0 <= psnr_db(picture, linnet.decode(made.data).pixels) <= 34.06


def test_what_no_quality_reaches_is_an_error_that_says_what_one_does(picture: np.ndarray) -> None:
    with pytest.raises(linnet.TargetError, match="no less than"):
        linnet.encode(picture, target_size=100)
    with pytest.raises(linnet.TargetError, match="quality 100 gives"):
        linnet.encode(picture, target_psnr=80)
    assert linnet.encode(picture, target_size=10**9).quality == 100
    with pytest.raises(ValueError, match="chooses the quality"):
        linnet.encode(picture, quality=50, target_bpp=1)
    with pytest.raises(ValueError, match="one target"):
        linnet.encode(picture, target_size=9000, target_bpp=1)


def test_the_command_line_says_a_target_in_bytes_k_or_m(tmp_path: Path, photo_path: Path) -> None:
    good = run_linnet("encode", photo_path, "-o", tmp_path / "a.lnt", "--target-size", "12.5k")
    assert good.code == 0, good.err
    assert 12_300 <= (tmp_path / "a.lnt").stat().st_size <= 12_500
    bad = run_linnet("encode", photo_path, "-o", tmp_path / "b.lnt", "--target-size", "200")
    assert bad.code == 7
    assert "cannot be met" in bad.complaint
    assert not (tmp_path / "b.lnt").exists()
    assert run_linnet("encode", photo_path, "-q", "5", "--target-bpp", "1").code == 2


@pytest.mark.parametrize("bend", [0.7, 1.0, 5.0])
def test_the_search_needs_few_encodes_whatever_the_curve(bend: float) -> None:
    tried: list[float] = []

    def make(quality: float) -> Attempt:
        tried.append(quality)
        return Attempt(quality, 1000 + 10**6 * (quality / 100) ** bend, b"", 0.0)

    assert 49_500 <= search(Target(Aim.BYTES, 50_000), make).found <= 50_000
    assert len(tried) <= 14
