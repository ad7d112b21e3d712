"""Clips from the shell: there and back, a pipe, a part, damage, and what is said of wrong words."""

import os
import subprocess
from pathlib import Path
from typing import BinaryIO

import pytest
from cli_process import LINNET, linnet
from PIL import Image
from video_samples import STEADY, TICK, Shape, content_of, make_clip

from linnet.bitstream.errors import CorruptFileError
from linnet.bitstream.limits import Limits
from linnet.codec.cli.clips import ClipEncoding
from linnet.codec.cli.jobs import Job
from linnet.codec.cli.stdout import standard_output
from linnet.codec.cli.writing import Writing

SECONDS = [time * TICK for time in STEADY]


@pytest.fixture(scope="module")
def folder(photo_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """a.mp4 and a.lnt."""
    folder = tmp_path_factory.mktemp("clips")
    with Image.open(photo_path) as photo:
        make_clip(folder / "a.mp4", photo.convert("RGB"), shape=Shape(tags=(("title", "Pan"),)))
    done = linnet("encode", "a.mp4", "-q", "60", "--gop", "3", "--verify", "--json", cwd=folder)
    assert done.code == 0
    result = done.records[0]
    assert (result["frames"], result["verified"], result["output"]) == (8, True, "a.lnt")
    return folder


def test_a_clip_goes_there_and_back(folder: Path) -> None:
    done = linnet("decode", "a.lnt", "-o", "back/", cwd=folder)
    assert (done.code, done.out) == (0, b"")
    back = content_of(folder / "back" / "a.mp4")
    assert back.times == SECONDS
    assert back.packets == content_of(folder / "a.mp4").packets


def test_info_knows_clips(folder: Path) -> None:
    shown = linnet("info", "a.lnt", cwd=folder).out.decode()
    assert "8 in 0.320 s, 25 frames/s, times in 1/12800 s" in shown
    assert "  keys     " in shown
    assert "audio, aac, 48000 Hz, 2 channels, deu" in shown
    assert "title 'Pan'" in shown


def test_a_pipe_takes_and_gives_clips(folder: Path) -> None:
    """The reader of the pipe may also have enough."""
    part = "decode a.lnt -o - --format y4m --ss 0:00.16 --to 0.24"
    command = f"{LINNET} {part} | {LINNET} encode - -o - -q 90 --quiet > piped.lnt"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=folder, capture_output=True, check=True
    )
    assert b"2 frames" in done.stderr
    assert "2 in 0.080 s" in linnet("info", "piped.lnt", cwd=folder).out.decode()
    command = f"{LINNET} decode a.lnt -o - --format y4m --quiet | head -c 9"
    done = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"YUV4MPEG2", b"")


def test_a_clip_that_fails_its_check_replaces_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check reads what was written, not what was there before."""
    target, seen = folder / "kept.lnt", []
    target.write_bytes(b"of value")

    def fails(stream: BinaryIO, **_: object) -> None:
        seen.append(stream.read(6))
        raise CorruptFileError("tile 3")

    monkeypatch.setattr("linnet.codec.verify.verify", fails)
    encoding = ClipEncoding(
        quality=10.0, bitrate=None, size=None, gop=None, inter_model=None, model="fast", device="cpu",
        metadata="none", verified=True, partial=False, limits=Limits(),
        writing=Writing(force=True, skip_existing=False, dry_run=False, json=False),
    )  # fmt: skip
    with pytest.raises(CorruptFileError, match="tile 3"):
        encoding(Job(str(folder / "a.mp4"), str(target)), lambda done, total: None)
    assert seen == [(folder / "a.lnt").read_bytes()[:6]]
    assert target.read_bytes() == b"of value"
    assert not list(folder.glob(".kept*"))


def test_a_named_pipe_is_not_verified(folder: Path) -> None:
    os.mkfifo(folder / "fifo")
    done = linnet("encode", "a.mp4", "-o", "fifo", "--verify", cwd=folder)
    assert (done.code, "--verify reads the clip again" in done.complaint) == (2, True)
    assert (folder / "fifo").exists()


def test_a_file_that_is_missing_is_not_the_pipes_fault() -> None:
    with pytest.raises(FileNotFoundError), standard_output():
        Path("none.lnt").read_bytes()


def test_a_pipe_has_no_middle_to_begin_with(folder: Path) -> None:
    data = (folder / "a.lnt").read_bytes()
    done = linnet("decode", "-", "-o", "x.mkv", "--ss", "0.1", stdin=data, cwd=folder)
    assert (done.code, "cannot seek: give a file" in done.complaint) == (2, True)


def test_damage_is_an_error_unless_a_partial_result_is_asked_for(folder: Path) -> None:
    data = (folder / "a.lnt").read_bytes()
    (folder / "cut.lnt").write_bytes(data[: len(data) * 2 // 3])
    done = linnet("info", "cut.lnt", cwd=folder)
    assert done.code == 5
    assert "cut.lnt: the file ends" in done.complaint
    done = linnet("decode", "cut.lnt", "--allow-partial", "--json", cwd=folder)
    assert done.code == 9
    assert "the file ends" in str(done.records[0]["damage"])
    shown = linnet("decode", "cut.lnt", "--allow-partial", "-o", "cut.y4m", cwd=folder).err
    assert "0 lost and all behind the cut" in shown
    assert 0 < len(content_of(folder / "cut.mp4").times) < 8


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        ("decode a.lnt -o a.xyz", 2, "cannot write clips as 'xyz'"),
        ("decode a.lnt -o x.mp4 --region 0,0,8,8", 2, "--region is for pictures"),
        ("decode a.lnt -o -", 2, "--format"),
        ("encode a.mp4 -o x.lnt --target-bpp 1", 2, "--target-bpp is for pictures"),
        ("encode a.mp4 -o x.lnt -q 9 --target-bitrate 5k", 2, "-q and --target-bitrate exclude each other"),
        ("encode a.mp4 -o x.lnt --target-bitrate 0.9k", 7, "cannot be met: quality 0 gives no less than"),
        ("encode none.mp4", 3, "No such file"),
        ("encode none%d.png -o -", 3, "none%d.png: no picture has this name with a number from 0 to 4"),
    ],
)
def test_wrong_words_are_said_in_a_line(words: str, code: int, reason: str, folder: Path) -> None:
    done = linnet(*words.split(), cwd=folder)
    assert done.code == code
    assert reason in done.complaint
    assert not list(folder.glob("x.*"))
