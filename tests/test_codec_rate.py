"""Clips at a bitrate or of a size: met whatever the frames' kinds and times, and said where it cannot be."""

import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np
import pytest
from PIL import Image
from video_samples import make_clip, pan

import linnet
from linnet.bitstream import ClipReader, CodedFrame, FrameKind, Reader
from linnet.codec.errors import MediaWarning
from linnet.codec.video.plan import Plan
from linnet.codec.video.qualities import FLAT, Pattern, groups_of
from linnet.codec.video.rate import RateControl
from linnet.codec.video.rate_model import RateModel
from linnet.codec.video.sizing import meet_size
from linnet.codec.video.survey import Survey

RATE = 6  # frames per second: few frames are five seconds


def walk(photo: Image.Image, count: int) -> list[np.ndarray]:
    """[H, W, 3] uint8 each: to and fro over the photograph."""
    there = pan(photo, 24)
    round_trip = there + there[-2:0:-1]
    return [round_trip[number % len(round_trip)] for number in range(count)]


def frames_of(data: bytes) -> list[CodedFrame]:
    return [item for item in ClipReader(data).items() if isinstance(item, CodedFrame)]


def frame_bits(data: bytes) -> int:
    """Of the frame chunks, and of the few bytes of the index and the end."""
    return 8 * (len(data) - frames_of(data)[0].offset)


def written(frames: list[np.ndarray], **options: Any) -> bytes:
    made = io.BytesIO()
    with linnet.VideoWriter(made, rate=RATE, **options) as video:
        for pixels in frames:
            video.write(pixels)
    return made.getvalue()


def psnr_db(frames: list[np.ndarray], data: bytes, first: int) -> float:
    """Of a clip from a frame on."""
    with linnet.VideoReader(data) as video:
        pairs = zip(frames[first:], video[first:], strict=True)
        errors = [np.mean((given.astype(float) - frame.pixels) ** 2) for given, frame in pairs]
    return float(10 * np.log10(255**2 / np.mean(errors)))


def test_a_clip_has_the_bitrate_asked_for_and_more_bits_make_it_better(photo: Image.Image) -> None:
    seconds = 8
    frames = walk(photo, seconds * RATE)
    found = []
    for gop, target in ((1, 40_000), (10, 8000), (10, 16_000)):
        data = written(frames, gop=gop, target_bitrate=target)
        assert frame_bits(data) / seconds == pytest.approx(target, rel=0.05)
        assert len({frame.head.quality_centi for frame in frames_of(data)}) > 2
        found.append(psnr_db(frames, data, 20) if gop > 1 else 0.0)
    assert found[1] + 0.5 < found[2]


def test_a_clip_of_key_frames_at_one_quality_holds_what_stills_hold(photo: Image.Image) -> None:
    frames = walk(photo, 3)
    data = written(frames, gop=1, quality=47.25)
    assert ClipReader(data).header.quality_centi == 4725
    for pixels, frame in zip(frames, frames_of(data), strict=True):
        still = linnet.encode(pixels, quality=47.25).data
        assert still is not None
        assert frame.head.quality_centi is None
        assert [tile.payload for tile in frame.tiles] == [tile.payload for tile in Reader(still).tiles()]


def test_frames_of_a_group_have_the_qualities_of_the_pattern(photo: Image.Image) -> None:
    data = written(walk(photo, 6), gop=5, quality=50)
    has_inter = ClipReader(data).header.inter is not None
    pattern = groups_of(5) if has_inter else FLAT
    place = 0
    for frame in frames_of(data):
        place = 0 if frame.head.kind == FrameKind.KEY else place + 1
        stated = frame.head.quality_centi
        assert (50 if stated is None else stated / 100) == pattern.quality(50, place)


def test_of_eight_inter_frames_one_is_best_and_key_frames_are_better_still() -> None:
    wanted = [72, 42, 50, 42, 54, 42, 50, 42, 62, 42, 50]
    pattern = groups_of(22)
    assert [pattern.quality(50, place) for place in range(11)] == wanted
    for frames in (2, 10, 64, 1000):
        assert groups_of(frames).key >= max(pattern.inter)


def test_a_key_frame_is_the_better_the_more_frames_build_on_it(photo: Image.Image) -> None:
    assert [groups_of(frames).key for frames in (2, 10, 22, 30, 64, 1000)] == [12, 16, 22, 26, 28, 28]
    assert [Plan(64, frames=frames).group for frames in (0, 10, 100)] == [64, 10, 64]
    found = []
    for gop in (4, 64):
        key = frames_of(written(walk(photo, 2), gop=gop, quality=50))[0]
        found.append(key.head.quality_centi)
    assert found == [6300, 7800]


