"""`linnet encode`: pictures from files, folders and pipes become files, whole or not at all."""

from pathlib import Path

import pytest
from cli_process import linnet
from PIL import Image

import linnet as package
from linnet.codec.cli.encode import SUFFIXES
from linnet.codec.image.plugins import FORMATS


@pytest.fixture
def folder(tmp_path: Path, photo: Image.Image) -> Path:
    """Crops of the photograph: one with EXIF, one a folder further down, and a text between them."""
    (tmp_path / "in" / "below").mkdir(parents=True)
    exif = Image.Exif()
    exif[0x010F] = "Camera"
    photo.crop((160, 60, 260, 140)).save(tmp_path / "in" / "a.jpg", exif=exif)
    photo.crop((200, 100, 250, 170)).save(tmp_path / "in" / "below" / "b.PNG", format="PNG")
    (tmp_path / "in" / "notes.txt").write_text("not a picture")
    return tmp_path


def test_a_picture_becomes_a_file_beside_it(folder: Path) -> None:
    done = linnet("encode", "in/a.jpg", "-q", "30", cwd=folder)
    assert (done.code, done.out) == (0, b"")
    made = package.info(folder / "in" / "a.lnt")
    assert (made.width, made.height, made.quality, made.model) == (100, 80, 30.0, "fast")
    assert done.err.startswith("in/a.jpg -> in/a.lnt  100x80  ")
    assert f" {made.bytes} bytes " in done.err


def test_json_tells_what_was_made(folder: Path) -> None:
    result, summary = linnet("encode", "in/a.jpg", "-o", "x.lnt", "--json", "--verify", cwd=folder).records
    made = package.info(folder / "x.lnt")
    assert (result["type"], result["input"], result["output"]) == ("result", "in/a.jpg", "x.lnt")
    assert (result["bytes"], result["bpp"], result["quality"]) == (made.bytes, made.bpp, 50.0)
    assert result["verified"] is True
    assert (summary["done"], summary["failed"], summary["exit_code"]) == (1, 0, 0)


def test_pipes_give_the_bytes_that_files_hold(folder: Path) -> None:
    picture = (folder / "in" / "a.jpg").read_bytes()
    piped = linnet("encode", "-", stdin=picture)
    assert piped.code == 0
    assert linnet("encode", "in/a.jpg", "-o", "a.lnt", cwd=folder).code == 0
    assert piped.out == (folder / "a.lnt").read_bytes()


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_folders_keep_their_shape(jobs: str, folder: Path) -> None:
    done = linnet("encode", "-r", "in", "-o", "out", "-j", jobs, cwd=folder)
    assert done.code == 0
    made = sorted(path.relative_to(folder).as_posix() for path in (folder / "out").rglob("*.*"))
    assert made == ["out/a.lnt", "out/below/b.lnt"]
    assert [line.split(" ")[0] for line in done.err.splitlines()[:2]] == ["in/a.jpg", "in/below/b.PNG"]
    assert "2 done, 0 skipped, 0 failed" in done.err


def test_metadata_is_kept_unless_told_otherwise(folder: Path) -> None:
    assert linnet("encode", "in/a.jpg", "-o", "kept.lnt", cwd=folder).code == 0
    assert linnet("encode", "in/a.jpg", "-o", "bare.lnt", "--metadata", "none", cwd=folder).code == 0
    assert package.info(folder / "kept.lnt").exif_bytes > 0
    assert package.info(folder / "bare.lnt").exif_bytes == 0


def test_an_output_that_exists_is_an_error_unless_told_otherwise(folder: Path) -> None:
    output = folder / "a.lnt"
    output.write_bytes(b"precious")
    words = ("encode", "in/a.jpg", "-o", "a.lnt")
    done = linnet(*words, cwd=folder)
    assert (done.code, done.complaint) == (8, "linnet: in/a.jpg: a.lnt: exists already (-f replaces it)")
    skipped = linnet(*words, "--skip-existing", cwd=folder)
    assert (skipped.code, skipped.complaint) == (0, "a.lnt: exists, skipped")
    assert output.read_bytes() == b"precious"
    assert linnet(*words, "-f", cwd=folder).code == 0
    assert package.verify(output).ok


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ("-m nosuch", "no model is called 'nosuch'"),
        ("-m video", "codes frames of clips"),
        ("--stages 3", "does not code in stages"),
        ("--tile 65", "tile must be one of"),
        ("--tile 0", "tile must be one of"),
        ("-q 5 --target-size 4k", "exclude each other"),
        ("-m vq --resampling 2", "not resampled"),
    ],
)
def test_options_that_make_no_sense_fail_once_and_in_a_dry_run_too(
    folder: Path, options: str, complaint: str
) -> None:
    done = linnet("encode", "-n", "-r", "in", "-o", "out", *options.split(), cwd=folder)
    assert done.code == 2
    assert done.err.count(complaint) == 1


def test_a_dry_run_writes_nothing(folder: Path) -> None:
    done = linnet("encode", "-n", "-r", "in", "-o", "out", cwd=folder)
    assert done.code == 0
    assert "in/a.jpg -> out/a.lnt (dry run)" in done.err
    assert not (folder / "out").exists()


def test_quiet_prints_nothing_but_warnings_each_a_line(folder: Path) -> None:
    with Image.open(folder / "in" / "a.jpg") as image:
        image.save(folder / "moving.webp", save_all=True, append_images=[image.rotate(90)])
    done = linnet("encode", "moving.webp", "--quiet", cwd=folder)
    assert done.code == 0
    assert done.complaint == "linnet: warning: 'moving.webp' holds several pictures: only the first is used"


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        ("-m ultra", 2, "no model is called 'ultra'; known: "),
        ("--device tpu", 2, "no device is called 'tpu'"),
        ("--size-limit 5000", 6, "at most 5000 (Limits.max_pixels): --size-limit allows more"),
        ("-o nowhere/a.lnt", 1, "nowhere/a.lnt: No such file or directory"),
        ("-o /dev/full", 1, "/dev/full: No space left on device"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(words: str, code: int, reason: str, folder: Path) -> None:
    done = linnet("encode", "in/a.jpg", *words.split(), cwd=folder)
    assert (done.code, done.out) == (code, b"")
    assert reason in done.complaint
    assert not list(folder.rglob("*.lnt"))


def test_some_bad_pictures_do_not_stop_the_others(folder: Path) -> None:
    (folder / "in" / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    done = linnet("encode", "-r", "in", "--json", cwd=folder)
    assert done.code == 9
    assert [record["type"] for record in done.records] == ["result", "error", "result", "summary"]
    assert done.records[1]["input"] == "in/bad.png"
    assert done.records[1]["exit_code"] == 3


def test_folders_are_searched_for_what_the_loader_reads() -> None:
    Image.init()
    readable = {suffix for suffix, form in Image.registered_extensions().items() if form in FORMATS}
    assert readable >= SUFFIXES
    assert {suffix for suffix in readable if suffix[1:].upper() in FORMATS} <= SUFFIXES
