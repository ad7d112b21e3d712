"""`linnet demo`: figures and a picture that were really made."""

from pathlib import Path

import numpy as np
from cli_process import linnet
from PIL import Image

import linnet as package
from linnet.codec.distortion import psnr_db


def test_the_demo_measures_three_codecs_at_one_size(tmp_path: Path) -> None:
    done = linnet("demo", "-o", tmp_path / "demo", "--json")
    assert done.code == 0
    record = done.records[0]
    results = record["results"]
    assert isinstance(results, list)
    assert [result["codec"].split(" ")[0] for result in results] == ["Linnet", "JPEG", "WebP"]
    for result in results:
        assert Path(result["file"]).stat().st_size == result["bytes"]
        assert abs(result["bytes"] / results[0]["bytes"] - 1) < 0.1
        assert result["psnr_db"] > 25
        assert 0.8 < result["ms_ssim"] < 1
    with Image.open(tmp_path / "demo" / "photo.png") as image:
        decoded = package.decode(tmp_path / "demo" / "photo.lnt").pixels
        assert np.array_equal(np.asarray(image), decoded)
    with Image.open(tmp_path / "demo" / "comparison.png") as image:
        assert image.width > 4 * 200


def test_psnr_of_a_level_off_by_one_everywhere_is_48_db() -> None:
    grey = np.full((8, 8, 3), 100, np.uint8)
    assert round(psnr_db(grey, grey + np.uint8(1)), 2) == 48.13
    assert psnr_db(grey, grey) == float("inf")
