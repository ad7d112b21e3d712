"""Usage errors: exit code 2, one clear line, and nothing written."""

from pathlib import Path

import bitstream_samples as samples
import pytest
from cli_process import linnet, linnet_at_terminal


@pytest.fixture
def folder(tmp_path: Path, photo_path: Path) -> Path:
    """Two pictures (one a copy with another suffix) and a Linnet file."""
    (tmp_path / "a.jpg").write_bytes(photo_path.read_bytes())
    (tmp_path / "a.jpeg").write_bytes(photo_path.read_bytes())
    (tmp_path / "b.lnt").write_bytes(samples.full_file())
    return tmp_path


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("encode", "Missing argument"),
        ("encode a.jpg -q 101", "--quality"),
        ("encode a.jpg -j 0", "--jobs"),
        ("encode a.jpg --metadata some", "some"),
        ("encode a.jpg --target-size 40x", "is no size"),
        ("encode a.jpg --target-bitrate 5x", "is no bitrate"),
        ("decode b.lnt --region 1,2,3", "X,Y,W,H"),
        ("decode b.lnt --region 0,0,0,5", "at least 1"),
        ("transcode a.jpg", "No such command"),
    ],
)
def test_arguments_that_do_not_parse_are_usage_errors(words: str, reason: str, folder: Path) -> None:
    done = linnet(*words.split(), cwd=folder)
    assert done.code == 2
    assert reason in done.err
    assert "Traceback" not in done.err
    assert done.out == b""


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("encode a.jpg -f --skip-existing", "choose one"),
        ("encode a.jpg a.jpeg", "would both be written to a.lnt: rename one of them, or take it alone"),
        ("encode -r .", "would both be written to a.lnt: rename one of them, or take it alone"),
        ("encode a.jpg b.lnt -o -", "cannot share one pipe"),
        ("encode a.jpg b.lnt -o a.jpeg", "several outputs need a folder"),
        ("encode a.jpg -o a.jpg -f", "same file"),
        ("encode a.jpg -o ./a.jpg -f", "same file"),
        ("encode a.jpg --gop 3", "a.jpg is a picture: --gop is for clips"),
        ("encode a.jpg -m video", "model"),
        ("encode a.jpg --tile 0", "tile must be one of 64, 128, 256, 512, 1024 pixels, not 0"),
        ("encode a.jpg --json -o -", "cannot share standard output"),
        ("encode - -", "only once"),
        ("encode - -o .", "standard input has no name"),
        ("info - -", "only once"),
        ("decode b.lnt -o picture", "has no suffix to tell the format"),
    ],
)
def test_arguments_that_contradict_are_usage_errors(words: str, reason: str, folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    done = linnet(*words.split(), cwd=folder)
    assert done.code == 2
    assert reason in done.complaint
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_an_empty_name_is_a_usage_error(folder: Path) -> None:
    for words in (("encode", ""), ("encode", "a.jpg", "-o", "")):
        done = linnet(*words, cwd=folder)
        assert done.code == 2
        assert "a name is empty" in done.complaint


def test_a_link_to_the_input_is_the_same_file(folder: Path) -> None:
    (folder / "link.jpg").symlink_to("a.jpg")
    done = linnet("encode", "a.jpg", "-o", "link.jpg", "-f", cwd=folder)
    assert done.code == 2
    assert "same file" in done.complaint


def test_no_input_is_written_over_by_what_comes_from_another_one(folder: Path) -> None:
    inner = folder / "clips" / "sub"
    inner.mkdir(parents=True)
    for path in (inner.parent / "x.lnt", inner / "x.lnt"):
        path.write_bytes(b"input")
    done = linnet("cut", "-r", "clips", "-o", "clips/sub", "-f", "--stages", "1", cwd=folder)
    assert done.code == 2
    assert "clips/sub/x.lnt, which is an input too" in done.complaint
    assert (inner / "x.lnt").read_bytes() == b"input"


@pytest.mark.parametrize("verb", ["encode", "decode"])
def test_binary_data_never_goes_to_a_terminal(verb: str, folder: Path) -> None:
    done = linnet_at_terminal(verb, folder / ("a.jpg" if verb == "encode" else "b.lnt"), "-o", "-")
    assert done.code == 2
    assert "terminal" in done.complaint
    assert done.out == b""


def test_a_terminal_is_no_input(folder: Path) -> None:
    done = linnet_at_terminal("info", "-")
    assert done.code == 2
    assert "standard input is a terminal" in done.complaint


def test_usage_errors_are_json_too(folder: Path) -> None:
    done = linnet("encode", "a.jpg", "a.jpeg", "--json", cwd=folder)
    error, summary = done.records
    assert (error["type"], error["error"], error["exit_code"]) == ("error", "UsageError", 2)
    assert (summary["type"], summary["exit_code"]) == ("summary", 2)
