"""Interruption: exit code 130, and no file under the final name nor beside it."""

import io
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_process import LINNET, TIMEOUT_S
from PIL import Image
from video_samples import pan

import linnet
from linnet import VideoWriter


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """A child ignores what its parent does, as a script in the background may: here it must not."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    before_hangup = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGINT, before)
    signal.signal(signal.SIGHUP, before_hangup)


@pytest.fixture
def large(tmp_path: Path, photo: Image.Image) -> Path:
    """A picture of many tiles, so that there is time to interrupt."""
    path = tmp_path / "large.bmp"
    photo.resize((6000, 5000)).save(path)
    return path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_encoder_leaves_nothing_behind(number: signal.Signals, large: Path) -> None:
    process = subprocess.Popen(
        [LINNET, "encode", large.name], cwd=large.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    wait_for_unfinished_file(large.parent, process)
    process.send_signal(number)
    _, complaint = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, complaint) == (130, b"linnet: interrupted\n")
    assert [path.name for path in large.parent.iterdir()] == [large.name]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_decoder_that_waits_for_a_silent_pipe_can_be_stopped(
    number: signal.Signals, tmp_path: Path, photo: Image.Image
) -> None:
    data = io.BytesIO()
    with VideoWriter(data, quality=20, gop=1) as video:
        for pixels in pan(photo, 8):
            video.write(pixels)
    process = subprocess.Popen(
        [LINNET, "decode", "-", "-o", "out.y4m"], cwd=tmp_path, stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(data.getvalue()[:-100])  # and no more, with the pipe open
    process.stdin.flush()
    wait_for_unfinished_file(tmp_path, process)
    process.send_signal(number)
    assert process.stderr is not None
    assert process.wait(timeout=30) == 130
    assert process.stderr.read() == b"linnet: interrupted\n"
    process.stdin.close()
    process.stderr.close()
    assert not list(tmp_path.iterdir())


def test_an_encoder_under_nohup_goes_on_when_the_terminal_goes(large: Path) -> None:
    with Image.open(large) as image:
        image.resize((1500, 1000)).save(large)
    process = subprocess.Popen(
        ["nohup", LINNET, "encode", "-e", "0", large.name], cwd=large.parent, stderr=subprocess.DEVNULL
    )
    wait_for_unfinished_file(large.parent, process)
    process.send_signal(signal.SIGHUP)
    assert process.wait(timeout=TIMEOUT_S) == 0
    assert linnet.verify(large.with_suffix(".lnt")).ok


def test_a_killed_encoder_leaves_no_file_under_the_final_name(large: Path) -> None:
    process = subprocess.Popen([LINNET, "encode", large.name], cwd=large.parent, stderr=subprocess.DEVNULL)
    wait_for_unfinished_file(large.parent, process)
    process.kill()
    assert process.wait(timeout=TIMEOUT_S) == -signal.SIGKILL
    assert not large.with_suffix(".lnt").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_workers_stop_too(number: signal.Signals, large: Path) -> None:
    (large.parent / "second.bmp").hardlink_to(large)
    words = ["encode", "-r", ".", "-o", "out", "-j", "2"]
    process = subprocess.Popen(
        [LINNET, *words], cwd=large.parent, stderr=subprocess.PIPE, start_new_session=True
    )
    wait_for_unfinished_file(large.parent / "out", process)
    os.killpg(process.pid, number)  # as a terminal does
    _, complaint = process.communicate(timeout=TIMEOUT_S)  # until the last worker has closed it
    assert process.returncode == 130
    first, *others = complaint.decode().splitlines()
    assert first == "linnet: interrupted"
    assert all("failed in" in line for line in others)
    left = list((large.parent / "out").iterdir())
    assert len(left) < 2  # on a busy machine one of them may have been done before
    assert all(path.suffix == ".lnt" and linnet.verify(path).ok for path in left)


def wait_for_unfinished_file(folder: Path, encoder: subprocess.Popen[bytes]) -> None:
    """Wait until the encoder is in the middle of its work: some of the file is on the disk."""
    deadline = time.monotonic() + TIMEOUT_S
    while not any(path.stat().st_size for path in folder.glob(".*.tmp")):
        assert encoder.poll() is None, "the encoder ended early"
        assert time.monotonic() < deadline, "the encoder has not begun"
        time.sleep(0.05)
