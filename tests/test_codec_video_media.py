"""What media files ask of those who read and write them: sound, edits, durations, rates, colours, numbers."""

import io
import struct
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import clip_samples as samples
import numpy as np
import pytest
from PIL import Image
from video_samples import STEADY, TICK, Shape, content_of, make_clip, pan

import linnet
from linnet.bitstream import ClipFormat, Sampling
from linnet.bitstream.clip_packets import Packet, PacketGroup
from linnet.bitstream.header import Colour
from linnet.codec.errors import MediaWarning, UnreadableMediaError
from linnet.codec.video.containers import find_container
from linnet.codec.video.demuxer import SourcePacket
from linnet.codec.video.sink import MediaSink
from linnet.codec.video.source import MediaSource
from linnet.codec.video.timed_frame import TimedFrame

SLIDES = (0, 12800, 13312, 13824, 38400)  # at 0, 1, 1.04, 1.08 and 3 s
CLICK_S = 1.0


def copied(source: Path | str, dest: Path) -> None:
    """What encode and decode do to media, without the networks between them."""
    with MediaSource(source) as given, dest.open("wb") as stream:
        header = replace(
            samples.header(given.width, given.height),
            orientation=given.orientation,
            colour=given.colour,
            bit_depth=given.bit_depth,
            clip=given.clip,
        )
        sink = MediaSink(stream, find_container(dest.suffix), None, header, given.streams, given.tags)
        for item in given.items():
            if isinstance(item, SourcePacket):
                sink.write_packets(PacketGroup(item.stream, [item.packet]))
            else:
                sink.write(item.pixels, item.time, item.duration)
        sink.finish()


def frames_of(source: Path | str, partial: bool = False) -> list[TimedFrame]:
    with MediaSource(source, partial=partial) as given:
        return [item for item in given.items() if isinstance(item, TimedFrame)]


@pytest.mark.parametrize(
    ("sound", "suffix", "kept"),
    [
        ("pcm_s16le", "mp4", False),
        ("pcm_s16le", "mov", True),
        ("pcm_s16le", "avi", True),
        ("aac", "avi", False),
        ("aac", "webm", False),
        ("flac", "mov", False),
        ("flac", "mkv", True),
    ],
)
def test_sound_that_a_container_does_not_take_is_left_out_and_said_so(
    photo: Image.Image, tmp_path: Path, sound: str, suffix: str, kept: bool
) -> None:
    source = make_clip(tmp_path / "a.mkv", photo, STEADY[:3], Shape(sound=sound))
    dest = tmp_path / f"b.{suffix}"
    if kept:
        copied(source, dest)
        before, after = content_of(source).packets, content_of(dest).packets
        assert b"".join(data for _, data in after) == b"".join(data for _, data in before)
    else:
        with pytest.warns(MediaWarning, match=rf"the audio \({sound}\) is left out: .*, mkv may"):
            copied(source, dest)
        assert not content_of(dest).packets
    assert len(content_of(dest).times) == 3


def test_a_packet_that_cannot_be_written_is_blamed_on_the_sound(photo: Image.Image, tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mp4", photo, STEADY[:3])
    with MediaSource(source) as given:
        packet = next(item.packet for item in given.items() if isinstance(item, SourcePacket))
        header = replace(samples.header(given.width, given.height), orientation=1, clip=given.clip)
        sink = MediaSink(io.BytesIO(), find_container("mp4"), None, header, given.streams, {})
        backwards = [replace(packet, time=time, decode_time=time) for time in (9000, 5)]
        with pytest.raises(ValueError, match=r"cannot hold a packet of its audio \(aac\) .+ try mkv"):
            sink.write_packets(PacketGroup(0, backwards))


def test_mp4_and_mov_go_into_a_pipe(photo: Image.Image, tmp_path: Path) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    source = make_clip(tmp_path / "a.mp4", photo, STEADY[:3])
    linnet.encode_video(source, tmp_path / "a.lnt", quality=5, gop=1)
    for suffix in ("mp4", "mov"):
        pipe = Pipe()
        linnet.decode_video(tmp_path / "a.lnt", pipe, format=suffix)
        (tmp_path / f"b.{suffix}").write_bytes(pipe.getvalue())
        assert content_of(tmp_path / f"b.{suffix}").times == [time * TICK for time in STEADY[:3]]


def edited(path: Path, begin: int, length_ms: int) -> None:
    """Write into an MP4 that only a part of its video is shown; times from `begin` on, in its ticks."""
    data = bytearray(path.read_bytes())
    place = data.find(b"elst") + 12
    _, media = struct.unpack(">Ii", data[place : place + 8])
    struct.pack_into(">Ii", data, place, length_ms, media + begin)
    path.write_bytes(data)


@pytest.mark.parametrize(("begin", "kept"), [(0, slice(0, 4)), (4 * 512, slice(4, 8))])
def test_a_clip_trimmed_by_an_edit_list_is_what_it_shows(
    photo: Image.Image, tmp_path: Path, begin: int, kept: slice
) -> None:
    path = make_clip(tmp_path / "a.mp4", photo, STEADY, Shape(sound=None))
    whole = frames_of(path)
    edited(path, begin, 160)
    part = frames_of(path)
    assert len(part) == 4
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(part, whole[kept], strict=True))


