"""Stored results in which one codec is measured again."""

import csv
import json
import shutil
from pathlib import Path

import pytest
from fill_card import kodak_table
from renew import renew
from tables import rows_of

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"


def report_of(stored: Path, folder: Path, change: float) -> Path:
    """A report of `fast` alone, with so many times the rate that is stored."""
    folder.mkdir()
    run = json.loads((stored / "run.json").read_text())
    (folder / "results.json").write_text(
        json.dumps({"codecs": {"linnet:fast": run["codecs"]["linnet:fast"]}})
    )
    rows = [row for row in rows_of(stored / "summary.csv") if row["codec"] == "Linnet fast"]
    with (folder / "summary.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, "bpp": f"{float(row['bpp']) * change:.6g}"} for row in rows)
    return folder


@pytest.fixture(params=["kodak", "clips"])
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of results."""
    return shutil.copytree(RESULTS / request.param, tmp_path / request.param)


def test_the_same_figures_again_change_nothing(stored: Path, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in stored.iterdir()}
    renew(report_of(stored, tmp_path / "report", 1), stored, "linnet:fast")
    assert before["summary.csv"] == (stored / "summary.csv").read_bytes()
    assert set(before) == {path.name for path in stored.iterdir()}
    (tmp_path / "bd.csv").write_bytes(before["bd.csv"])
    for old, new in zip(rows_of(tmp_path / "bd.csv"), rows_of(stored / "bd.csv"), strict=True):
        assert [old[key] for key in ("anchor", "test", "metric", "item")] == [
            new[key] for key in ("anchor", "test", "metric", "item")
        ]
        for key in ("rate_percent", "gain"):
            assert float(new[key] or 0) == pytest.approx(float(old[key] or 0), abs=0.03)


def test_a_tenth_less_rate_shows_in_the_figures_of_that_codec_alone(stored: Path, tmp_path: Path) -> None:
    def rate(anchor: str, test: str) -> float:
        return next(
            float(row["rate_percent"])
            for row in rows_of(stored / "bd.csv")
            if (row["anchor"], row["test"], row["metric"]) == (anchor, test, "psnr_db")
        )

    anchor, other = ("JPEG", "WebP") if stored.name == "kodak" else ("x265 medium", "x264 medium")
    before, untouched = rate(anchor, "Linnet fast"), rate(anchor, other)
    renew(report_of(stored, tmp_path / "report", 0.9), stored, "linnet:fast")
    assert 1 + rate(anchor, "Linnet fast") / 100 == pytest.approx(0.9 * (1 + before / 100), abs=2e-3)
    assert rate(anchor, other) == untouched


def test_a_report_without_the_codec_is_refused(stored: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has no linnet:high, only linnet:fast"):
        renew(report_of(stored, tmp_path / "report", 1), stored, "linnet:high")


def test_a_card_says_what_the_results_say() -> None:
    card = kodak_table(RESULTS / "kodak", "Linnet fast")
    kodak, deltas = card["kodak"], card["kodak_bd_rate_percent"]
    assert isinstance(kodak, dict)
    assert isinstance(deltas, dict)
    assert list(kodak) == [f"q{quality}" for quality in range(0, 101, 10)]
    assert deltas["JPEG"] < deltas["VTM (published)"]