def test_every_quality_of_a_pattern_is_one() -> None:
    pattern = Pattern(15, (-8, 0, -8, 8))
    for nominal in (-200.0, pattern.lowest, 3.333, 50.0, 99.9, pattern.highest, 200.0):
        qualities = [pattern.quality(nominal, place) for place in range(9)]
        assert all(0 <= quality <= 100 for quality in qualities)
        assert qualities[1:5] == qualities[5:]
    assert {pattern.quality(pattern.lowest, place) for place in range(5)} == {0.0}
    assert {pattern.quality(pattern.highest, place) for place in range(5)} == {100.0}


def test_a_model_of_the_rate_learns_level_slope_and_turns() -> None:
    model = RateModel(1000, 0.033, (0.0, 0.0))
    for number in range(60):
        quality, turn = 30.0 + number % 7 * 5, number % 2
        model.learn(quality, turn, 5000 * (1.5 if turn else 1.0) * math.exp(0.045 * (quality - 50)))
    for quality in (35.0, 55.0):
        assert model.bits(quality, 0) == pytest.approx(5000 * math.exp(0.045 * (quality - 50)), rel=0.1)
        assert model.bits(quality, 1) == pytest.approx(1.5 * model.bits(quality, 0), rel=0.1)


@dataclass(frozen=True)
class Attempt:
    """What an encode came to."""

    bytes: int


Cost = Callable[[int, float], float]  # number of a frame, seconds: how hard it is


def simulated(
    plan: Plan, pattern: Pattern, times: list[float], hardness: Cost, cuts: frozenset[int] = frozenset()
) -> tuple[RateControl, list[float]]:
    """Rate control of a clip of 416x240 whose frames cost what real ones do, and the nominal qualities."""
    noise = np.random.default_rng(3)
    control = RateControl(plan, plan.gop, pattern, 416 * 240, 1 / 25)
    chosen, place = [], 0
    for number, time in enumerate(times):
        nominal = control.choose(place, time, 0.0)
        is_key = place == 0 or number in cuts
        quality = pattern.quality(nominal, 0 if is_key else place)
        base, slope = (80_000, 0.026) if is_key else (35_000, 0.037)
        extra = 0.0 if is_key else 0.04 * (pattern.quality(0, place) - pattern.quality(0, place + 1))
        bits = base * hardness(number, time) * math.exp(slope * (quality - 50) + extra)
        control.spend(place, bits * float(noise.lognormal(0, 0.12)), is_key)
        chosen.append(nominal)
        place = (1 if is_key else place + 1) % plan.gop
    return control, chosen


@pytest.mark.parametrize(("gop", "known"), [(1, False), (8, True), (64, False), (64, True), (1000, True)])
@pytest.mark.parametrize("seconds", [5.0, 20.0])
def test_the_bitrate_is_met_whatever_the_groups_and_the_scenes(gop: int, known: bool, seconds: float) -> None:
    """Another scene, three times as hard, from the middle on."""
    times = [number / 25 for number in range(round(25 * seconds))]
    cut = len(times) // 2
    pattern = FLAT if gop == 1 else groups_of(gop)
    for target in (400_000, 1_500_000) if gop > 1 else (1_000_000, 3_000_000):
        plan = Plan(gop, target, seconds if known else 0.0)
        control, chosen = simulated(
            plan, pattern, times, lambda number, _: 1.5 if number >= cut else 0.5, frozenset({cut})
        )
        assert control.bitrate == pytest.approx(target, rel=0.05)
        assert np.abs(np.diff(chosen[12:cut])).max() < 1.5
        control.check()


def test_bits_are_given_by_time_where_frames_come_unevenly() -> None:
    times, now = [], 0.0
    while now < 12:
        times.append(now)
        now += 1 / 50 if now < 6 else 1 / 5
    control, _ = simulated(Plan(64, 500_000), groups_of(64), times, lambda _, time: 1.0 if time < 6 else 2.0)
    assert control.bitrate == pytest.approx(500_000, rel=0.05)


def test_what_cannot_be_met_is_said_at_the_end() -> None:
    times = [number / 25 for number in range(150)]
    with pytest.raises(linnet.TargetError, match=r"5 kbit/s cannot be met: quality 0 gives no less than \d+"):
        simulated(Plan(64, 5000), groups_of(64), times, lambda *_: 1.0)[0].check()
    with pytest.warns(MediaWarning, match="more than quality 100 needs"):
        simulated(Plan(64, 1e9), groups_of(64), times, lambda *_: 1.0)[0].check()
    with pytest.warns(MediaWarning, match="not met in 2 frames"):
        simulated(Plan(64, 900_000), groups_of(64), times[:2], lambda *_: 4.0)[0].check()


