"""`linnet compare` on clips: the metrics of every frame, clear refusals, and a page with one frame."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from bench_samples import data_of
from cli_process import linnet
from PIL import Image
from video_samples import STEADY, Shape, content_of, make_clip, pan

from linnet.codec.bench.compare import open_comparison

SIZE = (112, 80)
SILENT = Shape(sound=None, size=SIZE)


@pytest.fixture(scope="module")
def folder(photo_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip, others of its length and of another, and what FFmpeg and Linnet made of it."""
    import linnet as package

    folder = tmp_path_factory.mktemp("compare")
    with Image.open(photo_path) as image:
        photo = image.convert("RGB")
    make_clip(folder / "ref.mkv", photo, shape=SILENT)
    make_clip(folder / "short.mkv", photo, STEADY[:5], shape=SILENT)
    make_clip(folder / "wide.mkv", photo, shape=Shape(sound=None, size=(128, 80)))
    make_clip(folder / "noisy.mp4", photo.resize((130, 150)).resize(photo.size), shape=Shape(size=SIZE))
    package.encode_video(folder / "ref.mkv", folder / "a.lnt", quality=30, device="cpu")
    photo.save(folder / "photo.png")
    return folder


def rgb_psnr(first: Path, second: Path) -> list[float]:
    found = zip(content_of(first).pixels, content_of(second).pixels, strict=True)
    return [float(10 * np.log10(255**2 / np.mean((a.astype(float) - b) ** 2))) for a, b in found]


def test_figures_are_those_of_the_frames_and_the_page_shows_the_middle(folder: Path) -> None:
    names = ("noisy.mp4", "a.lnt")
    words = ("--metrics", "psnr,psnr_yuv", "--json", "--html", "page.html")
    done = linnet("compare", "ref.mkv", *names, *words, cwd=folder)
    assert (done.code, done.err) == (0, "")
    noisy, lnt, *_ = done.records
    for record, name in zip((noisy, lnt), names, strict=True):
        assert record["input"] == name
        assert record["frames"] == 8
        assert record["bytes"] == (folder / name).stat().st_size
    assert isinstance(noisy["metrics"], dict)
    # FFmpeg's usual conversion rounds otherwise than the exact one.
    assert noisy["metrics"]["psnr_db"] == pytest.approx(
        np.mean(rgb_psnr(folder / "ref.mkv", folder / "noisy.mp4")), abs=0.1
    )
    assert isinstance(lnt["metrics"], dict)
    assert 25 < lnt["metrics"]["psnr_db"] < 45
    (shown,) = data_of(folder / "page.html")["pictures"]
    assert shown["name"] == "ref.mkv, frame 4"
    assert [version["label"] for version in shown["versions"]] == ["ref.mkv", *names]


def test_clips_of_other_samples_and_matrices_mean_what_they_state(tmp_path: Path, photo: Image.Image) -> None:
    for name, form, matrix in (("full.mkv", "yuv444p", 1), ("half.mkv", "yuv420p", 6)):
        with av.open(tmp_path / name, "w") as file:
            video = file.add_stream("ffv1", rate=25)
            video.width, video.height, video.pix_fmt = *SIZE, form
            video.codec_context.colorspace, video.codec_context.color_range = matrix, 1
            for pixels in pan(photo.resize((64, 75)).resize(photo.size), 3):
                frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
                made = frame.reformat(format=form, dst_colorspace=matrix)
                made.colorspace, made.color_range = matrix, 1
                file.mux(video.encode(made))
            file.mux(video.encode(None))
    found = []
    for names in (("full.mkv", "half.mkv"), ("half.mkv", "full.mkv")):
        done = linnet("compare", *names, "--metrics", "psnr", "--json", cwd=tmp_path)
        figures: Any = done.records[0]["metrics"]
        found.append(figures["psnr_db"])
    assert found[0] == pytest.approx(found[1], abs=0.5)
    assert min(found) > 32


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("short.mkv", "clips of 8 and 5 frames cannot be compared"),
        ("wide.mkv", "clips of 112x80 and 128x80 pixels cannot be compared"),
        ("photo.png", r"photo\.png is no clip"),
    ],
)
def test_clips_that_do_not_fit_are_refused(folder: Path, name: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        open_comparison(folder / "ref.mkv", ["psnr"]).measure(folder / name)


def test_a_picture_is_not_compared_with_a_clip(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"ref\.mkv is a clip, and photo\.png is a picture"):
        open_comparison(folder / "photo.png", ["psnr"]).measure(folder / "ref.mkv")


def test_a_clip_equals_itself(folder: Path) -> None:
    found = open_comparison(folder / "ref.mkv", ["psnr", "psnr_y"]).measure(folder / "ref.mkv")
    assert found.version.metrics == {"psnr_db": None, "psnr_y_db": None}
    assert found.fields["by_frame"] == {"psnr_db": [None] * 8}
