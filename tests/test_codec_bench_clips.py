"""`linnet bench` on clips: real files, every frame measured, figures that can be computed by hand."""

import csv
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import PictureType
from av.video.reformatter import Interpolation
from bench_samples import bench, data_of, results_of
from PIL import Image
from video_samples import Shape, make_clip

import linnet
from linnet.codec.bench.adapters import find_clip_adapter
from linnet.codec.bench.adapters.base import CodecOptions
from linnet.codec.bench.clip_metrics import CLIP_METRICS, DEFAULT_CLIP_METRICS, measure_clip
from linnet.codec.bench.clip_work import decode_clip, encode_clip
from linnet.codec.bench.clips import open_clips
from linnet.codec.bench.deltas import Delta, deltas_of_items
from linnet.codec.bench.footage import Footage, Shot
from linnet.codec.bench.items import Item, Kind, find_dataset
from linnet.codec.bench.metrics import METRICS, find_metrics
from linnet.codec.bench.work import CodecCall
from linnet.codec.errors import UnreadableMediaError

SIZE = (112, 80)
SILENT = Shape(sound=None, size=SIZE)
FLAGS = (
    Interpolation.BICUBIC
    | Interpolation.ACCURATE_RND
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.FULL_CHR_H_INP
    | Interpolation.BITEXACT
)


