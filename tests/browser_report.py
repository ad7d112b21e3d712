"""The pages of `linnet bench` and `linnet compare` in a real browser: `make browser-test`.

These are not among the tests that `make test` collects, since they need a browser, which pip cannot install.
Asked for by name they run or fail; they never pass over a browser that is missing.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from bench_samples import bench, small_dataset
from browser import Tab, browser_tab
from cli_process import linnet
from PIL import Image
from video_samples import Shape, make_clip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, photo_path: Path) -> Path:
    """A report, and a page of compare."""
    folder = tmp_path_factory.mktemp("pages")
    dataset = small_dataset(folder / "set", Image.open(photo_path).convert("RGB"))
    assert (
        bench(dataset, folder / "report", "--codecs", "jpeg,webp,x264", "--metrics", "psnr,psnr_y").code == 0
    )
    Image.open(dataset / "face.png").save(folder / "face.jpg", quality=20)
    words = ("--metrics", "psnr", "--html", folder / "compare.html")
    assert linnet("compare", dataset / "face.png", folder / "face.jpg", *words).code == 0
    (folder / "clips").mkdir()
    for name, times in (("a.mkv", (0, 512, 1024)), ("b.mkv", (0, 512))):
        with Image.open(photo_path) as image:
            make_clip(folder / "clips" / name, image.convert("RGB"), times, Shape(sound=None))
    words = ("--codecs", "x264:ultrafast,x264:ultrafast-zerolatency", "--metrics", "psnr", "--match", "1")
    assert bench(folder / "clips", folder / "clip_report", *words).code == 0
    return folder


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with browser_tab(tmp_path_factory.mktemp("profile")) as tab:
        yield tab


@pytest.fixture
def report(tab: Tab, folder: Path) -> Tab:
    """The report, freshly opened."""
    tab.complaints.clear()
    tab.requests.clear()
    tab.open(folder / "report" / "report.html")
    return tab


def box(tab: Tab, identity: str) -> dict[str, float]:
    """Where an element is in view: left, top, width, height."""
    script = (
        f"(() => {{ const e = document.getElementById('{identity}'); e.scrollIntoView({{block: 'center'}});"
    )
    return tab.run(
        script + " const b = e.getBoundingClientRect(); return {x: b.x, y: b.y, w: b.width, h: b.height} })()"
    )


def choose(tab: Tab, identity: str, label: str) -> None:
    """Choose in a list, as a user does."""
    tab.run(
        f"(() => {{ const s = document.getElementById('{identity}');"
        f" s.value = [...s.options].find((o) => o.textContent === '{label}').value;"
        " s.dispatchEvent(new Event('change')) })()"
    )


def test_nothing_is_loaded_from_elsewhere_and_the_console_is_silent(report: Tab) -> None:
    assert (
        report.run(
            "Promise.all([...document.images].map((i) => i.decode())).then(() => document.images.length)"
        )
        == 2
    )
    addresses = {request.partition(":")[0] for request in report.requests}
    assert addresses == {"file", "data"}
    assert sum(request.startswith("file:") for request in report.requests) == 1
    assert report.complaints == []


def test_dragging_moves_the_line_between_the_pictures(report: Tab) -> None:
    place = box(report, "frame")
    middle = place["y"] + place["h"] / 2
    line = "parseFloat(document.getElementById('bar').style.left)"
    cut = "document.getElementById('over').style.clipPath"
    assert report.run(line) == 50
    report.mouse("mousePressed", place["x"] + place["w"] * 0.2, middle)
    assert report.run(line) == pytest.approx(20, abs=0.5)
    report.mouse("mouseMoved", place["x"] + place["w"] * 0.7, middle)
    assert report.run(line) == pytest.approx(70, abs=0.5)
    assert report.run(cut).startswith("inset(0px 30")
    report.mouse("mouseReleased", place["x"] + place["w"] * 0.7, middle)
    report.mouse("mouseMoved", place["x"] + place["w"] * 0.4, middle)
    assert report.run("Number(document.getElementById('position').value)") == pytest.approx(70, abs=0.5)
    assert report.complaints == []


def test_any_two_codecs_on_any_picture_can_be_chosen(report: Tab) -> None:
    shown = "document.getElementById('{}').src"
    for picture in ("face.png", "more/ribbons.png"):
        choose(report, "picture", picture)
        seen = set()
        for codec in ("original", "JPEG", "WebP", "x264 intra"):
            choose(report, "left", codec)
            choose(report, "right", "JPEG")
            seen.add(report.run(shown.format("over")))
            assert report.run("document.getElementById('left-caption').textContent").startswith(codec)
            assert (report.run(shown.format("over")) == report.run(shown.format("under"))) == (
                codec == "JPEG"
            )
        assert len(seen) == 4
    assert report.complaints == []


def test_the_nearest_point_of_a_curve_tells_its_figures(report: Tab) -> None:
    box(report, "plot")
    mark = "document.querySelector('#plot circle').getBoundingClientRect()"
    x, y = report.run(f"{mark}.x"), report.run(f"{mark}.y")
    report.mouse("mouseMoved", x + 6, y + 6)
    tip = report.run(
        "document.getElementById('tip').hidden ? '' : document.getElementById('tip').textContent"
    )
    assert tip.startswith("JPEG  quality 5\n")
    assert "bpp" in tip
    assert "PSNR, RGB, dB" in tip
    assert report.complaints == []


def test_tables_follow_the_anchor_and_curves_the_metric(report: Tab) -> None:
    cells = "[...document.querySelectorAll('#delta-table tbody tr')].map((r) => r.cells[0].textContent)"
    choose(report, "anchor", "WebP")
    assert report.run(cells) == ["JPEG", "x264 intra"]
    before = report.run("document.querySelector('#plot polyline').getAttribute('points')")
    choose(report, "metric", "PSNR, luma BT.709, dB")
    assert report.run("document.querySelector('#plot polyline').getAttribute('points')") != before
    report.run("document.querySelector('#legend button').click()")
    assert report.run("document.querySelectorAll('#plot polyline').length") == 2
    assert report.complaints == []


def test_the_page_of_compare_has_a_slider_too(tab: Tab, folder: Path) -> None:
    tab.complaints.clear()
    tab.open(folder / "compare.html")
    assert tab.run("['slider', 'comparison', 'curves'].map((id) => document.getElementById(id).hidden)") == [
        False,
        False,
        True,
    ]
    place = box(tab, "frame")
    tab.mouse("mousePressed", place["x"] + place["w"] * 0.9, place["y"] + 5)
    tab.mouse("mouseReleased", place["x"] + place["w"] * 0.9, place["y"] + 5)
    assert tab.run("parseFloat(document.getElementById('bar').style.left)") == pytest.approx(90, abs=0.5)
    assert tab.complaints == []


def test_curves_and_bd_rates_of_clips_are_shown_one_by_one(tab: Tab, folder: Path) -> None:
    tab.complaints.clear()
    tab.open(folder / "clip_report" / "report.html")
    drawn = "document.querySelector('#plot polyline').getAttribute('points')"
    shown = [tab.run(drawn)]
    for name in ("a.mkv", "b.mkv"):
        choose(tab, "item", name)
        shown.append(tab.run(drawn))
    assert len(set(shown)) == 3
    heads = "[...document.querySelectorAll('#delta-table th')].map((cell) => cell.textContent)"
    assert tab.run(heads) == ["curve", "BD-rate", "BD-quality", "overlap", "a.mkv", "b.mkv"]
    heads = "[...document.querySelectorAll('#speed-table th')].map((cell) => cell.textContent)"
    assert tab.run(heads)[-2:] == ["encode, frames/s", "decode, frames/s"]
    choose(tab, "picture", "b.mkv, frame 1")
    assert tab.run("document.getElementById('under').naturalWidth") == 96
    assert tab.complaints == []
