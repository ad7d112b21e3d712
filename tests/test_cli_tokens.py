"""`linnet tokens`: many pictures in, one file of indices out."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import vq_samples
from cli_process import Finished
from PIL import Image

import linnet

COMMAND = [sys.executable, str(Path(__file__).with_name("vq_samples.py"))]


def run(*words: str | Path, stdin: bytes = b"") -> Finished:
    """`linnet WORDS` of a process that has the small model `blocks` too."""
    done = subprocess.run([*COMMAND, *map(str, words)], input=stdin, capture_output=True, check=False)
    return Finished(done.returncode, done.stdout, done.stderr.decode())


@pytest.fixture
def folder(photo: Image.Image, tmp_path: Path) -> Path:
    """Two pictures of one size, one of another, and a file that is none."""
    made = tmp_path / "in"
    (made / "below").mkdir(parents=True)
    photo.crop((150, 60, 246, 124)).save(made / "a.png")
    photo.crop((250, 60, 346, 124)).save(made / "below" / "a.png")
    photo.crop((150, 60, 190, 124)).save(made / "c.jpg")
    (made / "notes.txt").write_text("no picture")
    return made


def test_a_folder_becomes_one_file_with_a_name_for_each_picture(folder: Path, tmp_path: Path) -> None:
    done = run("tokens", "-r", folder, "-m", "blocks", "-o", tmp_path / "t.safetensors", "--json")
    assert (done.code, done.err) == (0, "")
    *pictures, written, summary = done.records
    assert [(each["width"], each["height"], each["tokens"]) for each in pictures] == [
        (96, 64, 6 + 2 * 24),
        (96, 64, 6 + 2 * 24),
        (40, 64, 4 + 2 * 12),
    ]
    assert (written["pictures"], written["tokens"]) == (3, 136)
    assert written["bytes"] == (tmp_path / "t.safetensors").stat().st_size
    assert (summary["type"], summary["done"], summary["failed"]) == ("summary", 3, 0)  # pictures only
    names = [each.name for each in linnet.load_tokens(tmp_path / "t.safetensors")]
    assert names == ["a.png", "below/a.png", "c.jpg"]


def test_files_and_pipes_give_what_their_pictures_give(folder: Path, tmp_path: Path) -> None:
    picture, file = folder / "a.png", tmp_path / "a.lnt"
    with pytest.MonkeyPatch.context() as patch:
        vq_samples.install(patch)
        linnet.encode(picture, file, model="blocks", quality=100)
    out = tmp_path / "t.npz"
    words = ("-m", "blocks", "--stages", "2", "-o", out)
    done = run("tokens", picture, file, "-", *words, stdin=file.read_bytes())
    assert (done.code, done.out) == (0, b"")
    assert f"{out}  3 pictures" in done.err
    with np.load(out) as arrays:
        assert arrays["stage1"].shape == (3, 4, 6)
        assert (arrays["stage1"] == arrays["stage1"][0]).all()
        assert "stage2" not in arrays


def test_what_cannot_be_read_is_said_and_the_others_are_written(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "t.npz"
    done = run("tokens", folder / "a.png", folder / "notes.txt", "-m", "blocks", "-o", out)
    assert done.code == 9
    assert "notes.txt" in done.err
    assert [each.name for each in linnet.load_tokens(out)] == ["a.png"]
    out.unlink()
    (folder / "notes.txt").write_bytes(b"")
    done = run("tokens", folder / "notes.txt", "-m", "blocks", "-o", out)
    assert (done.code, out.exists()) == (3, False)
    assert "not written" in done.err


def test_damage_that_shares_make_good_is_a_warning_and_more_is_an_error(folder: Path, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        vq_samples.install(patch)
        data = linnet.encode(folder / "a.png", model="blocks", quality=100, resilience=25).data or b""
    whole, bad, out = tmp_path / "whole.lnt", tmp_path / "bad.lnt", tmp_path / "t.npz"
    whole.write_bytes(data)
    bad.write_bytes(vq_samples.without(data, range(5, 11)))
    done = run("tokens", whole, bad, "-o", out)
    assert (done.code, done.err.count("warning")) == (0, 1)
    assert f"{bad}: share 11 comes where share 5 should" in done.err
    assert f"linnet: warning: {bad}: damaged, and made good from its other shares" in done.err
    with np.load(out) as arrays:
        for stage in ("stage0", "stage1", "stage2"):
            assert np.array_equal(*arrays[stage])
    bad.write_bytes(vq_samples.without(data, range(5, 12)))
    done = run("tokens", whole, bad, "-o", out, "-f", "--json")
    assert done.code == 9
    first, second, *_ = done.records
    assert (first["repaired"], second["type"]) == ([], "error")
    assert "17 of 24 shares are left, stage 2 needs 18" in str(second["message"])
    assert len(linnet.load_tokens(out)) == 1


def test_an_output_that_exists_is_kept_unless_it_may_be_replaced(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "t.npz"
    out.write_bytes(b"mine")
    words = ("tokens", folder / "a.png", "-m", "blocks", "-o", out)
    assert run(*words).code == 8
    assert out.read_bytes() == b"mine"
    assert run(*words, "-f").code == 0
    assert len(linnet.load_tokens(out)) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-o", "t.json"], ".npz or .safetensors"),
        (["-o", "-"], "written to a file"),
        (["-o", "t.npz", "-m", "blocks", "--stages", "4"], "choose 1 to 3, not 4"),
    ],
)
def test_wrong_words_are_a_usage_error(folder: Path, words: list[str], said: str) -> None:
    done = run("tokens", folder / "a.png", *words)
    assert done.code == 2
    assert said in done.err
