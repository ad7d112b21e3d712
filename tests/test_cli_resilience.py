"""Resilient files on the command line: encode, info, verify, decode what is damaged, and cut to mend it."""

from pathlib import Path

import numpy as np
import pytest
from cli_process import Finished, linnet
from PIL import Image
from typer.testing import CliRunner
from vq_samples import without

from linnet.codec.cli.app import app

pytestmark = pytest.mark.usefixtures("blocks_model")


def blocks(*words: str, cwd: Path) -> Finished:
    """Run `linnet WORDS` in this process, where the model `blocks` is known."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(cwd)
        done = CliRunner().invoke(app, list(words))
    return Finished(done.exit_code, done.stdout_bytes, done.stderr)


@pytest.fixture(scope="module")
def folder(photo_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture, its file, and the file without 6 and without 9 of its 24 shares."""
    folder = tmp_path_factory.mktemp("resilient")
    with Image.open(photo_path) as image:
        image.crop((160, 60, 340, 160)).save(folder / "a.png")
    done = blocks("encode", "a.png", "-m", "blocks", "--stages", "3", "--resilience", "25", cwd=folder)
    assert done.code == 0, done.err
    data = (folder / "a.lnt").read_bytes()
    (folder / "bad.lnt").write_bytes(without(data, range(5, 11)))
    (folder / "worse.lnt").write_bytes(without(data, range(9)))
    assert blocks("decode", "a.lnt", "-o", "whole.png", cwd=folder).err.count("\n") == 1
    return folder


def pixels(path: Path) -> object:
    with Image.open(path) as image:
        return np.asarray(image).tolist()


def test_info_says_what_may_be_lost(folder: Path) -> None:
    out = blocks("info", "a.lnt", cwd=folder).out.decode()
    assert "  shares   24: any 18 give the whole picture, any 12 its first stage; " in out
    record = linnet("info", "a.lnt", "--json", cwd=folder).records[0]
    assert (record["shares"], record["shares_needed"], record["shares_least"]) == (24, 18, 12)


def test_damage_that_shares_make_good_is_a_warning(folder: Path) -> None:
    done = blocks("decode", "bad.lnt", cwd=folder)
    assert (done.code, done.out) == (0, b"")
    assert done.err.splitlines() == [
        "bad.lnt -> bad.png  180x100",
        "bad.lnt: share 11 comes where share 5 should (in chunk 'share' at byte "
        f"{done.err.split('at byte ')[1].split(')')[0]})",
        "linnet: warning: bad.lnt: damaged, and made good from its other shares",
    ]
    assert pixels(folder / "bad.png") == pixels(folder / "whole.png")
    for words in ([], ["--allow-partial"]):
        done = blocks("decode", "bad.lnt", "-f", "--json", *words, cwd=folder)
        assert (done.code, str(done.records[0]["repaired"]).count("share 11 comes")) == (0, 1)


def test_verify_still_finds_it_damaged_and_cut_makes_it_whole(folder: Path) -> None:
    for words in ([], ["--full"]):
        done = blocks("verify", "bad.lnt", *words, cwd=folder)
        assert done.code == 5
        assert (
            "18 of 24 shares are left, enough for the whole picture: linnet cut --stages 3" in done.complaint
        )
    done = linnet("cut", "bad.lnt", "--stages", "3", "-o", "mended.lnt", cwd=folder)
    assert done.code == 0
    assert "warning: bad.lnt: damaged, and made good" in done.err
    assert (folder / "mended.lnt").read_bytes() == (folder / "a.lnt").read_bytes()


def test_more_damage_gives_a_coarser_picture_only_if_asked_for(folder: Path) -> None:
    done = blocks("decode", "worse.lnt", cwd=folder)
    assert (done.code, "15 of 24 shares are left, stage 2 needs 18" in done.complaint) == (5, True)
    assert not (folder / "worse.png").exists()
    assert "enough for the whole" not in blocks("verify", "worse.lnt", cwd=folder).complaint
    done = blocks("decode", "worse.lnt", "--allow-partial", cwd=folder)
    assert done.code == 9
    assert done.err.splitlines()[-1] == (
        "linnet: warning: worse.lnt: 9 of 24 shares lost: shown with 2 of 3 stages"
    )
    record = blocks("decode", "worse.lnt", "-f", "--allow-partial", "--json", cwd=folder).records[0]
    assert (record["shares"], record["shares_lost"], record["repaired"]) == (24, 9, [])


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("encode a.png -o b.lnt -m blocks --resilience 41", "1 to 40 percent"),
        ("encode a.png -o b.lnt --resilience 20", "does not code in stages"),
        ("encode frame%d.png -o b.lnt --resilience 20", "does not code in stages"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(words: str, reason: str, folder: Path) -> None:
    (folder / "frame1.png").write_bytes((folder / "a.png").read_bytes())
    done = blocks(*words.split(), cwd=folder)
    assert (done.code, done.out) == (2, b"")
    assert reason in done.complaint
    assert not (folder / "b.lnt").exists()