@pytest.fixture(scope="module")
def dataset(photo_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A silent clip, one with sound in a folder of its own, and one that is cut off."""
    folder = tmp_path_factory.mktemp("clips")
    (folder / "more").mkdir()
    with Image.open(photo_path) as image:
        photo = image.convert("RGB")
    make_clip(folder / "pan.mkv", photo, shape=SILENT)
    make_clip(
        folder / "more" / "sound.mp4", photo.transpose(Image.Transpose.ROTATE_90), shape=Shape(size=SIZE)
    )
    data = (folder / "more" / "sound.mp4").read_bytes()
    (folder / "broken.mp4").write_bytes(data[: len(data) // 2])
    return folder


@pytest.fixture(scope="module")
def report(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A benchmark of two codecs, one of whose clips cannot be read."""
    report = tmp_path_factory.mktemp("report")
    words = ("--codecs", "x264:veryfast,x264:veryfast-zerolatency", "--frames", "4", "--match", "1")
    done = bench(dataset, report, *words, "--metrics", "psnr,psnr_total")
    assert done.code == 9
    assert "broken.mp4" in done.err
    assert "BD-rate of x264 veryfast (2 clips):" in done.out.decode()
    return report


def test_a_broken_clip_costs_its_own_row(report: Path) -> None:
    rows = results_of(report)["rows"]
    assert [row["file"] for row in rows if "error" in row] == ["broken.mp4"]
    measured = [row for row in rows if "bytes" in row and not row["matched"]]
    assert len(measured) == 2 * 2 * 5
    for row in measured:
        assert row["frames"] == len(row["by_frame"]["psnr_db"]) == 4
        assert row["metrics"]["psnr_db"] == pytest.approx(np.mean(row["by_frame"]["psnr_db"]), abs=1e-5)
        assert row["metrics"]["psnr_total_db"] < row["metrics"]["psnr_db"]
        assert row["bpp"] == pytest.approx(row["bytes"] * 8 / (SIZE[0] * SIZE[1] * 4), abs=1e-5)
        assert row["kbps"] == pytest.approx(row["bytes"] * 8 / 1000 / (4 / 25), abs=1e-2)
        assert row["encode_fps"] > 0
        assert row["decode_fps"] > 0


def test_the_report_has_means_and_every_clip(report: Path) -> None:
    for metric in ("psnr", "psnr_total"):
        for ending in (".png", ".svg", "-each.png", "-each.svg"):
            assert (report / f"rd-{metric}{ending}").stat().st_size > 1000
    lines = list(csv.DictReader((report / "summary.csv").open()))
    assert [line["clip"] for line in lines] == [*["mean"] * 10, *["more/sound.mp4"] * 10, *["pan.mkv"] * 10]
    by_name = {(line["clip"], line["codec"], line["value"]): float(line["bpp"]) for line in lines}
    pair = [by_name[name, "x264 veryfast", "18"] for name in ("more/sound.mp4", "pan.mkv")]
    assert by_name["mean", "x264 veryfast", "18"] == pytest.approx(np.mean(pair), rel=1e-4)
    data = data_of(report / "report.html")
    assert [picture["name"] for picture in data["pictures"]] == [
        "more/sound.mp4, frame 2",
        "pan.mkv, frame 2",
    ]
    assert [each["item"] for each in data["item_curves"]] == ["more/sound.mp4", "pan.mkv"]
    for picture in data["pictures"]:
        assert [version["label"] for version in picture["versions"]][1:] == [
            "x264 veryfast",
            "x264 veryfast, zero latency",
        ]


def test_bd_rates_are_means_of_those_of_the_clips(report: Path) -> None:
    deltas = [d for d in results_of(report)["bd"]["deltas"] if d["metric"] == "psnr_db"]
    pairs = [d for d in deltas if d["anchor"] == "x264 veryfast"]
    mean, *each = (d["rate_percent"] for d in pairs)
    assert [d["item"] for d in pairs] == ["", "more/sound.mp4", "pan.mkv"]
    assert mean == pytest.approx(np.mean(each), abs=1e-3)
    assert all(d["low"] < d["high"] for d in pairs[1:])


def test_there_is_no_mean_over_some_of_the_clips() -> None:
    from linnet.codec.bench.curves import Curve, CurvePoint

    def curve(label: str, start: float) -> Curve:
        points = [CurvePoint(0.1 * 2**n, {"psnr_db": start + 3 * n}) for n in range(5)]
        return Curve(label, points, label)

    curves = {"a": [curve("x", 30), curve("y", 31)], "b": [curve("x", 30), curve("y", 60)]}
    found = deltas_of_items(curves, [METRICS["psnr_db"]])
    assert found[0] == Delta("x", "y", "psnr_db", note="b: no overlap")
    assert len(found) == 2 + 4


@pytest.mark.parametrize("spec", ["x264:veryfast-psnr", "x265:ultrafast"])
def test_figures_are_those_of_the_files_frames(spec: str, dataset: Path, tmp_path: Path) -> None:
    source = (dataset / "pan.mkv").read_bytes()
    call = CodecCall(spec, CodecOptions())
    coded = encode_clip(call, 30, source)
    found = decode_clip(call, coded.data, source, DEFAULT_CLIP_METRICS)
    (tmp_path / "a.mkv").write_bytes(coded.data)
    ours, theirs = frames_of(dataset / "pan.mkv"), frames_of(tmp_path / "a.mkv")
    planes = np.array(
        [[psnr_db(a, b) for a, b in zip(x[:3], y[:3], strict=True)] for x, y in pairs(ours, theirs)]
    )
    y, u, v = planes.mean(axis=0)
    errors = np.array([np.mean((a[3].astype(float) - b[3]) ** 2) for a, b in pairs(ours, theirs)])
    assert found.metrics["psnr_y_db"] == pytest.approx(y, abs=1e-4)
    assert found.metrics["psnr_u_db"] == pytest.approx(u, abs=1e-4)
    assert found.metrics["psnr_v_db"] == pytest.approx(v, abs=1e-4)
    assert found.metrics["psnr_yuv_db"] == pytest.approx((6 * y + u + v) / 8, abs=1e-4)
    assert found.metrics["psnr_db"] == pytest.approx(np.mean(10 * np.log10(255**2 / errors)), abs=1e-4)
    assert found.metrics["psnr_total_db"] == pytest.approx(10 * np.log10(255**2 / errors.mean()), abs=1e-4)
    assert found.metrics["ms_ssim"] is None  # frames smaller than its window
    assert found.series["psnr_db"] == pytest.approx(10 * np.log10(255**2 / errors), abs=1e-4)


def frames_of(path: Path) -> list[tuple[np.ndarray, ...]]:
    """Y, U, V and RGB of each frame, with PyAV alone."""
    width, height = SIZE
    with av.open(path) as file:
        frames = list(file.decode(video=0))
    stacked = [frame.to_ndarray(format="yuv420p") for frame in frames]
    rgb = [frame.reformat(format="rgb24", interpolation=FLAGS).to_ndarray() for frame in frames]
    return [
        (
            each[:height],
            each[height : height * 5 // 4].reshape(height // 2, width // 2),
            each[height * 5 // 4 :].reshape(height // 2, width // 2),
            colour,
        )
        for each, colour in zip(stacked, rgb, strict=True)
    ]


def pairs(
    first: list[tuple[np.ndarray, ...]], second: list[tuple[np.ndarray, ...]]
) -> list[tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]]:
    assert len(first) == 8
    return list(zip(first, second, strict=True))


def psnr_db(first: np.ndarray, second: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((first.astype(float) - second) ** 2)))


@pytest.mark.parametrize("spec", ["x264:ultrafast", "x265:ultrafast", "svtav1:12"])
def test_larger_files_are_nearer_to_the_clip(spec: str, dataset: Path) -> None:
    call, source = CodecCall(spec, CodecOptions()), (dataset / "pan.mkv").read_bytes()
    grid = find_clip_adapter(spec, CodecOptions()).knob.grid
    coded = [encode_clip(call, value, source).data for value in (grid[0], grid[-1])]
    metrics = ["psnr_y_db", "xpsnr_y_db", "vmaf"]
    found = [decode_clip(call, data, source, metrics).metrics for data in coded]
    assert len(coded[0]) < len(coded[1])
    for key in metrics:
        small, large = (figures[key] or 0 for figures in found)
        assert 20 < small < large


@pytest.mark.parametrize("name", ["x264", "x265"])
def test_zero_latency_has_no_frame_that_waits_for_a_later_one_and_intra_none_that_needs_another(
    name: str, dataset: Path, tmp_path: Path
) -> None:
    def kinds(variant: str) -> str:
        path = tmp_path / f"{variant}.mkv"
        find_clip_adapter(f"{name}:{variant}", CodecOptions()).encode(Footage(dataset / "pan.mkv"), 24, path)
        with av.open(path) as file:
            times = [packet.pts for packet in file.demux(video=0) if packet.size]
        assert (times == sorted(times)) == ("-" in variant)
        with av.open(path) as file:
            return "".join(PictureType(frame.pict_type).name for frame in file.decode(video=0))

    assert "B" in kinds("faster")
    assert kinds("faster-zerolatency") == "IPPPPPPP"
    assert kinds("faster-intra") == "IIIIIIII"


def test_linnets_files_are_those_of_encode_video(dataset: Path, tmp_path: Path) -> None:
    codec = find_clip_adapter("linnet:fast", CodecOptions())
    codec.encode(Footage(dataset / "pan.mkv"), 40, tmp_path / "ours.lnt")
    linnet.encode_video(
        dataset / "pan.mkv", tmp_path / "theirs.lnt", quality=40, device="cpu", metadata="none"
    )
    assert (tmp_path / "ours.lnt").read_bytes() == (tmp_path / "theirs.lnt").read_bytes()
    with linnet.VideoReader(tmp_path / "theirs.lnt", device="cpu") as video:
        for ours, theirs in zip(codec.decode(tmp_path / "ours.lnt"), video, strict=True):
            assert isinstance(ours, np.ndarray)
            assert np.array_equal(ours, theirs.pixels)


def test_sound_and_further_frames_are_left_out_without_a_change_of_the_others(
    dataset: Path, tmp_path: Path
) -> None:
    ((_, item),) = open_clips([("sound.mp4", dataset / "more" / "sound.mp4")], tmp_path, 5)
    assert isinstance(item, Item)
    assert (item.width, item.height, item.frames, item.seconds) == (*SIZE, 5, pytest.approx(0.2))
    with av.open(item.path) as file:
        assert [stream.type for stream in file.streams] == ["video"]
    kept = list(Footage(item.path).shots())
    original = list(Footage(dataset / "more" / "sound.mp4").shots())[:5]
    assert len(kept) == 5
    for ours, theirs in zip(kept, original, strict=True):
        assert np.array_equal(ours.rgb, theirs.rgb)
        assert all(np.array_equal(a, b) for a, b in zip(ours.planes, theirs.planes, strict=True))


def test_clips_of_other_samples_are_refused_with_a_way_out(tmp_path: Path, photo: Image.Image) -> None:
    path = make_clip(tmp_path / "a.mkv", photo, shape=Shape(pixels="yuv444p", codec="ffv1", sound=None))
    ((_, error),) = open_clips([("a.mkv", path)], tmp_path, None)
    assert isinstance(error, UnreadableMediaError)
    assert "YUV444 of 8 bits" in str(error)
    assert "-pix_fmt yuv420p" in str(error)


def test_a_folder_of_both_kinds_must_say_which(tmp_path: Path) -> None:
    for name in ("a.png", "b.png", "c.mkv"):
        (tmp_path / name).touch()
    suffixes = {Kind.PICTURES: frozenset({".png"}), Kind.CLIPS: frozenset({".mkv"})}
    with pytest.raises(ValueError, match=r"2 pictures and 1 clips.*--kind"):
        find_dataset(tmp_path, suffixes)
    assert [name for name, _ in find_dataset(tmp_path, suffixes, Kind.CLIPS).files] == ["c.mkv"]
    assert find_dataset(tmp_path / "c.mkv", suffixes).kind is Kind.CLIPS
    (tmp_path / "report" / "cache").mkdir(parents=True)
    for name in ("rd.png", "cache/view.png"):
        (tmp_path / "report" / name).touch()
    found = find_dataset(tmp_path, suffixes, Kind.PICTURES, leaving_out=tmp_path / "report")
    assert [name for name, _ in found.files] == ["a.png", "b.png"]


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ("jpeg", "'jpeg' is no codec for clips; known: linnet, x264"),
        ("x265:quick", "x265 has no variant 'quick': it is a preset"),
        ("svtav1:8-psnr", "svtav1 has no variant '8-psnr'"),
        ("linnet:fast:quality=3", "linnet has no variant 'quality=3' of a model"),
        ("linnet:nothing", "no model"),
    ],
)
def test_unknown_codecs_of_clips_are_the_callers_fault(spec: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        find_clip_adapter(spec, CodecOptions())


def test_frames_without_error_count_as_60_db_and_equal_clips_have_no_psnr() -> None:
    grey = np.full((16, 16), 100, np.uint8)

    def shot(level: int) -> Shot:
        plane = np.full((16, 16), level, np.uint8)
        return Shot((plane, grey, grey), np.repeat(plane[:, :, None], 3, axis=2))

    metrics = find_metrics(["psnr", "psnr_u", "psnr_yuv"], CLIP_METRICS)
    black = [shot(0), shot(0)]
    near = measure_clip(metrics, black, [shot(0), shot(1)], Fraction(25))
    one_off = 20 * np.log10(255)  # 48.13 dB
    assert near.metrics["psnr_db"] == pytest.approx((60 + one_off) / 2, abs=1e-5)
    assert near.metrics["psnr_u_db"] is None
    assert near.series["psnr_yuv_db"] == [None, pytest.approx((6 * one_off + 60 + 60) / 8, abs=1e-5)]
    assert set(measure_clip(metrics, black, black, Fraction(25)).metrics.values()) == {None}
