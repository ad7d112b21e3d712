"""Input that is no image: one clear error that names it, of our own types."""

import errno
import io
import os
import random
import subprocess
import sys
import warnings
from contextlib import suppress
from pathlib import Path

import pytest
from media_samples import deep_photo, saved
from PIL import Image

from linnet.bitstream import LimitExceededError
from linnet.codec.errors import UnreadableImageError
from linnet.codec.image.deep import encode_deep
from linnet.codec.image.loading import load_image
from linnet.codec.image.tiff import encode_tiff

FORMATS = ["PNG", "JPEG", "WEBP", "AVIF", "TIFF", "PPM", "BMP", "GIF", "deep PNG", "deep TIFF", "deep PPM"]


def small_file(photo: Image.Image, form: str) -> bytes:
    """A file of some kilobytes in the format."""
    if form.startswith("deep"):
        samples = deep_photo(photo, 3)[:48, :64]
        return (
            encode_tiff(samples, None, None, None)
            if form == "deep TIFF"
            else encode_deep(samples, form[5:].lower())
        )
    return saved(photo.crop((200, 100, 264, 148)), form)


def read(data: bytes) -> None:
    """Decode without what Pillow says about odd tags."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        load_image(data)


@pytest.mark.parametrize("form", FORMATS)
def test_truncated_files_are_refused(photo: Image.Image, form: str) -> None:
    data = small_file(photo, form)
    for cut in {1, 2, 4, 8, 11, 16, 24, 40, len(data) // 4, len(data) // 2, len(data) * 3 // 4}:
        with pytest.raises(UnreadableImageError, match="the data cannot be read as an image"):
            read(data[:cut])


@pytest.mark.parametrize("form", FORMATS)
def test_damage_gives_a_picture_or_our_own_error(photo: Image.Image, form: str) -> None:
    data = small_file(photo, form)
    dice = random.Random(form)
    for _ in range(120):
        broken = bytearray(data)
        for _ in range(dice.choice((1, 1, 4, 40))):
            # Mostly in the headers, where the fields are that mislead decoders.
            broken[dice.randrange(min(len(data), dice.choice((40, 200, len(data)))))] = dice.randrange(256)
        with suppress(UnreadableImageError, LimitExceededError):
            read(bytes(broken))


@pytest.mark.parametrize("form", FORMATS)
def test_garbage_behind_a_good_signature_is_refused(photo: Image.Image, form: str) -> None:
    garbage = random.Random(form).randbytes(2000)
    with pytest.raises(UnreadableImageError, match="cannot be read as an image"):
        read(small_file(photo, form)[:12] + garbage)


@pytest.mark.parametrize(("content", "message"), [
    (b"", "it is empty"),
    (b"Dear diary, nothing happened today.\n", "it starts with b'Dear diary, noth'; expected one of PNG"),
    (b"%PDF-1.7 and more of it", "it starts with b'%PDF"),
    (b"\x89LNT\r\n\x1a\n and so on", "it is a Linnet file already"),
    (b"\0\0\0\x18ftypheic and so on", "of the brand 'heic'"),
    (b"P", "cannot be read"),
])  # fmt: skip
def test_other_files_are_refused_by_what_they_are(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(content)
    with pytest.raises(UnreadableImageError, match=message) as caught:
        load_image(path)
    assert str(path) in str(caught.value)
    with pytest.raises(UnreadableImageError, match=message):
        load_image(content)


def test_a_directory_is_the_systems_error(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError) as caught:
        load_image(tmp_path)
    assert str(caught.value.filename) == str(tmp_path)


def test_a_missing_file_is_the_systems_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        load_image(tmp_path / "none.png")
    assert str(caught.value.filename) == str(tmp_path / "none.png")


class FailingDisk(io.BytesIO):
    """A stream whose disk fails behind the first kilobyte."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() + (size if size is not None and size >= 0 else 2**30) > 1024:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().read(size)


@pytest.mark.parametrize("form", FORMATS)
def test_a_failing_disk_is_not_blamed_on_the_image(photo: Image.Image, form: str) -> None:
    with pytest.raises(OSError, match="Input/output error") as caught:
        load_image(FailingDisk(small_file(photo, form)))
    assert caught.value.errno == errno.EIO


def test_nothing_but_libtiff_writes_to_stderr(photo: Image.Image, tmp_path: Path) -> None:
    code = (
        "import sys, warnings; warnings.simplefilter('ignore')\n"
        "from linnet.codec.image.loading import load_image\n"
        "for path in sys.argv[1:]:\n"
        "    try: load_image(path)\n"
        "    except ValueError as error: print(error)\n"
    )
    paths = []
    for form in FORMATS:
        data = small_file(photo, form)
        paths.append(tmp_path / form)
        paths[-1].write_bytes(data[: len(data) // 2])
    command = [sys.executable, "-c", code, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.count("cannot be read as an image") == len(FORMATS)
    # libtiff prints on its own, and Pillow gives no handle to stop it.
    assert [line for line in done.stderr.splitlines() if not line.startswith("TIFF")] == []
