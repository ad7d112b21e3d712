"""Inputs that are none: exit code 3 and one clear line from every verb."""

from pathlib import Path

import pytest
from cli_process import linnet

VERBS = ["encode", "decode", "info", "verify"]


@pytest.mark.parametrize("verb", VERBS)
def test_a_missing_input_is_named(verb: str, tmp_path: Path) -> None:
    done = linnet(verb, "nowhere.png", cwd=tmp_path)
    assert (done.code, done.complaint) == (3, "linnet: nowhere.png: No such file or directory")


@pytest.mark.parametrize("verb", VERBS)
def test_a_folder_is_named_with_the_way_out(verb: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    done = linnet(verb, "folder", cwd=tmp_path)
    assert done.code == 3
    assert done.complaint.startswith("linnet: folder: is a folder")
    assert ("-r" in done.complaint) == (verb in ("encode", "decode"))


@pytest.mark.parametrize("verb", VERBS)
def test_an_empty_file_is_named(verb: str, tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    done = linnet(verb, "empty.png", cwd=tmp_path)
    assert (done.code, done.complaint) == (3, "linnet: empty.png: the file is empty")


@pytest.mark.parametrize("verb", VERBS)
def test_a_text_file_is_neither_picture_nor_linnet_file(verb: str, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("Neither a picture nor a Linnet file.\n" * 9)
    done = linnet(verb, "text.png", cwd=tmp_path)
    assert done.code == 3
    assert done.complaint.startswith("linnet: text.png: " if verb != "encode" else "linnet: ")
    assert "text.png" in done.complaint
    assert [path.name for path in tmp_path.iterdir()] == ["text.png"]


@pytest.mark.parametrize("verb", ["encode", "decode"])
def test_a_folder_without_pictures_is_an_error(verb: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("none here")
    done = linnet(verb, "-r", tmp_path)
    assert done.code == 3
    assert "no file to take in this folder" in done.complaint


def test_an_empty_pipe_is_no_linnet_file() -> None:
    done = linnet("info", "-")
    assert done.code == 3
    assert "not a Linnet file: it is empty" in done.complaint


def test_some_of_many_failed_is_partial_success(tmp_path: Path, photo_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(photo_path.read_bytes())
    done = linnet("encode", "-n", "photo.jpg", "missing.jpg", cwd=tmp_path)
    assert done.code == 9
    assert "missing.jpg: No such file" in done.err
    assert "1 done, 0 skipped, 1 failed" in done.err


def test_all_of_many_failed_for_one_reason_is_that_reason(tmp_path: Path) -> None:
    assert linnet("encode", "missing.jpg", "gone.jpg", cwd=tmp_path).code == 3


@pytest.mark.parametrize(("verb", "names"), [("encode", "a.png b.lnt"), ("decode", "a.lnt b.webp")])
def test_an_output_named_behind_its_input_is_told_to_take_o(verb: str, names: str, tmp_path: Path) -> None:
    first, second = names.split()
    (tmp_path / first).write_text("never read")
    done = linnet(verb, first, second, cwd=tmp_path)
    assert (done.code, done.complaint) == (
        2,
        f"linnet: {second} does not exist; if it is to be written: -o {second}",
    )
    assert [path.name for path in tmp_path.iterdir()] == [first]
