"""Streams of callers that do less than files, or do it bit by bit; readers that threads share."""

import errno
import io
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import numpy as np
import pytest
from PIL import Image

import linnet
from linnet.codec.files.destination import patient
from linnet.codec.image.saving import save_image

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer


class OnlyReads:
    """A stream that can do nothing else."""

    def __init__(self, data: bytes) -> None:
        self._stream = io.BytesIO(data)

    def read(self, count: int = -1) -> bytes:
        return self._stream.read(count)


class ReadsLittle(io.RawIOBase):
    """Three bytes at a time, though it can seek."""

    def __init__(self, data: bytes) -> None:
        self._stream = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")
        part = self._stream.read(min(3, len(view)))
        view[: len(part)] = part
        return len(part)


class Full(io.BytesIO):
    """A disk that takes so many bytes; each later attempt fails, at seeking too, as buffers do."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self._room = room
        self.asked = 0  # after it was full

    def write(self, data: "ReadableBuffer", /) -> int:
        if self.tell() + memoryview(data).nbytes > self._room:
            self.asked += 1
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(data)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        if self.asked:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().seek(offset, whence)


class CountsNothing:
    """A stream that takes all and does not say so, as responses of web servers do."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += bytes(data)


class TakesLittle:
    """Seven bytes at a time."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> int:
        self.data += bytes(data[:7])
        return min(7, len(data))


@pytest.fixture(scope="module")
def png() -> bytes:
    """A picture's file."""
    stream = io.BytesIO()
    rows, columns = np.mgrid[:70, :90]
    pixels = (128 + 90 * np.sin(rows / 9 + columns / 5)).astype(np.uint8)
    Image.fromarray(pixels).save(stream, "png")
    return stream.getvalue()


@pytest.fixture(scope="module")
def clip() -> bytes:
    """Six frames in groups of three."""
    stream = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 255, (48, 64, 3)).astype(np.uint8)
    with linnet.VideoWriter(stream, gop=3, quality=20) as video:
        for shift in range(6):
            video.write(np.roll(pixels, 2 * shift, 1))
    return stream.getvalue()


@pytest.mark.parametrize("kind", [OnlyReads, ReadsLittle])
def test_streams_that_read_little_or_do_nothing_else_are_read(
    kind: Callable[[bytes], BinaryIO], png: bytes, clip: bytes
) -> None:
    data = linnet.encode(png).data
    assert data is not None
    assert linnet.encode(kind(png)).data == data
    assert np.array_equal(linnet.decode(kind(data)).pixels, linnet.decode(data).pixels)
    assert linnet.info(kind(data)) == linnet.info(data)
    assert linnet.verify(kind(data)) == linnet.verify(data)
    assert len(list(linnet.VideoReader(kind(clip)))) == 6


@pytest.mark.parametrize("kind", [CountsNothing, TakesLittle])
def test_every_byte_gets_into_streams_that_take_little_or_do_not_count(
    kind: type[CountsNothing] | type[TakesLittle], png: bytes, clip: bytes
) -> None:
    def check(write: Callable[[BinaryIO], object]) -> None:
        whole, odd = io.BytesIO(), kind()
        write(whole)
        write(cast("BinaryIO", odd))
        assert odd.data == whole.getvalue()

    frame = linnet.decode(linnet.encode(png).data or b"")
    check(lambda stream: linnet.encode(png, stream))
    check(lambda stream: save_image(frame, stream, "png"))
    check(lambda stream: linnet.decode_video(clip, stream, format="y4m"))


@pytest.mark.parametrize("form", ["mp4", "mkv", "y4m"])
def test_a_full_disk_is_said_once_and_in_no_traceback(
    form: str, clip: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    full = Full(1000)
    with pytest.raises(OSError, match="No space left") as caught:
        linnet.decode_video(clip, cast("BinaryIO", full), format=form)
    assert caught.value.errno == errno.ENOSPC
    assert full.asked == 1  # nothing is written behind a gap
    assert capfd.readouterr() == ("", "")  # FFmpeg goes on and fails again, for which PyAV prints a traceback


def test_what_fails_beside_the_stream_keeps_its_cause() -> None:
    with pytest.raises(ValueError, match="its words") as caught, patient(io.BytesIO()):
        raise ValueError("its words") from EOFError("the library's")
    assert isinstance(caught.value.__cause__, EOFError)


def test_streams_of_text_and_other_things_are_refused_in_words(png: bytes, clip: bytes) -> None:
    for verb in (linnet.encode, linnet.decode, linnet.info, linnet.verify, linnet.VideoReader):
        with pytest.raises(ValueError, match="binary stream, not one of text"):
            verb(cast("BinaryIO", io.StringIO("x")))
    with pytest.raises(ValueError, match="binary stream to write to, not one of text"):
        linnet.encode(png, cast("BinaryIO", io.StringIO()))
    with pytest.raises(ValueError, match="a path or a binary stream to write to, not bytes"):
        linnet.decode_video(clip, cast("BinaryIO", b"x"), format="mkv")


def test_tokens_are_made_of_any_buffer(png: bytes) -> None:
    tokens = linnet.tokenize(png, stages=1)
    for buffer in (bytearray(png), memoryview(png)):
        assert np.array_equal(linnet.tokenize(buffer, stages=1).array(1), tokens.array(1))


def test_unbuffered_standard_output_that_is_full_is_an_error(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    command = f"ulimit -f 1; {sys.executable} -m linnet encode a.png -q 90 -o - > a.lnt"
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True)
    assert done.returncode == 1
    assert b"File too large" in done.stderr


def test_threads_may_share_a_reader(clip: bytes) -> None:
    with linnet.VideoReader(clip) as video, ThreadPoolExecutor(4) as threads:
        alone = [frame.pixels for frame in video]
        together = list(threads.map(lambda number: video[number % 6].pixels, range(18)))
        assert all(np.array_equal(each, alone[number % 6]) for number, each in enumerate(together))
        walks = [iter(video) for _ in range(3)]
        for walk in threads.map(lambda walk: [frame.pixels for frame in walk], walks):
            assert np.array_equal(walk, alone)
