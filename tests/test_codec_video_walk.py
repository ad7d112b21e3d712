"""Frames that depend on others: sought, by number, in parts, damaged. Their kinds say what is expected."""

import io
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from bitstream_samples import chunk
from PIL import Image
from video_samples import GOP, content_of, lost_with, pan

import linnet
from linnet.bitstream import (
    ClipReader,
    ClipWriter,
    CodedFrame,
    FrameKind,
    LinnetError,
    ModelRef,
)
from linnet.bitstream.clip_frames import encode_frame
from linnet.bitstream.varint import decode_varint
from linnet.codec.frame import Samples
from linnet.codec.video.frame_decoder import FrameDecoder, Undrawn
from linnet.codec.video.walking import FrameCursor, FrameWalk

COUNT, RATE = 8, 25
SIZE = (64, 48)
Damage = Callable[[bytes, int], bytes]


@pytest.fixture(scope="module")
def clip(photo_path: Path) -> bytes:
    """Eight small frames, some of which depend on others if GOP says so."""
    made = io.BytesIO()
    with Image.open(photo_path) as photo, linnet.VideoWriter(made, rate=RATE, quality=40, gop=GOP) as video:
        for pixels in pan(photo.convert("RGB"), COUNT, SIZE):
            video.write(pixels)
    return made.getvalue()


@pytest.fixture(scope="module")
def pixels(clip: bytes) -> list[Samples]:
    """All frames, decoded one after the other."""
    with linnet.VideoReader(clip) as video:
        return [frame.pixels for frame in video]


def coded(data: bytes) -> list[CodedFrame]:
    return [item for item in ClipReader(data).items() if isinstance(item, CodedFrame)]


def key_before(data: bytes, number: int) -> int:
    return max(f.head.number for f in coded(data)[: number + 1] if f.head.kind == FrameKind.KEY)


def extent(data: bytes, number: int) -> tuple[int, int]:
    """Offsets of a frame chunk and of what stands behind it."""
    start = coded(data)[number].offset
    length, payload = decode_varint(data, start + 1)
    return start, payload + length + 4


def flipped(data: bytes, number: int) -> bytes:
    """A frame chunk with a wrong checksum."""
    _, end = extent(data, number)
    return data[: end - 9] + bytes([data[end - 9] ^ 1]) + data[end - 8 :]


def missing(data: bytes, number: int) -> bytes:
    start, end = extent(data, number)
    return data[:start] + data[end:]


def out_of_step(data: bytes, number: int) -> bytes:
    """A frame whose first tile has another hash than its integers, behind a correct checksum."""
    start, end = extent(data, number)
    frame = coded(data)[number]
    tiles = [(tile.latent_hash, tile.payload) for tile in frame.tiles]
    tiles[0] = tiles[0][0] ^ 1, tiles[0][1]
    motion = (frame.motion.hash, frame.motion.payload) if frame.motion else None
    return data[:start] + chunk(b"F", encode_frame(frame.head, tiles, motion)) + data[end:]


class CountingDecoder(FrameDecoder):
    """A decoder that notes what it is given."""

    numbers: list[int]

    def read(self, frame: CodedFrame) -> Undrawn:
        """See FrameDecoder."""
        self.numbers.append(frame.head.number)
        return super().read(frame)


