"""A clip with inter frames, damaged at random: what is shown is right, what is missing is reported."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from video_samples import drifting

import linnet
from linnet.bitstream import LinnetError
from linnet.codec.frame import Samples

COUNT, GROUP = 12, 5
SIZE = (48, 32)
Damage = Callable[[bytes, int, np.random.Generator], bytes]


@pytest.fixture(scope="module")
def clip(photo_path: Path) -> bytes:
    """Twelve small frames in groups of five."""
    made = io.BytesIO()
    with Image.open(photo_path) as photo, linnet.VideoWriter(made, quality=40, gop=GROUP) as video:
        for pixels in drifting(photo.convert("RGB"), COUNT, SIZE):
            video.write(pixels)
    return made.getvalue()


@pytest.fixture(scope="module")
def pixels(clip: bytes) -> list[Samples]:
    """All frames of the undamaged clip."""
    with linnet.VideoReader(clip) as video:
        return [frame.pixels for frame in video]


def flipped(data: bytes, place: int, draw: np.random.Generator) -> bytes:
    """Another byte at the place."""
    return data[:place] + bytes([data[place] ^ int(draw.integers(1, 256))]) + data[place + 1 :]


def overwritten(data: bytes, place: int, draw: np.random.Generator) -> bytes:
    """Up to 300 other bytes from the place on."""
    count = min(int(draw.integers(2, 300)), len(data) - place)
    return data[:place] + draw.bytes(count) + data[place + count :]


def shortened(data: bytes, place: int, draw: np.random.Generator) -> bytes:
    """Without up to 300 bytes behind the place."""
    return data[:place] + data[place + int(draw.integers(1, 300)) :]


def cut(data: bytes, place: int, _: np.random.Generator) -> bytes:
    """Without all behind the place."""
    return data[:place]


def shown_of(data: bytes, pixels: Sequence[Samples], damage: list[LinnetError]) -> list[int]:
    """Numbers of the frames that can be seen, each of which must be right."""
    shown = []
    with linnet.VideoReader(data, on_damage=damage.append) as video:
        for frame in video:
            assert np.array_equal(frame.pixels, pixels[frame.number])
            shown.append(frame.number)
    return shown


@pytest.mark.parametrize("damaged", [flipped, overwritten, shortened, cut])
def test_a_clip_damaged_anywhere_shows_right_frames_and_reports_the_rest(
    damaged: Damage, clip: bytes, pixels: list[Samples], tmp_path: Path
) -> None:
    draw = np.random.default_rng(11)
    partial = 0
    for place in draw.integers(0, len(clip), 8).tolist():
        data = damaged(clip, place, draw)
        with pytest.raises(LinnetError):
            linnet.verify(data)
        with pytest.raises(LinnetError), linnet.VideoReader(data) as video:
            list(video)
        damage: list[LinnetError] = []
        try:
            shown = shown_of(data, pixels, damage)
        except LinnetError:  # the front is damaged: nothing can be read without it
            continue
        assert damage
        if not shown:
            continue
        result = linnet.decode_video(data, tmp_path / f"{place}.y4m", allow_partial=True)
        assert result.frames == len(shown)
        assert result.frames + result.lost in (shown[-1] + 1, COUNT)
        partial += 0 < len(shown) < COUNT
    assert partial >= 3
