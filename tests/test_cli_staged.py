"""Stills in stages on the command line: encode, cut, info, verify, and decode of what is left."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import vq_samples
from cli_process import Finished, linnet
from PIL import Image
from typer.testing import CliRunner
from vq_samples import starts, without

import linnet as package
from linnet.codec.cli.app import app


@pytest.fixture(scope="module", autouse=True)
def _model() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        vq_samples.install(patch)
        yield


def blocks(*words: str, stdin: bytes = b"", cwd: Path) -> Finished:
    """Run `linnet WORDS` in this process, where the model `blocks` is known."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(cwd)
        done = CliRunner().invoke(app, list(words), input=stdin)
    return Finished(done.exit_code, done.stdout_bytes, done.stderr)


@pytest.fixture(scope="module")
def folder(photo_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture of 6 tiles of 64 pixels, and its file of 18 parts."""
    folder = tmp_path_factory.mktemp("staged")
    with Image.open(photo_path) as image:
        image.crop((160, 60, 340, 160)).save(folder / "a.png")
    done = blocks("encode", "a.png", "-m", "blocks", "--stages", "3", "--tile", "64", "--json", cwd=folder)
    assert done.code == 0, done.err
    assert (done.records[0]["stages"], done.records[0]["quality"]) == (3, 66.67)
    return folder


@pytest.fixture(scope="module")
def data(folder: Path) -> bytes:
    return (folder / "a.lnt").read_bytes()


def test_info_and_verify_count_stages_and_parts(folder: Path) -> None:
    done = blocks("info", "a.lnt", cwd=folder)
    assert "  quality  66.67, stages 3 of 3\n" in done.out.decode()
    assert "  format   1.3, 6 tiles, 18 parts\n" in done.out.decode()
    unknown = linnet("info", "a.lnt", "--json", cwd=folder).records[0]
    assert (unknown["stages"], unknown["model_stages"], unknown["parts"]) == (3, None, 18)
    for words in (["a.lnt"], ["--full", "a.lnt"]):
        record = blocks("verify", *words, "--json", cwd=folder).records[0]
        assert (record["ok"], record["tiles"], record["parts"]) == (True, 6, 18)
    done = linnet("decode", "a.lnt", "-o", "x.png", cwd=folder)
    assert (done.code, "needs model 900" in done.complaint) == (4, True)


def test_cut_needs_no_model_and_takes_pipes(folder: Path, data: bytes) -> None:
    done = linnet("cut", "a.lnt", "--stages", "2", "-o", "small.lnt", cwd=folder)
    small = (folder / "small.lnt").read_bytes()
    assert (done.code, done.out) == (0, b"")
    assert done.err.startswith(f"a.lnt -> small.lnt  2 of 3 stages  {len(small)} bytes")
    assert blocks("cut", "-", "--target-size", str(len(small)), stdin=data, cwd=folder).out == small
    assert blocks("cut", "a.lnt", "--stages", "2", "-o", "small.lnt", cwd=folder).code == 8
    done = blocks("cut", "a.lnt", "--stages", "1", "-o", "small.lnt", "-f", "--json", cwd=folder)
    assert (done.records[0]["stages"], done.records[0]["stages_before"]) == (1, 3)
    assert blocks("decode", "small.lnt", cwd=folder).code == 0


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        ("cut a.lnt -o b.lnt", 2, "either --stages or --target-size"),
        ("cut a.lnt --stages 2", 2, "give -o"),
        ("cut a.lnt --stages 2 -o a.lnt", 2, "input and output are the same file"),
        ("cut a.lnt --stages 4 -o b.lnt", 2, "the file has 3 stages"),
        ("cut a.lnt --target-size 90 -o b.lnt", 7, "one stage alone takes"),
        ("encode a.png -o b.lnt -m fast --stages 2", 2, "does not code in stages"),
        ("encode a.png -o b.lnt -m blocks --stages 4", 2, "has 3 stages"),
        ("encode a.png -o b.lnt -m blocks --stages 2 -q 9", 2, "exclude each other"),
        ("encode a.png -o b.lnt -m blocks --tile 100", 2, "64, 128, 256, 512, 1024"),
        ("encode a.png -o b.lnt -m blocks --target-size 60", 7, "cannot be met"),
        ("encode frame%d.png -o b.lnt -m blocks", 2, "codes pictures only"),
        ("encode frame%d.png -o b.lnt --tile 64", 2, "--tile is for pictures"),
        ("encode a.png -o b.lnt --inter-model video", 2, "--inter-model is for clips"),
        ("encode frame%d.png -o b.lnt --inter-model fast", 2, "codes pictures"),
        ("encode frame%d.png -o b.lnt --effort 1", 2, "--effort is for pictures"),
        ("encode a.png -o b.lnt -m blocks -e 2", 2, "takes no effort of 2"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(words: str, code: int, reason: str, folder: Path) -> None:
    (folder / "frame1.png").write_bytes((folder / "a.png").read_bytes())
    done = blocks(*words.split(), cwd=folder)
    assert (done.code, done.out) == (code, b"")
    assert reason in done.complaint
    assert not (folder / "b.lnt").exists()


def test_damage_gives_a_picture_only_if_asked_for(folder: Path, data: bytes) -> None:
    (folder / "bad.lnt").write_bytes(without(data, [1, 8, 17]))
    done = blocks("decode", "bad.lnt", cwd=folder)
    assert done.code == 5
    assert done.complaint.startswith(
        "linnet: bad.lnt: stage 0 of tile 2 comes where stage 0 of tile 1 should"
    )
    assert "--allow-partial gives what is left" in done.complaint
    assert not (folder / "bad.png").exists()
    done = blocks("decode", "bad.lnt", "--allow-partial", cwd=folder)
    assert (done.code, done.out) == (9, b"")
    lines = done.err.splitlines()
    assert lines[0] == "bad.lnt -> bad.png  180x100"
    assert lines[-1] == (
        "linnet: warning: bad.lnt: 6 of 18 parts lost: tile 1 concealed from its neighbours, "
        "tile 5 shown with 2 of 3 stages, tile 2 shown with 1 of 3 stages"
    )
    with Image.open(folder / "bad.png") as image:
        assert image.size == (180, 100)
    record = blocks("decode", "bad.lnt", "-f", "--allow-partial", "--json", cwd=folder).records[0]
    assert (record["type"], record["lost"], record["parts"]) == ("result", 6, 18)
    assert (record["concealed"], record["coarser"]) == ([1], {"2": 1, "5": 2})
    assert record["damage"]
    (folder / "headless.lnt").write_bytes(data[:12])
    assert "--allow-partial" not in blocks("decode", "headless.lnt", cwd=folder).complaint


def test_a_prefix_is_a_picture_of_fewer_stages(folder: Path, data: bytes) -> None:
    done = blocks(
        "decode", "-", "-o", "part.png", "--allow-partial", stdin=data[: starts(data)[12]], cwd=folder
    )
    assert done.code == 9
    assert "6 of 18 parts lost: tiles 0, 1, 2, 3, 4, 5 shown with 2 of 3 stages" in done.err
    (folder / "two.lnt").write_bytes(package.cut(data, stages=2).data or b"")
    done = blocks("decode", "two.lnt", "--allow-partial", "--json", cwd=folder)
    assert (done.code, done.records[0]["damage"], done.records[0]["lost"]) == (0, [], 0)
    with Image.open(folder / "part.png") as one, Image.open(folder / "two.png") as other:
        assert np.array_equal(np.asarray(one), np.asarray(other))
