"""Clips through the library: exact times, sound bit for bit, seeking, damage, other shapes of samples."""

import io
import tracemalloc
import warnings
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from video_samples import GOP, STEADY, TICK, UNEVEN, Shape, content_of, lost_with, make_clip, pan

import linnet
from linnet.bitstream import (
    ClipReader,
    ClipWriter,
    CodedFrame,
    FrameHead,
    FrameKind,
    LinnetError,
    Media,
    Packet,
    PacketGroup,
    Sampling,
    Siting,
    Stream,
)
from linnet.bitstream.varint import decode_varint
from linnet.codec.errors import MediaWarning, UnreadableImageError
from linnet.codec.video.kind import is_clip
from linnet.codec.video.packet_queue import PacketQueue

SECONDS = [time * TICK for time in STEADY]


@pytest.fixture(scope="module")
def folder(photo_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """a.mp4 and what Linnet makes of it, a.lnt."""
    folder = tmp_path_factory.mktemp("clips")
    with Image.open(photo_path) as photo:
        make_clip(folder / "a.mp4", photo.convert("RGB"), shape=Shape(tags=(("title", "Pan"),)))
    linnet.encode_video(folder / "a.mp4", folder / "a.lnt", quality=70, gop=GOP)
    return folder


def psnr_db(first: np.ndarray, second: np.ndarray) -> float:
    error = np.mean((first.astype(np.float64) - second) ** 2)
    return float(10 * np.log10(np.iinfo(first.dtype).max ** 2 / max(error, 1e-9)))


def frames_of(data: bytes, damage: list[LinnetError] | None = None) -> list[CodedFrame]:
    told = None if damage is None else damage.append
    return [item for item in ClipReader(data).items(told) if isinstance(item, CodedFrame)]


def frame_places(data: bytes) -> list[int]:
    """Offsets of the frame chunks."""
    return [frame.offset for frame in frames_of(data)]


def frame_ends(data: bytes) -> list[int]:
    """Offsets behind the frame chunks."""
    lengths = [decode_varint(data, place + 1) for place in frame_places(data)]
    return [start + length + 4 for length, start in lengths]


def test_a_clip_comes_back_with_its_times_its_picture_and_its_sound_bit_for_bit(folder: Path) -> None:
    linnet.decode_video(folder / "a.lnt", folder / "back.mp4")
    source, back = content_of(folder / "a.mp4"), content_of(folder / "back.mp4")
    assert source.times == back.times == SECONDS
    assert source.packets == back.packets
    assert len(source.packets) > 10
    assert min(psnr_db(a, b) for a, b in zip(source.pixels, back.pixels, strict=True)) > 33
    with av.open(folder / "back.mp4") as file:
        assert file.metadata["title"] == "Pan"
        assert file.streams.audio[0].language == "deu"


def test_uneven_times_stay_as_they_are(folder: Path, photo: Image.Image) -> None:
    make_clip(folder / "uneven.mov", photo, UNEVEN, Shape(sound=None))
    linnet.encode_video(folder / "uneven.mov", folder / "uneven.lnt")
    linnet.decode_video(folder / "uneven.lnt", folder / "uneven.back.mov", video_codec="hevc")
    assert content_of(folder / "uneven.back.mov").times == [time * TICK for time in UNEVEN]
    with linnet.VideoReader(folder / "uneven.lnt") as video:
        assert [frame.ticks for frame in video] == list(UNEVEN)


def test_turning_sample_shape_colours_and_depth_are_kept(folder: Path, photo: Image.Image) -> None:
    shape = Shape("yuv422p10le", rotation=90, aspect=Fraction(16, 15), colours=(2, 9, 16, 9), sound=None)
    make_clip(folder / "odd.mp4", photo, STEADY[:2], shape)
    linnet.encode_video(folder / "odd.mp4", folder / "odd.lnt", quality=80)
    found = linnet.info(folder / "odd.lnt")
    assert (found.width, found.height, found.orientation, found.bit_depth) == (64, 96, 8, 16)
    assert found.video is not None
    assert (found.video.sampling, found.video.depth, found.video.aspect) == ("yuv422", 10, "16/15")
    linnet.decode_video(folder / "odd.lnt", folder / "odd.back.mp4")
    shown = []
    for name in ("odd.mp4", "odd.back.mp4"):
        with av.open(folder / name) as file:
            frame = next(file.decode(video=0))
            tags = frame.rotation, frame.format.name, frame.color_range, frame.colorspace
            shown.append(
                (*tags, frame.color_trc, frame.color_primaries, file.streams.video[0].sample_aspect_ratio)
            )
    assert shown[0] == shown[1] == (90, "yuv422p10le", 2, 9, 16, 9, Fraction(16, 15))
    with linnet.VideoReader(folder / "odd.lnt") as video:
        assert video[0].pixels.shape == (96, 64, 3)
        assert video[0].pixels.dtype == np.uint16


@pytest.mark.parametrize(
    ("pixels", "codec", "suffix", "sampling"),
    [
        ("gray", "ffv1", "mkv", Sampling.GREY),
        ("yuv444p", "libx264", "mp4", Sampling.YUV444),
        ("bgra", "ffv1", "mkv", Sampling.RGB),
        ("yuv420p10le", "ffv1", "mkv", Sampling.YUV420),
    ],
)
def test_every_shape_of_samples_comes_back_as_it_was(
    pixels: str, codec: str, suffix: str, sampling: Sampling, folder: Path, photo: Image.Image
) -> None:
    path = make_clip(folder / f"{pixels}.{suffix}", photo, STEADY[:2], Shape(pixels, codec, sound=None))
    made = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MediaWarning)  # bgra has an alpha plane
        linnet.encode_video(path, made, quality=90)
    clip = ClipReader(made.getvalue()).clip
    assert clip.sampling is sampling
    back = folder / f"{pixels}.back.mkv"
    linnet.decode_video(made.getvalue(), back, video_codec="ffv1")
    with av.open(back) as file:
        form = next(file.decode(video=0)).format.name
    assert form == {"bgra": "bgr0"}.get(pixels, pixels)
    assert psnr_db(content_of(path).pixels[1], content_of(back).pixels[1]) > 36


