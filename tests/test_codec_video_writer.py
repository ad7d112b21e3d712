"""Clips made of frames: arrays and tensors, rates and times, and numbers that are none."""

import io
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from model_samples import psnr_db
from PIL import Image
from video_samples import content_of, pan

import linnet


def test_frames_are_written_from_arrays_and_tensors(photo: Image.Image, tmp_path: Path) -> None:
    views = pan(photo, 3)
    with linnet.VideoWriter(tmp_path / "w.lnt", rate=30, quality=80, tags={"title": "Own"}) as video:
        video.write(views[0])
        video.write(torch.from_numpy(views[1]).permute(2, 0, 1))
        video.write(torch.from_numpy(views[2]).float() / 255)
        with pytest.raises(ValueError, match="one size"):
            video.write(views[0][:32])
    with linnet.VideoReader(tmp_path / "w.lnt") as video:
        frames = list(video)
        assert video.tags == {"title": "Own"}
    assert [frame.time for frame in frames] == pytest.approx([0, 1 / 30, 2 / 30])
    shown = [frame.pixels.astype(np.uint8) for frame in frames]
    assert min(psnr_db(*pair) for pair in zip(views, shown, strict=True)) > 34
    with pytest.raises(ValueError, match="at least one frame"), linnet.VideoWriter(tmp_path / "none.lnt"):
        pass
    assert not (tmp_path / "none.lnt").exists()
    stopped = linnet.VideoWriter(tmp_path / "stopped.lnt")
    stopped.write(views[0])
    stopped.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["w.lnt"]


def test_given_times_are_kept_to_the_tick(photo: Image.Image) -> None:
    made = io.BytesIO()
    with linnet.VideoWriter(made, tick=Fraction(1, 1000)) as video:
        for pixels, time in zip(pan(photo, 3), (0.0, 0.017, Fraction(1, 10)), strict=True):
            video.write(pixels, time)
    with linnet.VideoReader(made.getvalue()) as video:
        assert [frame.ticks for frame in video] == [0, 17, 100]


def test_numbers_that_are_none_are_the_callers_fault(photo: Image.Image) -> None:
    made, pixels = io.BytesIO(), pan(photo, 1)[0]
    with linnet.VideoWriter(made) as video:
        video.write(pixels)
        for time in (float("inf"), float("nan")):
            with pytest.raises(ValueError, match=r"number|NaN"):
                video.write(pixels, time)
        with pytest.raises(ValueError, match="by a tick at least"):
            video.write(pixels, 0.01)
    wrong: list[dict[str, Any]] = [{"rate": float("inf")}, {"rate": 0}, {"tick": Fraction(0)}]
    for words in wrong:
        with pytest.raises(ValueError, match=r"must be more than 0|finite"):
            linnet.VideoWriter(io.BytesIO(), **words)
    with linnet.VideoReader(made.getvalue()) as video:
        assert len(video) == 1
        half: Any = 0.5
        with pytest.raises(TypeError):
            video[half]
        with pytest.raises(ValueError, match="finite"):
            next(video.seek(float("inf")))


@pytest.mark.parametrize(
    ("rate", "meant"),
    [
        (Fraction(1, 3600), Fraction(1, 3600)),
        (1 / 1500, Fraction(1, 1500)),
        (Fraction(29.97), Fraction(2997, 100)),
        (24000 / 1001, Fraction(24000, 1001)),
    ],
)
def test_a_rate_is_what_was_meant(rate: float | Fraction, meant: Fraction, photo: Image.Image) -> None:
    made = io.BytesIO()
    with linnet.VideoWriter(made, rate=rate, quality=10, gop=1) as video:
        for pixels in pan(photo, 2):
            video.write(pixels)
    with linnet.VideoReader(made.getvalue()) as video:
        assert [video.rate, len(video), video.duration] == [meant, 2, pytest.approx(float(2 / meant))]


def test_uneven_times_do_not_add_up_where_the_rate_is_constant(photo: Image.Image, tmp_path: Path) -> None:
    """At 25 frames a second a frame takes 40 ms; these come after 20 and 60 ms by turns."""
    made, ticks = io.BytesIO(), [0, 20, 80, 100, 160, 180, 240, 260]
    with linnet.VideoWriter(made, rate=25, tick=Fraction(1, 1000), quality=10, gop=1) as video:
        for pixels, time in zip(pan(photo, len(ticks)), ticks, strict=True):
            video.write(pixels, Fraction(time, 1000))
    linnet.decode_video(made.getvalue(), tmp_path / "a.y4m")
    assert len(content_of(tmp_path / "a.y4m").times) == 8


@pytest.mark.parametrize("suffix", ["y4m", "avi"])
def test_a_gap_of_years_does_not_fill_the_disk(suffix: str, photo: Image.Image, tmp_path: Path) -> None:
    made, views = io.BytesIO(), pan(photo, 2)
    with linnet.VideoWriter(made, rate=25, quality=10, gop=1) as video:
        video.write(views[0], 0)
        video.write(views[1], 10**8)
    with pytest.raises(linnet.LimitExceededError, match=r"at 0 s would be written 2500000000 times .* mkv"):
        linnet.decode_video(made.getvalue(), tmp_path / f"a.{suffix}")
    assert not list(tmp_path.iterdir())
    linnet.decode_video(made.getvalue(), tmp_path / "a.mkv")
    assert content_of(tmp_path / "a.mkv").times == [0, 10**8]
