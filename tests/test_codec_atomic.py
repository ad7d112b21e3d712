"""Atomic writes: whole files or none, whatever happens meanwhile."""

import errno
import os
import resource
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from linnet.codec.files.atomic import atomic_write
from linnet.codec.frame import Frame
from linnet.codec.image.saving import save_image


def test_a_file_appears_only_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "out.lnt"
    with atomic_write(path) as stream:
        stream.write(b"whole")
        stream.flush()
        assert not path.exists()
        assert len(list(tmp_path.iterdir())) == 1  # in the same folder, so that the rename cannot fail
    assert path.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [path]


def write_half(path: Path, error: type[BaseException]) -> None:
    with atomic_write(path, overwrite=True) as stream:
        stream.write(b"half")
        raise error


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_an_exception_leaves_nothing_behind(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error):
        write_half(tmp_path / "out.lnt", error)
    assert list(tmp_path.iterdir()) == []


def test_an_exception_keeps_the_file_that_was_to_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "out.lnt"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError):
        write_half(path, RuntimeError)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_killed_writer_leaves_no_file_under_the_final_name(tmp_path: Path) -> None:
    path = tmp_path / "out.lnt"
    code = (
        "import sys, time\n"
        "from linnet.codec.files.atomic import atomic_write\n"
        "with atomic_write(sys.argv[1]) as stream:\n"
        "    stream.write(b'x' * 2**20); stream.flush()\n"
        "    print('half', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half\n"
        process.send_signal(signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL
    assert not path.exists()


def test_an_existing_file_is_kept_unless_told(tmp_path: Path) -> None:
    path = tmp_path / "out.lnt"
    path.write_bytes(b"old")
    with pytest.raises(FileExistsError) as caught, atomic_write(path):
        raise AssertionError("refused before any work")
    assert (caught.value.errno, caught.value.filename) == (errno.EEXIST, str(path))
    assert path.read_bytes() == b"old"
    with atomic_write(path, overwrite=True) as stream:
        stream.write(b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_appears_meanwhile_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "out.lnt"
    with pytest.raises(FileExistsError) as caught, atomic_write(path):
        path.write_bytes(b"theirs")
    assert caught.value.filename == str(path)
    assert path.read_bytes() == b"theirs"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_device_is_named(photo: Image.Image) -> None:
    with pytest.raises(OSError, match="/dev/full") as caught:
        save_image(Frame.from_array(np.array(photo)), "/dev/full", "png")
    assert caught.value.errno == errno.ENOSPC
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


@pytest.mark.parametrize("size", [10, 100_000])  # the second is larger than any buffer
def test_a_full_disk_is_an_error_with_the_path_and_leaves_nothing(tmp_path: Path, size: int) -> None:
    path = tmp_path / "out.lnt"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5, hard))
    try:
        with pytest.raises(OSError, match="File too large") as caught, atomic_write(path) as stream:
            stream.write(bytes(size))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, str(path))
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_an_error_with_the_path(tmp_path: Path) -> None:
    path = tmp_path / "none" / "out.lnt"
    with pytest.raises(FileNotFoundError) as caught, atomic_write(path):
        raise AssertionError("refused before any work")
    assert caught.value.filename == str(path)


def test_a_directory_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError) as caught, atomic_write(tmp_path, overwrite=True):
        raise AssertionError("refused before any work")
    assert caught.value.filename == str(tmp_path)


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_a_new_file_has_the_permissions_of_the_umask(tmp_path: Path, umask: int) -> None:
    path = tmp_path / "out.lnt"
    before = os.umask(umask)
    try:
        with atomic_write(path) as stream:
            stream.write(b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask


def test_a_replaced_file_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "out.lnt"
    path.write_bytes(b"old")
    path.chmod(0o600)
    with atomic_write(path, overwrite=True) as stream:
        stream.write(b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_link_stays_and_its_target_is_replaced(tmp_path: Path) -> None:
    target, link = tmp_path / "far" / "target.lnt", tmp_path / "link.lnt"
    target.parent.mkdir()
    target.write_bytes(b"old")
    link.symlink_to(target)
    with pytest.raises(FileExistsError), atomic_write(link):
        raise AssertionError("refused before any work")
    with atomic_write(link, overwrite=True) as stream:
        stream.write(b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert list(target.parent.iterdir()) == [target]


def test_a_link_to_nowhere_counts_as_existing(tmp_path: Path) -> None:
    target, link = tmp_path / "target.lnt", tmp_path / "link.lnt"
    link.symlink_to(target)
    with pytest.raises(FileExistsError), atomic_write(link):
        raise AssertionError("refused before any work")
    with atomic_write(link, overwrite=True) as stream:
        stream.write(b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_a_named_pipe_is_written_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received: list[bytes] = []
    thread = threading.Thread(target=lambda: received.append(pipe.read_bytes()))
    thread.start()
    with atomic_write(pipe) as stream:
        stream.write(b"through")
    thread.join(10)
    assert received == [b"through"]
    assert pipe.is_fifo()


def test_names_as_long_as_the_disk_allows_work(tmp_path: Path) -> None:
    path = tmp_path / ("ä" * 125 + ".lnt")  # 254 bytes
    with atomic_write(path) as stream:
        stream.write(b"x")
    assert path.read_bytes() == b"x"