def test_where_colour_samples_lie_is_found_and_kept(folder: Path) -> None:
    linnet.decode_video(folder / "a.lnt", folder / "a.y4m", end=0.05)
    made = io.BytesIO()
    linnet.encode_video(folder / "a.y4m", made)
    assert ClipReader((folder / "a.lnt").read_bytes()).clip.siting is Siting.LEFT
    assert ClipReader(made.getvalue()).clip.siting is Siting.CENTER


def test_a_part_begins_at_zero_with_its_sound_in_step(folder: Path) -> None:
    linnet.decode_video(folder / "a.lnt", folder / "part.mp4", start=0.1, end=0.25)
    source, part = content_of(folder / "a.mp4"), content_of(folder / "part.mp4")
    start = Fraction(1, 10)  # where the frame before the first that begins in the part is still shown
    assert part.times == [0, *(time - start for time in SECONDS[3:7])]
    wanted = [(time, data) for time, data in source.packets if time is not None and 0.1 <= time < 0.25]
    assert part.packets == [(pytest.approx(time - start, abs=1 / 48000), data) for time, data in wanted]


def test_frames_by_number_slice_and_time(folder: Path) -> None:
    with linnet.VideoReader(folder / "a.lnt") as video:
        assert len(video) == 8
        assert video.duration == pytest.approx(0.32)
        every = [frame.pixels for frame in video]
        assert np.array_equal(video[5].pixels, every[5])
        assert np.array_equal(video[-1].pixels, every[7])
        assert [frame.number for frame in video[1:7:3]] == [1, 4]
        assert [frame.number for frame in video.seek(0.2)] == [5, 6, 7]
        assert next(video.seek(0.21)).number == 5
        assert next(video.seek(-1)).number == 0
        with pytest.raises(IndexError):
            video[8]
        with pytest.raises(ValueError, match="forwards"):
            video[::-1]
        assert video[0].to_pil().size == (96, 64)


