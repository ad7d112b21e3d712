"""Metrics, BD figures and files of one size."""

import sys

import numpy as np
import pytest
from PIL import Image

from linnet.codec.bench.adapters.base import Knob
from linnet.codec.bench.curves import Curve, CurvePoint, is_kodak, published_curves
from linnet.codec.bench.deltas import all_deltas, delta
from linnet.codec.bench.items import Item
from linnet.codec.bench.matching import nearest_value, next_value
from linnet.codec.bench.metrics import METRICS, find_metrics, measure_all
from linnet.codec.errors import NotInstalledError


@pytest.fixture
def pair(photo: Image.Image) -> tuple[np.ndarray, np.ndarray]:
    """A picture and the same with a little noise."""
    pixels = np.asarray(photo.crop((100, 0, 300, 200)))
    noise = np.random.default_rng(1).integers(-6, 7, pixels.shape)
    return pixels, np.clip(pixels + noise, 0, 255).astype(np.uint8)


def test_psnr_of_a_level_off_by_one_everywhere_is_48_db() -> None:
    grey = np.full((8, 8, 3), 100, np.uint8)
    found = measure_all(find_metrics(["psnr", "psnr-y"], METRICS), grey, grey + np.uint8(1))
    assert {key: round(value or 0, 2) for key, value in found.items()} == {
        "psnr_db": 48.13,
        "psnr_y_db": 48.13,
    }


def test_every_metric_at_hand_prefers_the_better_picture(pair: tuple[np.ndarray, np.ndarray]) -> None:
    original, noisy = pair
    nearer = ((original.astype(int) + noisy) // 2).astype(np.uint8)
    for name in ("psnr", "psnr_y", "ms_ssim", "xpsnr_y", "vmaf"):
        (metric,) = find_metrics([name], METRICS)
        assert metric.measure(original, nearer) > metric.measure(original, noisy) > 0


def test_vmaf_without_a_program_says_what_to_install(
    pair: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)  # as if it were not installed
    with pytest.raises(NotInstalledError, match=r"pip install 'linnet\[vmaf\]'"):
        measure_all(find_metrics(["vmaf"], METRICS), *pair)


def test_metrics_without_a_value_are_none(pair: tuple[np.ndarray, np.ndarray]) -> None:
    original, noisy = pair
    assert measure_all(find_metrics(["psnr", "xpsnr_y"], METRICS), original, original) == {
        "psnr_db": None,
        "xpsnr_y_db": None,
    }
    assert measure_all(find_metrics(["ms_ssim"], METRICS), original[:160], noisy[:160]) == {"ms_ssim": None}


def test_pictures_of_two_sizes_cannot_be_compared(pair: tuple[np.ndarray, np.ndarray]) -> None:
    with pytest.raises(ValueError, match="200x200 and 200x190 pixels"):
        measure_all(find_metrics(["psnr"], METRICS), pair[0], pair[1][:190])


def test_unknown_metrics_are_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'beauty'.*ms_ssim"):
        find_metrics(["beauty"], METRICS)


def curve(label: str, factor: float, gain: float = 0.0, spec: str = "jpeg") -> Curve:
    rates = (0.1, 0.2, 0.4, 0.8, 1.6)
    points = [CurvePoint(r * factor, {"psnr_db": 30 + 3 * n + gain}) for n, r in enumerate(rates)]
    return Curve(label, points, spec)


def test_half_the_rate_at_every_quality_is_minus_50_percent() -> None:
    found = delta(curve("a", 1), curve("b", 0.5), METRICS["psnr_db"])
    assert found.rate_percent == pytest.approx(-50, abs=0.01)
    assert found.gain == pytest.approx(3, abs=0.01)
    assert (found.low, found.high) == (30, 42)


def test_curves_that_do_not_meet_have_no_figure_but_a_reason() -> None:
    found = delta(curve("a", 1), curve("b", 1, gain=20), METRICS["psnr_db"])
    assert (found.rate_percent, found.note) == (None, "no overlap")


def test_two_published_curves_are_not_compared() -> None:
    labels = [curve("a", 1), curve("b", 2, spec=""), curve("c", 3, spec="")]
    pairs = {(d.anchor, d.test) for d in all_deltas(labels, [METRICS["psnr_db"]])}
    assert pairs == {("a", "b"), ("a", "c"), ("b", "a"), ("c", "a")}


def test_published_curves_name_their_source() -> None:
    curves = published_curves()
    assert "VTM (published)" in [each.label for each in curves]
    for each in curves:
        rates, values = each.xy("psnr_db")
        assert "CompressAI" in each.source
        assert rates == sorted(rates)
        assert values == sorted(values)


def kodak(names: str, count: int = 24, width: int = 768) -> list[Item]:
    from pathlib import Path

    return [Item(names.format(n), Path(), "", width, 512) for n in range(1, count + 1)]


@pytest.mark.parametrize("names", ["{:02d}.png", "kodim{:02d}.png", "set/kodim{:02d}.webp"])
def test_kodak_is_known_by_its_numbers_and_sizes(names: str) -> None:
    assert is_kodak(kodak(names))
    assert not is_kodak(kodak(names, count=23))
    assert not is_kodak(kodak(names, width=640))


def test_a_size_is_met_within_a_few_tries() -> None:
    knob = Knob("quality", (0, 100), step=0.01)
    sizes = {value: round(1000 * 1.04**value) for value in (0.0, 50.0, 100.0)}
    while (value := next_value(sizes, 20000, knob)) is not None:
        sizes[value] = round(1000 * 1.04**value)
    assert len(sizes) < 3 + 4
    assert abs(sizes[nearest_value(sizes, 20000)] / 20000 - 1) < 0.02


def test_sizes_out_of_reach_are_not_searched() -> None:
    knob = Knob("qp", (47, 22))
    assert next_value({47: 900, 22: 9000}, 100, knob) is None
    assert next_value({47: 900, 22: 9000}, 0, knob) is None  # of a picture of one pixel
    assert nearest_value({47: 900, 22: 9000}, 0) == 47
    assert next_value({47: 900, 22: 9000}, 20000, knob) is None
    assert next_value({30: 900, 31: 500}, 700, knob) is None