def test_integers_are_decoded_while_pixels_are_made(
    clip: bytes, pixels: list[Samples], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, draw, is_second = FrameDecoder.read, FrameDecoder.draw, Event()

    def noted(decoder: FrameDecoder, frame: CodedFrame) -> Undrawn:
        found = read(decoder, frame)
        if frame.head.number == 1:
            is_second.set()
        return found

    def patient(decoder: FrameDecoder, frame: Undrawn) -> Samples:
        assert is_second.wait(30), "frame 1 was not read before frame 0 was drawn"
        return draw(decoder, frame)

    monkeypatch.setattr(FrameDecoder, "read", noted)
    monkeypatch.setattr(FrameDecoder, "draw", patient)
    linnet.decode_video(clip, tmp_path / "frame%d.png")
    assert np.array_equal(np.asarray(Image.open(tmp_path / f"frame{COUNT}.png")), pixels[-1])


def test_frames_by_number_are_those_of_the_whole_in_any_order(clip: bytes, pixels: list[Samples]) -> None:
    with linnet.VideoReader(clip) as video:
        for number in (5, 6, 2, 2, 7, 0, 3, 1, 4):
            assert np.array_equal(video[number].pixels, pixels[number]), number
        for taken, number in zip(video[1:8:3], (1, 4, 7), strict=True):
            assert taken.number == number
            assert np.array_equal(taken.pixels, pixels[number])


def test_walks_that_alternate_do_not_disturb_each_other(clip: bytes, pixels: list[Samples]) -> None:
    with linnet.VideoReader(clip) as video:
        walks = video[2:6], video.seek(4.1 / RATE), iter(video)
        for step in range(4):
            for walk, first in zip(walks, (2, 4, 0), strict=True):
                frame = next(walk)
                assert frame.number == first + step
                assert np.array_equal(frame.pixels, pixels[first + step])
            assert np.array_equal(video[6 - step].pixels, pixels[6 - step])


def test_going_forwards_decodes_each_frame_once(clip: bytes) -> None:
    reader = ClipReader(clip)
    decoder = CountingDecoder.load(reader.header, "cpu")
    assert isinstance(decoder, CountingDecoder)
    decoder.numbers = []
    cursor = FrameCursor(reader, decoder, None)
    for number in range(COUNT):
        assert cursor.frame(number)[0].head.number == number
    assert decoder.numbers == list(range(COUNT))
    for number, first in ((3, key_before(clip, 3)), (6, max(4, key_before(clip, 6)))):
        decoder.numbers.clear()
        cursor.frame(number)
        assert decoder.numbers == list(range(first, number + 1))


def test_seeking_shows_the_frame_of_that_time_and_all_behind_it(clip: bytes, pixels: list[Samples]) -> None:
    with linnet.VideoReader(clip) as video:
        for number in range(COUNT):
            for late in (0, 0.4):
                frames = list(islice(video.seek((number + late) / RATE), 2))
                assert [frame.number for frame in frames] == [number, number + 1][: COUNT - number]
                assert np.array_equal(frames[0].pixels, pixels[number])
        assert [frame.number for frame in video.seek(5 / RATE)] == [5, 6, 7]
        assert next(video.seek(-1)).number == 0
        assert [frame.number for frame in video.seek(99)] == [COUNT - 1]


def test_a_part_is_that_of_the_whole(clip: bytes, tmp_path: Path) -> None:
    linnet.decode_video(clip, tmp_path / "all.mkv", video_codec="ffv1")
    result = linnet.decode_video(
        clip, tmp_path / "part.mkv", video_codec="ffv1", start=3 / RATE, end=6 / RATE
    )
    assert (result.frames, result.lost, result.damage) == (3, 0, [])
    every, part = content_of(tmp_path / "all.mkv").pixels, content_of(tmp_path / "part.mkv").pixels
    assert all(np.array_equal(a, b) for a, b in zip(every[3:6], part, strict=True))


@pytest.mark.parametrize(
    ("damaged", "number"),
    [(flipped, 0), (missing, 0), (flipped, 2), (missing, 5), (out_of_step, 5), (out_of_step, COUNT - 1)],
)
def test_damage_costs_a_frame_and_those_that_depend_on_it(
    damaged: Damage, number: int, clip: bytes, pixels: list[Samples]
) -> None:
    data, lost = damaged(clip, number), lost_with(coded(clip), number)
    with pytest.raises(LinnetError), linnet.VideoReader(data) as video:
        list(video)
    damage: list[LinnetError] = []
    with linnet.VideoReader(data, on_damage=damage.append) as video:
        shown = list(video)
        told = [str(error) for error in damage]
        for wanted in (lost[0], lost[-1]):
            with pytest.raises(linnet.CorruptFileError, match=f"frame {wanted} is lost"):
                video[wanted]
        sliced = [frame.number for frame in video[0:COUNT]]
    kept = [each for each in range(COUNT) if each not in lost]
    assert [frame.number for frame in shown] == sliced == kept
    assert all(np.array_equal(frame.pixels, pixels[frame.number]) for frame in shown)
    assert len(told) == min(len(lost), 2)
    assert all(text.startswith(f"frame {number + 1} and those behind it") for text in told[1:])


@pytest.mark.parametrize("damaged", [flipped, missing, out_of_step])
def test_a_partial_decode_counts_what_is_lost(damaged: Damage, clip: bytes, tmp_path: Path) -> None:
    data, lost = damaged(clip, 2), lost_with(coded(clip), 2)
    result = linnet.decode_video(data, tmp_path / "a.mkv", video_codec="ffv1", allow_partial=True)
    assert (result.frames, result.lost) == (COUNT - len(lost), len(lost))
    assert len(result.damage) == min(len(lost), 2)


@pytest.mark.parametrize(
    ("damaged", "number", "start", "end"),
    [(flipped, 0, 1, 5), (missing, 4, 4, 8), (flipped, 4, 5, 7), (missing, 4, 5, 7), (missing, 3, 3, 7)],
)
def test_a_part_counts_what_is_lost_of_it(
    damaged: Damage, number: int, start: int, end: int, clip: bytes, tmp_path: Path
) -> None:
    lost = set(lost_with(coded(clip), number)) & set(range(start, end))
    part = {"start": start / RATE, "end": end / RATE, "video_codec": "ffv1", "allow_partial": True}
    result = linnet.decode_video(damaged(clip, number), tmp_path / "a.mkv", **part)
    assert (result.frames, result.lost) == (end - start - len(lost), len(lost))


def test_a_cut_clip_plays_to_its_last_whole_frame(clip: bytes, pixels: list[Samples]) -> None:
    for number in (1, COUNT - 1):
        start, end = extent(clip, number)
        for length in (start + 1, end - 1):
            damage: list[LinnetError] = []
            with linnet.VideoReader(clip[:length], on_damage=damage.append) as video:
                shown = [frame.pixels for frame in video]
            assert [type(error) for error in damage] == [linnet.TruncatedError]
            assert all(np.array_equal(a, b) for a, b in zip(shown, pixels[:number], strict=True))


def test_a_full_verify_walks_in_order_and_names_the_frame(clip: bytes) -> None:
    assert linnet.verify(clip, full=True).frames == COUNT
    broken = out_of_step(clip, 4)
    assert linnet.verify(broken).frames == COUNT
    with pytest.raises(linnet.ModelMismatchError, match="frame 4: tile 0 has hash"):
        linnet.verify(broken, full=True)


@pytest.mark.parametrize("number", [COUNT - 1, GOP])
def test_verify_misses_a_frame_that_is_gone_without_a_trace(clip: bytes, number: int) -> None:
    start, end = extent(clip, number)
    with pytest.raises(linnet.CorruptFileError, match=r"missing|frame 4 comes where frame 3 should"):
        linnet.verify(clip[:start] + clip[end:])


@pytest.fixture(scope="module")
def unknown(photo_path: Path) -> bytes:
    """Key frames as a clip of format 1.2, where all but 0, 3 and 6 claim to be of a model that nobody has."""
    still, made = io.BytesIO(), io.BytesIO()
    with Image.open(photo_path) as photo, linnet.VideoWriter(still, rate=RATE, gop=1) as video:
        for pixels in pan(photo.convert("RGB"), COUNT, SIZE):
            video.write(pixels)
    header = ClipReader(still.getvalue()).header
    writer = ClipWriter(made, replace(header, minor=2, inter=ModelRef(2**31 - 1, b"nowhere!")))
    for frame in coded(still.getvalue()):
        kind = FrameKind.INTER if frame.head.number % 3 else FrameKind.KEY
        tiles = [(tile.latent_hash, tile.payload) for tile in frame.tiles]
        writer.write_frame(replace(frame.head, kind=kind), tiles, (0, b"") if kind else None)
    writer.finish()
    return made.getvalue()


def test_a_clip_whose_inter_model_is_not_here_is_described_and_not_shown(unknown: bytes) -> None:
    found = linnet.info(unknown).video
    assert found is not None
    assert (found.frames, found.key_frames, found.gop) == (COUNT, 3, 3)
    assert (found.inter_model, found.inter_wire_id) == (None, 2**31 - 1)
    assert linnet.verify(unknown).frames == COUNT
    with pytest.raises(linnet.ModelMismatchError, match="the file needs model 2147483647"):
        linnet.verify(unknown, full=True)
    with pytest.raises(linnet.ModelMismatchError, match="the file needs model 2147483647"):
        list(linnet.VideoReader(unknown))


def test_an_inter_frame_needs_the_frame_before_it(unknown: bytes) -> None:
    frames, header = coded(unknown), ClipReader(unknown).header
    decoder = FrameDecoder.load(replace(header, minor=1, inter=None), "cpu")
    for act in (decoder.decode, decoder.read):
        with pytest.raises(linnet.CorruptFileError, match="frame 2 is lost: it depends on frame 1") as caught:
            act(frames[2])
        assert caught.value.offset == frames[2].offset
        act(frames[3])
        assert decoder.can_decode(frames[4])
        assert not decoder.can_decode(frames[5])
        decoder.reset()
        assert not decoder.can_decode(frames[4])
    damage: list[LinnetError] = []
    walk = FrameWalk(decoder, damage.append)
    shown = [frame.head.number for frame in frames[1:4] if walk.decode(frame) is not None]
    assert shown == [3]
    assert [str(error)[:45] for error in damage] == ["frame 1 and those behind it, up to the next k"]


def test_a_frame_at_a_wrong_time_leaves_no_trace(photo: Image.Image, clip: bytes) -> None:
    made = io.BytesIO()
    with linnet.VideoWriter(made, rate=RATE, quality=40, gop=GOP) as video:
        for number, pixels in enumerate(pan(photo, COUNT, SIZE)):
            if number:
                with pytest.raises(ValueError, match="the one before at"):
                    video.write(255 - pixels, time=0)
            video.write(pixels)
    assert made.getvalue() == clip


def test_key_frames_come_at_least_as_often_as_asked(photo: Image.Image) -> None:
    for gop in (1, 2, 64):
        made = io.BytesIO()
        with linnet.VideoWriter(made, gop=gop) as video:
            for pixels in pan(photo, 3, SIZE):
                video.write(pixels)
        found = linnet.info(made.getvalue())
        assert found.video is not None
        assert found.video.gop <= gop
        assert (found.format_version == "1.1") == (found.video.inter_wire_id is None)
        if gop == 1:
            assert found.format_version == "1.1"
    with pytest.raises(ValueError, match="gop must be at least 1"):
        linnet.VideoWriter(io.BytesIO(), gop=0)