def test_a_cut_file_gives_its_whole_frames_and_says_so(folder: Path) -> None:
    data = (folder / "a.lnt").read_bytes()
    places, ends = frame_places(data), frame_ends(data)
    for length in range(places[0] + 40, len(data), len(data) // 24):
        cut = data[:length]
        with pytest.raises(linnet.TruncatedError):
            linnet.verify(cut)
        damage: list[LinnetError] = []
        numbers = [frame.head.number for frame in frames_of(cut, damage)]
        assert numbers == list(range(sum(end <= length for end in ends)))
        assert [type(error) for error in damage] == [linnet.TruncatedError]
    result = linnet.decode_video(data[: places[5] + 100], folder / "cut.mp4", allow_partial=True)
    assert (result.frames, len(result.damage)) == (5, 1)
    assert content_of(folder / "cut.mp4").times == SECONDS[:5]
    with pytest.raises(linnet.TruncatedError):
        linnet.decode_video(data[:-1], folder / "none.mkv")
    assert not (folder / "none.mkv").exists()


def test_two_hundred_flipped_bits_are_all_found_and_cost_a_frame_at_most(folder: Path) -> None:
    data = (folder / "a.lnt").read_bytes()
    places = frame_places(data)
    for bit in np.random.default_rng(5).integers(8 * places[0], 8 * len(data), 200).tolist():
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(linnet.LinnetError):
            linnet.verify(bytes(damaged))
        damage: list[LinnetError] = []
        assert len(frames_of(bytes(damaged), damage)) >= len(places) - 1
        assert len(damage) == 1


def test_a_damaged_frame_is_left_out_and_its_sound_stays(folder: Path) -> None:
    data = bytearray((folder / "a.lnt").read_bytes())
    lost = lost_with(frames_of(bytes(data)), 3)
    data[frame_places(bytes(data))[3] + 60] ^= 4
    result = linnet.decode_video(bytes(data), folder / "hurt.mp4", allow_partial=True)
    assert (result.frames, result.lost) == (8 - len(lost), len(lost))
    assert "checksum" in str(result.damage[0])
    hurt = content_of(folder / "hurt.mp4")
    assert hurt.times == SECONDS[:3] + SECONDS[lost[-1] + 1 :]
    assert hurt.packets == content_of(folder / "a.mp4").packets
    linnet.decode_video(bytes(data), folder / "hurt.y4m", allow_partial=True)
    assert len(content_of(folder / "hurt.y4m").times) == 8  # the frame before stands for it


def test_what_is_no_whole_clip_is_refused(folder: Path, photo: Image.Image, tmp_path: Path) -> None:
    data = (folder / "a.mp4").read_bytes()
    for name, content in (("cut.mp4", data[: len(data) // 2]), ("none.mp4", b"nothing"), ("song.mp4", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UnreadableImageError):
            linnet.encode_video(tmp_path / name, tmp_path / "x.lnt")
    data = make_clip(tmp_path / "long.mkv", photo, UNEVEN, Shape(sound=None)).read_bytes()
    (tmp_path / "cut.mkv").write_bytes(data[: len(data) // 2])
    with pytest.raises(UnreadableImageError, match=r"it announces 0\.\d+ s and has 0\.\d+ s"):
        linnet.encode_video(tmp_path / "cut.mkv", tmp_path / "x.lnt")
    with av.open(tmp_path / "front.mp4", "w", options={"movflags": "faststart"}) as file:
        stream = file.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for pixels in pan(photo, 12):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        file.mux(stream.encode(None))
    whole = (tmp_path / "front.mp4").read_bytes()
    (tmp_path / "front.mp4").write_bytes(whole[:-60])
    with pytest.raises(UnreadableImageError):
        linnet.encode_video(tmp_path / "front.mp4", tmp_path / "x.lnt")
    with pytest.warns(MediaWarning, match="frames before are used"):
        partial = linnet.encode_video(tmp_path / "front.mp4", tmp_path / "x.lnt", allow_partial=True)
    assert 0 < partial.frames < 12


def test_a_change_of_size_in_mid_stream_is_named(photo: Image.Image, tmp_path: Path) -> None:
    parts = b""
    for size in ((96, 64), (64, 48)):
        make_clip(tmp_path / "part.h264", photo, STEADY[:3], Shape(sound=None, size=size))
        parts += (tmp_path / "part.h264").read_bytes()
    (tmp_path / "changing.h264").write_bytes(parts)
    with pytest.raises(UnreadableImageError, match=r"frame 3 of .* is 64x48, the first one 96x64"):
        linnet.encode_video(tmp_path / "changing.h264", tmp_path / "x.lnt")
    assert not (tmp_path / "x.lnt").exists()


def test_sound_stands_behind_the_frame_that_it_begins_with(folder: Path) -> None:
    last = -1.0
    for item in ClipReader((folder / "a.lnt").read_bytes()).items():
        if isinstance(item, PacketGroup):
            times = [float((packet.time or 0) * Fraction(1, 48000)) for packet in item.packets]
            assert all(time >= last or time <= 0 for time in times)
        else:
            last = float(item.head.time * TICK)


def test_sound_is_left_out_with_a_warning_where_the_container_takes_none(folder: Path) -> None:
    with pytest.warns(MediaWarning, match="aac"):
        linnet.decode_video(folder / "a.lnt", folder / "a.webm", end=0.05)
    assert content_of(folder / "a.webm").packets == []


def test_numbered_pictures_and_moving_gifs_are_clips(
    folder: Path, photo: Image.Image, tmp_path: Path
) -> None:
    pictures = tmp_path / "100 %"
    pictures.mkdir()
    linnet.decode_video(folder / "a.lnt", pictures / "f%02d.png", start=0.16, end=0.24)
    assert sorted(path.name for path in pictures.iterdir()) == ["f01.png", "f02.png"]
    assert linnet.encode_video(pictures / "f%02d.png", tmp_path / "f.lnt").frames == 2
    first, *others = [Image.fromarray(pixels) for pixels in pan(photo, 3)]
    first.save(tmp_path / "m.gif", save_all=True, append_images=others, duration=[40, 200, 100])
    assert is_clip(str(tmp_path / "m.gif"))
    linnet.encode_video(tmp_path / "m.gif", tmp_path / "m.lnt")
    with linnet.VideoReader(tmp_path / "m.lnt") as video:
        assert [frame.time for frame in video] == pytest.approx([0, 0.04, 0.24])


def test_a_clip_may_have_a_name_that_looks_like_a_pattern(folder: Path, tmp_path: Path) -> None:
    linnet.decode_video(folder / "a.lnt", tmp_path / "100%done.mp4", end=0.05)
    assert [path.name for path in tmp_path.iterdir()] == ["100%done.mp4"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ({"video_codec": "none"}, "no video codec is called 'none'"),
        ({"video_codec": "aac"}, "is a codec for audio"),
        ({"start": 9.0}, "no frame begins in the wanted time; the last one does at 0.28 s"),
        ({"start": 2.0, "end": 1.0}, "must come behind the start"),
        ({"format": "xyz"}, "cannot write clips as 'xyz'"),
    ],
)
def test_wrong_wishes_are_the_callers_fault(words: dict, reason: str, folder: Path) -> None:
    with pytest.raises(ValueError, match=reason):
        linnet.decode_video(folder / "a.lnt", folder / "wrong.mp4", **words)
    assert not (folder / "wrong.mp4").exists()
    with pytest.raises(ValueError, match="clip"):
        linnet.decode(folder / "a.lnt")


def test_memory_does_not_grow_with_the_clip(photo: Image.Image, tmp_path: Path) -> None:
    """Container and interleaving, with the tiles of one frame: what is kept is some bytes a frame."""
    made = io.BytesIO()
    linnet.encode_video(make_clip(tmp_path / "a.mp4", photo, STEADY[:1], Shape(sound=None)), made)
    frame = frames_of(made.getvalue())[0]
    tiles = [(tile.latent_hash, tile.payload) for tile in frame.tiles]
    path, count = tmp_path / "long.lnt", 3000
    tracemalloc.start()
    with path.open("wb") as stream:
        sound = Stream(Media.AUDIO, "aac", Fraction(1, 48000))
        writer = ClipWriter(stream, ClipReader(made.getvalue()).header, [sound])
        queue = PacketQueue(writer, (sound,))
        for number in range(count):
            queue.add(0, Packet(bytes(300), 1920 * number))
            queue.write_before(number * 512 * TICK)
            writer.write_frame(FrameHead(FrameKind.KEY, number, 512 * number, 512), tiles)
        queue.write_before(None)
        writer.finish()
    with path.open("rb") as stream:
        reader = ClipReader(stream)
        assert sum(isinstance(item, CodedFrame) for item in reader.items()) == count
        assert reader.index_valid
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20 + 40 * count
    assert path.stat().st_size > 4 * peak
