"""`linnet decode`: files, folders and pipes become pictures again, in the format that was asked for."""

import io
from pathlib import Path

import numpy as np
import pytest
from cli_process import linnet
from PIL import Image

import linnet as package


@pytest.fixture(scope="module")
def data(photo_path: Path) -> bytes:
    """A small crop of the photograph, encoded."""
    with Image.open(photo_path) as image:
        return package.encode(image.crop((160, 60, 260, 140)), quality=60).data or b""


@pytest.fixture(scope="module")
def pixels(data: bytes) -> np.ndarray:
    return package.decode(data).pixels


@pytest.fixture
def folder(tmp_path: Path, data: bytes) -> Path:
    (tmp_path / "in" / "below").mkdir(parents=True)
    (tmp_path / "in" / "a.lnt").write_bytes(data)
    (tmp_path / "in" / "below" / "b.lnt").write_bytes(data)
    return tmp_path


def test_another_process_decodes_the_same_pixels(folder: Path, pixels: np.ndarray) -> None:
    done = linnet("decode", "in/a.lnt", cwd=folder)
    assert (done.code, done.out, done.err) == (0, b"", "in/a.lnt -> in/a.png  100x80\n")
    with Image.open(folder / "in" / "a.png") as image:
        assert np.array_equal(np.asarray(image), pixels)


@pytest.mark.parametrize(("words", "form"), [([], "PNG"), (["--format", "webp"], "WEBP")])
def test_pipes_give_pictures(words: list[str], form: str, data: bytes, pixels: np.ndarray) -> None:
    done = linnet("decode", "-", *words, stdin=data)
    assert done.code == 0
    with Image.open(io.BytesIO(done.out)) as image:
        assert image.format == form
        assert np.array_equal(np.asarray(image), pixels)


def test_a_region_is_that_part_of_the_whole(folder: Path, pixels: np.ndarray) -> None:
    assert linnet("decode", "in/a.lnt", "-o", "part.png", "--region", "10,20,30,40", cwd=folder).code == 0
    with Image.open(folder / "part.png") as image:
        part = np.asarray(image).astype(int)
    assert np.abs(part - pixels[20:60, 10:40]).max() <= 1  # floats may round differently in another window


def test_folders_keep_their_shape_in_the_format_asked_for(folder: Path) -> None:
    done = linnet("decode", "-r", "in", "-o", "out", "--format", "jpg", "-j", "2", "--json", cwd=folder)
    assert done.code == 0
    made = sorted(path.relative_to(folder).as_posix() for path in (folder / "out").rglob("*.*"))
    assert made == ["out/a.jpg", "out/below/b.jpg"]
    assert [record["type"] for record in done.records] == ["result", "result", "summary"]
    assert (done.records[0]["width"], done.records[0]["height"]) == (100, 80)


def test_an_output_that_exists_is_kept(folder: Path) -> None:
    (folder / "in" / "a.png").write_bytes(b"precious")
    done = linnet("decode", "in/a.lnt", cwd=folder)
    assert done.code == 8
    assert "exists already" in done.complaint
    assert (folder / "in" / "a.png").read_bytes() == b"precious"


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        ("--region 90,70,50,50", 2, "100x80"),
        ("--format gif89", 2, "cannot write images as 'gif89'"),
        ("-o a.xyz", 2, "cannot write images as '.xyz'"),
        ("--size-limit 5000", 6, "(Limits.max_pixels) (in chunk 'header' at byte 8): --size-limit"),
        ("-o /dev/full --format png", 1, "/dev/full: No space left on device"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(words: str, code: int, reason: str, folder: Path) -> None:
    done = linnet("decode", "in/a.lnt", *words.split(), cwd=folder)
    assert (done.code, done.out) == (code, b"")
    assert reason in done.complaint
    assert {path.suffix for path in folder.rglob("*.*")} == {".lnt"}


def test_damage_gives_no_picture(folder: Path, data: bytes) -> None:
    (folder / "bad.lnt").write_bytes(data[:-20])
    done = linnet("decode", "bad.lnt", cwd=folder)
    assert done.code == 5
    assert done.complaint.startswith("linnet: bad.lnt: ")
    assert "--allow-partial gives what is left" in done.complaint
    done = linnet("decode", "bad.lnt", "--allow-partial", cwd=folder)
    assert done.code == 5
    assert "; nothing is left to show" in done.complaint
    assert not (folder / "bad.png").exists()
