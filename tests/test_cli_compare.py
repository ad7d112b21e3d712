"""`linnet compare`: the metrics of pictures against one, and a page that shows them."""

from pathlib import Path

import numpy as np
import pytest
from bench_samples import data_of
from cli_process import linnet
from PIL import Image

import linnet as package
from linnet.codec.distortion import psnr_db


@pytest.fixture
def folder(tmp_path: Path, photo: Image.Image) -> Path:
    """A picture, and it as JPEG, WebP and Linnet left it."""
    photo.save(tmp_path / "ref.png")
    photo.save(tmp_path / "a.jpg", quality=30)
    photo.save(tmp_path / "b.webp", quality=30)
    package.encode(photo, tmp_path / "c.lnt", quality=20)
    return tmp_path


def test_figures_are_those_of_the_pixels(folder: Path) -> None:
    done = linnet("compare", "ref.png", "a.jpg", "c.lnt", "--metrics", "psnr", "--json", cwd=folder)
    assert (done.code, done.err) == (0, "")
    original = np.asarray(Image.open(folder / "ref.png"))
    decoded = [np.asarray(Image.open(folder / "a.jpg")), package.decode(folder / "c.lnt").pixels]
    for record, name, pixels in zip(done.records, ("a.jpg", "c.lnt"), decoded, strict=False):
        assert record["input"] == name
        assert record["bytes"] == (folder / name).stat().st_size
        metrics = record["metrics"]
        assert isinstance(metrics, dict)
        assert metrics["psnr_db"] == pytest.approx(psnr_db(original, pixels.astype(np.uint8)), abs=1e-4)
    assert done.records[-1]["type"] == "summary"


def test_the_page_has_all_pictures_and_replaces_nothing_unasked(folder: Path) -> None:
    words = ("compare", "ref.png", "a.jpg", "b.webp", "--metrics", "psnr,psnr_y", "--html", "page.html")
    done = linnet(*words, cwd=folder)
    assert done.code == 0
    assert done.out.decode().count("PSNR, RGB, dB") == 2
    data = data_of(folder / "page.html")
    (picture,) = data["pictures"]
    assert [version["label"] for version in picture["versions"]] == ["ref.png", "a.jpg", "b.webp"]
    assert [version["uri"][:16] for version in picture["versions"]][1:] == [
        "data:image/jpeg;",
        "data:image/webp;",
    ]
    assert [row["label"] for row in data["comparison"]] == ["a.jpg", "b.webp"]
    again = linnet(*words, cwd=folder)
    assert (again.code, again.out) == (8, b"")  # before anything is measured
    assert "page.html: exists already" in again.err
    again = linnet(*words, "-f", cwd=folder)
    assert again.code == 0
    assert "2 done, 0 skipped, 0 failed" in again.err  # the page is no picture of its own


def test_pictures_of_another_size_and_none_are_refused_each_on_its_own(
    folder: Path, photo: Image.Image
) -> None:
    photo.resize((100, 100)).save(folder / "small.png")
    (folder / "text.png").write_text("no picture")
    done = linnet("compare", "ref.png", "small.png", "text.png", "a.jpg", "--metrics", "psnr", cwd=folder)
    assert done.code == 9
    first, second, *_ = done.err.splitlines()
    assert "512x600 and 100x100 pixels cannot be compared" in first
    assert "text.png" in second


def test_an_unreadable_reference_is_said_once(folder: Path) -> None:
    done = linnet("compare", "nothing.png", "a.jpg", "b.webp", "--metrics", "psnr", cwd=folder)
    assert done.code == 3
    assert "nothing.png" in done.complaint