def stated_s(path: Path) -> float:
    """How long a file says it is; of an MP4 FFmpeg itself tells what comes of the order of decoding."""
    if path.suffix != ".mp4":
        with av.open(path) as file:
            return (file.duration or 0) / 1e6
    data = path.read_bytes()
    units_per_s, units = struct.unpack_from(">II", data, data.find(b"mvhd") + 16)
    return units / units_per_s


def test_durations_lie_between_times_and_the_last_one_is_kept(photo: Image.Image, tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mp4", photo, SLIDES, Shape(sound=None))  # B-frames: other order
    found = frames_of(source)
    gaps = [after - before for before, after in pairwise(SLIDES)]
    assert [frame.duration for frame in found][:-1] == gaps
    for suffix in ("mkv", "webm", "mp4"):
        header = replace(
            samples.header(64, 48), orientation=1, clip=ClipFormat(tick=TICK, sampling=Sampling.YUV420)
        )
        with (tmp_path / f"b.{suffix}").open("wb") as stream:
            sink = MediaSink(stream, find_container(suffix), None, header, (), {})
            for time, duration in ((0, 12800), (12800, 512), (13312, 4 * 12800)):
                sink.write(np.full((48, 64, 3), time % 255, np.uint8), time, duration)
            sink.finish()
        assert stated_s(tmp_path / f"b.{suffix}") == pytest.approx(5.04, abs=0.002)


@pytest.mark.parametrize("suffix", ["y4m", "avi"])
def test_at_a_constant_rate_frames_stand_where_they_belong(
    photo: Image.Image, tmp_path: Path, suffix: str
) -> None:
    times = [0, *(10.0 + n / 50 for n in range(20)), 12.0]  # two a second, but for a burst
    with linnet.VideoWriter(tmp_path / "a.lnt", rate=2, tick=TICK, quality=5, gop=1) as clip:
        for number, time in enumerate(times):
            clip.write(np.full((48, 64, 3), 10 * number, np.uint8), Fraction(time).limit_denominator(100))
    with pytest.warns(MediaWarning, match="faster than 2 a second, .* some are left out, from 10.02 s on"):
        linnet.decode_video(tmp_path / "a.lnt", tmp_path / f"b.{suffix}")
    shown = [round(float(frame.mean()) / 10) for frame in content_of(tmp_path / f"b.{suffix}").pixels]
    assert shown[:20] == [0] * 20
    assert 1 <= shown[20] <= 3
    assert shown.index(21) in (24, 25)


def test_an_avi_begins_with_the_sound_where_that_is_first(photo: Image.Image, tmp_path: Path) -> None:
    late = [time + 6400 for time in STEADY]
    source = make_clip(tmp_path / "a.mkv", photo, late, Shape(sound="pcm_s16le"))
    linnet.encode_video(source, tmp_path / "a.lnt", quality=5, gop=1)
    linnet.decode_video(tmp_path / "a.lnt", tmp_path / "b.avi")
    assert len(content_of(tmp_path / "b.avi").times) == pytest.approx(8 + 0.5 * 25, abs=1)


def test_a_frame_is_found_by_its_time_however_late(tmp_path: Path) -> None:
    with linnet.VideoWriter(tmp_path / "a.lnt", tick=Fraction(1, 30000), quality=5, gop=1) as clip:
        for number in range(8):
            clip.write(np.full((48, 64, 3), 20 * number, np.uint8), Fraction(1001 * (36_000 + number), 30000))
    with linnet.VideoReader(tmp_path / "a.lnt") as video:
        for frame in list(video):
            assert next(video.seek(frame.time)).number == frame.number
            part = linnet.decode_video(tmp_path / "a.lnt", io.BytesIO(), format="mkv", start=frame.time)
            assert part.frames == 8 - frame.number


@pytest.mark.parametrize(
    ("start", "end", "times"), [(0.5, None, [0, 0.5, 1.5]), (1.2, 1.9, [0]), (2.5, None, [0])]
)
def test_a_part_begins_with_what_is_on_the_screen(
    tmp_path: Path, start: float, end: float | None, times: Sequence[float]
) -> None:
    with linnet.VideoWriter(tmp_path / "a.lnt", rate=1, tick=TICK, quality=5, gop=1) as clip:
        for number in range(3):
            clip.write(np.full((48, 64, 3), 60 * number, np.uint8))
    linnet.decode_video(tmp_path / "a.lnt", tmp_path / "b.mkv", start=start, end=end)
    assert content_of(tmp_path / "b.mkv").times == [Fraction(time) for time in times]


def numbered(folder: Path, numbers: Sequence[int], mode: str = "RGB") -> str:
    """Pictures of these numbers, each with a ramp from black to white; the pattern of their names."""
    ramp = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (48, 1))
    for number in numbers:
        Image.fromarray(ramp).convert(mode).save(folder / f"f{number:03d}.png")
    return str(folder / "f%03d.png")


