"""Pictures or clips: told by what is there, not by a name, and from pipes that give little at a time."""

import io
import struct
from pathlib import Path

import pytest
from cli_process import linnet
from clip_samples import clip_file
from PIL import Image

import linnet as package
from linnet.codec.files.lookahead import with_lookahead
from linnet.codec.video.kind import holds_clip, is_clip, is_sequence


class Trickle(io.BytesIO):
    """A pipe that gives three bytes at a time."""

    def seekable(self) -> bool:
        return False

    def read1(self, size: int | None = -1, /) -> bytes:
        return self.read(3 if size is None or size < 0 else min(3, size))


def gif(pictures: int) -> bytes:
    """Small pictures that differ."""
    first, *others = [Image.new("L", (40, 30), 50 * number) for number in range(pictures)]
    made = io.BytesIO()
    first.save(made, "GIF", save_all=True, append_images=others)
    return made.getvalue()


def test_a_file_that_exists_is_no_pattern_of_numbered_pictures(tmp_path: Path) -> None:
    name = str(tmp_path / "50%discount.png")
    assert is_sequence(name)
    Image.new("L", (40, 30)).save(name)
    assert not is_sequence(name)
    done = linnet("encode", name, "--gop", "3")
    assert done.code == 2
    assert "is a picture: --gop is for clips" in done.complaint


@pytest.mark.parametrize("pictures", [1, 2])
def test_a_gif_is_a_clip_if_it_has_two_pictures_wherever_it_comes_from(pictures: int, tmp_path: Path) -> None:
    data = gif(pictures)
    (tmp_path / "a.gif").write_bytes(data)
    piped, stored = with_lookahead(Trickle(data)), io.BytesIO(data)
    assert [is_clip(str(tmp_path / "a.gif")), is_clip(stored), is_clip(piped)] == [pictures == 2] * 3
    assert (piped.read(), stored.read()) == (data, data)


def test_a_still_gif_in_a_pipe_is_a_picture(tmp_path: Path) -> None:
    done = linnet("encode", "-", "-o", tmp_path / "a.lnt", "--gop", "3", stdin=gif(1))
    assert done.code == 2
    assert "is a picture: --gop is for clips" in done.complaint


def test_the_second_picture_of_a_gif_is_looked_for_no_further_than_it_begins() -> None:
    data = gif(2)
    piped = Trickle(data + bytes(10_000))
    assert is_clip(with_lookahead(piped))
    assert len(piped.read()) > 5_000


def test_a_gif_within_our_limits_may_be_larger_than_those_of_pillow() -> None:
    head = b"GIF89a" + struct.pack("<HHBBB", 16000, 14000, 0x80, 0, 0) + bytes(6)
    still = head + b"," + struct.pack("<HHHHB", 0, 0, 16000, 14000, 0) + b"\x02\x02\x4c\x01\0"
    assert not is_clip(io.BytesIO(still + b";"))
    assert is_clip(io.BytesIO(still + still[len(head) :] + b";"))


def test_a_pipe_that_gives_little_at_a_time_is_judged_by_all_that_is_needed() -> None:
    data = clip_file()
    piped = with_lookahead(Trickle(data))
    assert holds_clip(piped)
    assert holds_clip(piped)
    assert piped.read() == data
    assert package.verify(Trickle(data)).ok
    assert package.info(Trickle(data)).kind == "video"
