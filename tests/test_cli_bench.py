"""`linnet bench`: figures of real files, reports that hold them, runs that stop and go on."""

import csv
import signal
import subprocess
import time
from pathlib import Path

import pytest
from bench_samples import bench, data_of, results_of, small_dataset
from cli_process import LINNET, TIMEOUT_S, linnet
from PIL import Image

import linnet as package


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, photo_path: Path) -> Path:
    """A whole benchmark with Linnet itself."""
    folder = tmp_path_factory.mktemp("bench")
    dataset = small_dataset(folder / "set", Image.open(photo_path).convert("RGB"))
    words = (
        "--codecs",
        "linnet:fast,jpeg,webp",
        "--points",
        "4",
        "--metrics",
        "psnr,ms_ssim",
        "--match",
        "0.8",
    )
    done = bench(dataset, folder / "report", *words)
    assert (done.code, done.err) == (0, "")
    assert "BD-rate of Linnet fast" in done.out.decode()
    return folder / "report"


def test_rows_hold_the_sizes_and_metrics_of_whole_files(report: Path) -> None:
    results = results_of(report)
    curve_rows = [row for row in results["rows"] if not row["matched"]]
    assert len(curve_rows) == 2 * 3 * 4
    assert {row["file"] for row in curve_rows} == {"face.png", "more/ribbons.png"}
    face = report.parent / "set" / "face.png"
    for row in curve_rows:
        assert {"encode_s", "decode_s", "versions", "command", "bpp"} <= set(row)
        assert set(row["metrics"]) == {"psnr_db", "ms_ssim"}
        if row["file"] == "face.png" and row["codec"] == "linnet:fast":
            assert row["bytes"] == package.encode(face, quality=row["value"], metadata="none").bytes
            assert row["bpp"] == pytest.approx(row["bytes"] * 8 / (241 * 183), abs=1e-5)


def test_curves_are_means_over_pictures(report: Path) -> None:
    results = results_of(report)
    rows = [r for r in results["rows"] if r["codec"] == "jpeg" and not r["matched"]]
    (curve,) = [curve for curve in results["curves"] if curve["spec"] == "jpeg"]
    for point in curve["points"]:
        pair = [row for row in rows if row["value"] == point["value"]]
        assert point["bpp"] == pytest.approx(sum(row["bpp"] for row in pair) / 2, abs=1e-5)
        assert point["metrics"]["psnr_db"] == pytest.approx(sum(r["metrics"]["psnr_db"] for r in pair) / 2)
    lines = list(csv.DictReader((report / "summary.csv").open()))
    assert len(lines) == 3 * 4
    assert {line["codec"] for line in lines} == {"Linnet fast", "JPEG", "WebP"}


def test_bd_rates_name_method_and_overlap(report: Path) -> None:
    bd = results_of(report)["bd"]
    assert bd["method"] == "pchip"
    found = {(d["anchor"], d["test"]): d for d in bd["deltas"] if d["metric"] == "psnr_db"}
    assert len(found) == 6
    against = found["JPEG", "Linnet fast"]
    assert against["rate_percent"] < 0 < against["gain"]
    assert against["low"] < against["high"]


def test_plots_are_pictures(report: Path) -> None:
    for name in ("rd-psnr", "rd-ms_ssim"):
        with Image.open(report / f"{name}.png") as image:
            assert image.width > 800
        assert "<svg" in (report / f"{name}.svg").read_text()


def test_the_page_holds_everything_and_asks_for_nothing(report: Path) -> None:
    text = (report / "report.html").read_text()
    assert "default-src 'none'" in text
    assert 'src="http' not in text
    assert "@import" not in text
    data = data_of(report / "report.html")
    assert [curve["label"] for curve in data["curves"]] == ["Linnet fast", "JPEG", "WebP"]
    assert len(data["speed"]) == 3
    assert [picture["name"] for picture in data["pictures"]] == ["face.png", "more/ribbons.png"]
    for picture in data["pictures"]:
        original, *versions = picture["versions"]
        assert original["label"] == "original"
        assert [version["label"] for version in versions] == ["Linnet fast", "JPEG", "WebP"]
        assert all(version["uri"].startswith("data:image/") for version in picture["versions"])
        for version in versions:  # of one size, as far as the knob allows
            assert version["bpp"] == pytest.approx(0.8, rel=0.1)