def test_a_file_with_sound_is_at_most_the_target_size(photo: Image.Image, tmp_path: Path) -> None:
    times = [2560 * number for number in range(12)]
    make_clip(tmp_path / "a.mp4", photo, times)
    made = io.BytesIO()
    result = linnet.encode_video(tmp_path / "a.mp4", made, gop=12, target_size=42_000)
    assert 40_000 <= len(made.getvalue()) == result.bytes <= 42_000
    with pytest.raises(linnet.TargetError, match="what is no picture takes"):
        linnet.encode_video(tmp_path / "a.mp4", tmp_path / "x.lnt", target_size=4000)
    lowest = linnet.encode_video(tmp_path / "a.mp4", io.BytesIO(), gop=12, target_size=38_900).bytes
    with pytest.raises(linnet.TargetError, match="quality 0 throughout takes"):
        linnet.encode_video(tmp_path / "a.mp4", tmp_path / "x.lnt", gop=12, target_size=lowest - 10)
    with pytest.raises(ValueError, match="read twice"):
        linnet.encode_video(io.BytesIO((tmp_path / "a.mp4").read_bytes()), made, target_size=42_000)
    assert not (tmp_path / "x.lnt").exists()


def test_a_file_that_became_too_large_is_made_again() -> None:
    """Frames that grow towards the end are more than was expected."""
    times = [number / 25 for number in range(100)]
    sizes: list[int] = []

    def attempt(stream: BinaryIO, plan: Plan) -> tuple[Attempt, RateControl]:
        control, _ = simulated(plan, groups_of(64), times, lambda number, _: 0.5 if number < 75 else 4.0)
        sizes.append(round(control.bits / 8) + 9000)
        stream.write(bytes(sizes[-1]))
        return Attempt(sizes[-1]), control

    made = io.BytesIO()
    result = meet_size(250_000, Plan(32), Survey(4.0, 8000), attempt, made)
    assert sizes[0] > 250_000
    assert 225_000 < result.bytes == len(made.getvalue()) <= 250_000


@pytest.mark.parametrize("easy", [20, 85])
def test_a_size_is_refused_only_where_quality_0_throughout_takes_more(easy: int) -> None:
    """Frames that are far harder from one on: what was spent before would have been needed there."""
    times, made = [number / 25 for number in range(100)], []

    def attempt(stream: BinaryIO, plan: Plan) -> tuple[Attempt, RateControl]:
        control, _ = simulated(plan, groups_of(64), times, lambda number, _: 0.5 if number < easy else 8.0)
        made.append(round(control.bits / 8) + 9000)
        stream.write(bytes(made[-1]))
        return Attempt(made[-1]), control

    with pytest.raises(linnet.TargetError, match=r"cannot be met: quality 0 throughout takes \d+"):
        meet_size(9001, Plan(32), Survey(4.0, 8000, 7000), attempt, io.BytesIO())
    least = made.pop()
    with pytest.raises(linnet.TargetError, match="quality 0 throughout"):
        meet_size(least - 1, Plan(32), Survey(4.0, 8000, 7000), attempt, io.BytesIO())
    with pytest.warns(MediaWarning, match="met with quality 0 throughout alone"):
        assert (
            meet_size(round(1.1 * least), Plan(32), Survey(4.0, 8000), attempt, io.BytesIO()).bytes == least
        )
    assert made[-2] > 1.1 * least
    made.clear()
    with pytest.raises(linnet.TargetError, match="what is no picture takes 7000"):
        meet_size(7000, Plan(32), Survey(4.0, 8000, 7000), attempt, io.BytesIO())
    assert not made


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"quality": 50, "target_bitrate": 1000}, "quality and target_bitrate exclude each other"),
        ({"target_bitrate": 1000, "target_size": 1000}, "exclude each other"),
        ({"target_bitrate": 0}, "above 0"),
        ({"target_bitrate": math.nan}, "above 0"),
        ({"target_size": -1}, "above 0"),
    ],
)
def test_targets_that_mean_nothing_are_the_callers_fault(
    options: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=reason):
        linnet.encode_video(tmp_path / "none.mp4", tmp_path / "x.lnt", **options)


def test_frames_of_rgb_become_444_where_the_container_takes_no_rgb(
    photo: Image.Image, tmp_path: Path
) -> None:
    frames = walk(photo, 2)
    for deep in (False, True):
        given = [frame.astype(np.uint16) * 257 if deep else frame for frame in frames]
        linnet.decode_video(written(given, gop=1, quality=90), tmp_path / f"{deep}.y4m")
        with av.open(tmp_path / f"{deep}.y4m") as file:
            shown = list(file.decode(video=0))
        assert [frame.format.name for frame in shown] == ["yuv444p16le" if deep else "yuv444p"] * 2
        for pixels, frame in zip(frames, shown, strict=True):
            assert np.abs(pixels.astype(float) - frame.to_ndarray(format="rgb24")).mean() < 3