def test_a_number_that_is_missing_is_named(tmp_path: Path) -> None:
    assert len(frames_of(numbered(tmp_path, (1, 2, 3)))) == 3
    (tmp_path / "f5.png").write_bytes(b"")  # not a name of the pattern
    assert len(frames_of(str(tmp_path / "f%03d.png"))) == 3
    pattern = numbered(tmp_path, (1, 2, 3, 5, 6))
    with pytest.raises(UnreadableMediaError, match=r"f004.png is missing, f003.png and f005.png are there"):
        frames_of(pattern)
    with pytest.warns(MediaWarning, match="those before are used"):
        assert len(frames_of(pattern, partial=True)) == 3


def test_pictures_of_a_clip_are_all_there_or_none(tmp_path: Path, photo: Image.Image) -> None:
    with linnet.VideoWriter(tmp_path / "a.lnt", rate=25, quality=5, gop=1) as clip:
        for pixels in pan(photo, 5):
            clip.write(pixels)
    data = bytearray((tmp_path / "a.lnt").read_bytes())
    data[len(data) * 3 // 5] ^= 1
    names = str(tmp_path / "p%02d.png")
    with pytest.raises(linnet.FormatError):
        linnet.decode_video(bytes(data), names)
    assert not list(tmp_path.glob("p*.png"))
    (tmp_path / "p04.png").write_bytes(b"precious")
    for start in (None, 0.0):  # the number of frames is known, and unknown
        with pytest.raises(FileExistsError):
            linnet.decode_video(tmp_path / "a.lnt", names, start=start)
        assert [path.name for path in tmp_path.glob("p*.png")] == ["p04.png"]
    assert linnet.decode_video(tmp_path / "a.lnt", names, overwrite=True).frames == 5
    assert len(list(tmp_path.glob("p*.png"))) == 5


def test_grey_is_full_range_whatever_it_says(tmp_path: Path) -> None:
    pattern = numbered(tmp_path, (1, 2), "L")
    first = frames_of(pattern)[0].pixels
    for suffix in ("mp4", "mkv", "y4m"):
        copied(pattern, tmp_path / f"b.{suffix}")
        shown = content_of(tmp_path / f"b.{suffix}").pixels[0][..., :1]
        assert np.abs(shown.astype(int) - first).max() <= 4
    with av.open(str(tmp_path / "c.mkv"), "w") as file:
        video = file.add_stream("ffv1", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "gray"
        video.codec_context.color_range = 1  # limited
        frame = av.VideoFrame.from_ndarray(np.full((48, 64), 126, np.uint8), format="gray")
        frame.color_range = 1
        file.mux(video.encode(frame))
        file.mux(video.encode(None))
    with MediaSource(tmp_path / "c.mkv") as given:
        assert given.colour == Colour.GREY
    assert np.unique(frames_of(tmp_path / "c.mkv")[0].pixels).tolist() == [128]


def test_rgb_becomes_yuv_of_a_matrix_that_is_stated(tmp_path: Path) -> None:
    green = np.tile(np.array([0, 200, 0], np.uint8), (48, 64, 1))
    with linnet.VideoWriter(tmp_path / "a.lnt", rate=25, quality=90, gop=1) as clip:
        clip.write(green)
    linnet.decode_video(tmp_path / "a.lnt", tmp_path / "b.mp4")
    with av.open(tmp_path / "b.mp4") as file:
        assert int(next(file.decode(video=0)).colorspace) == 1
    for suffix in ("mp4", "y4m"):
        linnet.decode_video(tmp_path / "a.lnt", tmp_path / f"b.{suffix}", overwrite=True)
        shown = content_of(tmp_path / f"b.{suffix}").pixels[0]
        assert np.abs(shown.reshape(-1, 3).mean(0) - green[0, 0]).max() < 4


def test_packets_that_make_no_sense_are_damage_that_can_be_passed_over(
    photo: Image.Image, tmp_path: Path
) -> None:
    clip = make_clip(tmp_path / "a.mkv", photo)
    told: list[Exception] = []
    with MediaSource(clip) as given:
        header = replace(samples.header(given.width, given.height), clip=given.clip)
        for on_damage in (None, told.append):
            sink = MediaSink(io.BytesIO(), find_container("mkv"), None, header, given.streams, {}, on_damage)
            late = Packet(data=b"x" * 40, time=9000, decode_time=9000)
            sink.write_packets(PacketGroup(0, [late]))
            earlier = PacketGroup(0, [replace(late, time=10, decode_time=10)])
            if on_damage is None:
                with pytest.raises(linnet.CorruptFileError, match=r"packet of its audio .+ makes no sense"):
                    sink.write_packets(earlier)
            else:
                sink.write_packets(earlier)
    assert len(told) == 1