def test_a_broken_picture_costs_its_own_row_and_a_second_run_is_from_the_cache(
    tmp_path: Path, photo: Image.Image
) -> None:
    dataset = small_dataset(tmp_path / "set", photo)
    (dataset / "broken.png").write_bytes((dataset / "face.png").read_bytes()[:3000])
    words = (
        "--codecs",
        "jpeg,vtm",
        "--vtm",
        "/nowhere",
        "--metrics",
        "psnr",
        "--points",
        "2",
        "--view",
        "none",
    )
    first = bench(dataset, tmp_path / "report", *words, "--json")
    assert first.code == 9
    complaints = first.err.splitlines()
    assert len(complaints) == 2
    assert "broken.png" in complaints[1]
    assert "build VTM" in complaints[0]
    results = results_of(tmp_path / "report")
    assert [row["file"] for row in results["rows"] if "error" in row] == ["broken.png"]
    assert sum("bytes" in row for row in results["rows"]) == 4
    assert "build VTM" in results["missing_codecs"]["vtm"]
    assert {each["what"] for each in data_of(tmp_path / "report" / "report.html")["troubles"]} == {
        "broken.png",
        "vtm",
    }
    assert sum(record["type"] == "result" and "bytes" in record for record in first.records) == 4
    assert bench(dataset, tmp_path / "report", *words).code == 9
    assert results_of(tmp_path / "report")["rows"] == results["rows"]  # seconds too: nothing ran again


def test_an_interrupted_run_keeps_what_is_done(tmp_path: Path, photo: Image.Image) -> None:
    dataset, report = tmp_path / "set", tmp_path / "report"
    dataset.mkdir()
    photo.save(dataset / "photo.png")
    words = ["--codecs", "avif", "--metrics", "psnr", "--view", "none"]
    many = ["--qualities", ",".join(map(str, range(40, 90)))]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a child ignores it if we do
    try:
        process = subprocess.Popen(
            [LINNET, "bench", dataset, "-o", report, *words, *many], stderr=subprocess.PIPE
        )
        deadline = time.monotonic() + TIMEOUT_S
        while len(finished(report)) < 2:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, complaint = process.communicate(timeout=TIMEOUT_S)
    finally:
        signal.signal(signal.SIGINT, before)
    assert (process.returncode, complaint) == (130, b"linnet: interrupted\n")
    done = finished(report)
    assert 2 <= len(done) < 50
    assert bench(dataset, report, *words, "--qualities", "40,41").code == 0
    assert {path: done[path] for path in done} == {path: finished(report)[path] for path in done}


def finished(report: Path) -> dict[Path, int]:
    """Entries of points that were decoded too, and when they were written."""
    entries = report.glob("cache/*/*.json")
    return {path: path.stat().st_mtime_ns for path in entries if '"psnr_db"' in path.read_text()}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--codecs", "gif"], "no codec is called 'gif'"),
        (["--metrics", "beauty"], "no metric is called 'beauty'"),
        (["--codecs", "jpeg", "--qualities", "webp=3"], "--qualities for 'webp'"),
    ],
)
def test_wrong_names_are_usage_errors(
    words: list[str], complaint: str, tmp_path: Path, photo_path: Path
) -> None:
    done = bench(photo_path, tmp_path / "report", *words)
    assert done.code == 2
    assert complaint in done.complaint


def test_a_folder_in_which_nothing_can_be_read_is_no_input(tmp_path: Path) -> None:
    (tmp_path / "clip.mkv").write_bytes(b"no clip")
    done = linnet("bench", tmp_path, "-o", tmp_path / "report", "--codecs", "x264", "--metrics", "psnr")
    assert done.code == 3
    assert "none of the files can be read as a clip" in done.err
