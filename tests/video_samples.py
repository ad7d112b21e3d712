"""Real clips for the tests: a pan over the photograph with a tone, made with FFmpeg's encoders."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream
from PIL import Image

from linnet.bitstream import CodedFrame, FrameKind

SIZE = (96, 64)
TICK = Fraction(1, 12800)
STEADY = tuple(512 * number for number in range(8))  # 25 frames per second
UNEVEN = (0, 512, 700, 1900, 1901, 5000, 5512, 9999)
RATE_HZ = 48000
GOP = 3  # of the clips that are sought, cut and damaged


@dataclass(frozen=True)
class Shape:
    """What a clip is like: samples, colour tags, how it is to be turned, and what it says."""

    pixels: str = "yuv420p"
    codec: str = "libx264"
    rotation: int = 0
    aspect: Fraction = Fraction(0)
    colours: tuple[int, int, int, int] | None = None  # range, primaries, transfer, matrix
    sound: str | None = "aac"
    tags: tuple[tuple[str, str], ...] = ()
    size: tuple[int, int] = SIZE


def pan(photo: Image.Image, count: int, size: tuple[int, int] = SIZE) -> list[np.ndarray]:
    """[H, W, 3] uint8 each: the view moves four pixels a frame."""
    small = photo.resize((256, 300))
    places = [(40 + 4 * number, 60) for number in range(count)]
    return [np.array(small.crop((x, y, x + size[0], y + size[1]))) for x, y in places]


def make_clip(
    path: Path, photo: Image.Image, times: Sequence[int] = STEADY, shape: Shape | None = None
) -> Path:
    """A clip of these times, in ticks of 1/12800 s, as long as its tone."""
    shape = shape or Shape()
    with av.open(path, "w") as file:
        file.metadata.update(dict(shape.tags))
        video = file.add_stream(shape.codec, rate=25)
        assert isinstance(video, VideoStream)
        video.width, video.height = shape.size
        video.pix_fmt = shape.pixels
        video.time_base = video.codec_context.time_base = TICK
        if shape.codec == "libx264":
            video.options = {"crf": "10", "preset": "veryfast"}
        if shape.rotation:
            video.set_display_rotation(shape.rotation)
        if shape.aspect:
            video.codec_context.sample_aspect_ratio = shape.aspect
        if shape.colours:
            context = video.codec_context
            context.color_range, context.color_primaries, context.color_trc, context.colorspace = (
                shape.colours
            )
        audio = _add_sound(file, shape.sound) if shape.sound else None
        for pixels, time in zip(pan(photo, len(times), shape.size), times, strict=True):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=shape.pixels)
            frame.pts, frame.time_base = time, TICK
            file.mux(video.encode(frame))
        file.mux(video.encode(None))
        if audio:
            _write_tone(file, audio, float((times[-1] + 512) * TICK))
    return path


def _add_sound(file: OutputContainer, codec: str) -> AudioStream:
    audio = file.add_stream(codec, rate=RATE_HZ)
    assert isinstance(audio, AudioStream)
    audio.codec_context.layout = "stereo"
    audio.metadata["language"] = "deu"
    return audio


def _write_tone(file: OutputContainer, audio: AudioStream, seconds: float) -> None:
    block = audio.codec_context.frame_size or 1024
    for start in range(0, int(seconds * RATE_HZ), block):
        wave = 0.3 * np.sin(2 * np.pi * 440 * np.arange(start, start + block) / RATE_HZ)
        frame = av.AudioFrame.from_ndarray(np.stack([wave, wave]).astype(np.float32), "fltp", "stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, start, Fraction(1, RATE_HZ)
        for part in av.AudioResampler(audio.codec_context.format, "stereo", RATE_HZ).resample(frame):
            part.pts = start
            file.mux(audio.encode(part))
    file.mux(audio.encode(None))


def lost_with(frames: Sequence[CodedFrame], number: int) -> list[int]:
    """What a damaged frame of a clip costs: it, and all behind it up to the next key frame."""
    behind = [frame.head.number for frame in frames[number + 1 :] if frame.head.kind == FrameKind.KEY]
    return list(range(number, min(behind, default=len(frames))))


@dataclass(frozen=True)
class Content:
    """What a media file holds: times of frames in seconds, pixels, and time and bytes of sound packets."""

    times: list[Fraction]
    pixels: list[np.ndarray]
    packets: list[tuple[Fraction | None, bytes]]


def content_of(path: Path, format: str | None = None) -> Content:
    """Read all of a media file, with PyAV alone."""
    times, pixels, packets = [], [], []
    with av.open(path, "r", format=format) as file:
        for packet in file.demux(*file.streams.video, *file.streams.audio):
            if packet.stream.type == "audio":
                if packet.size:
                    time = None if packet.pts is None else packet.pts * packet.time_base
                    packets.append((time, bytes(packet)))
                continue
            for frame in packet.decode():
                assert isinstance(frame, av.VideoFrame)
                assert frame.pts is not None
                assert frame.time_base is not None
                times.append(frame.pts * frame.time_base)
                pixels.append(frame.to_ndarray(format="rgb24"))
    return Content(times, pixels, packets)


def drifting(photo: Image.Image, count: int, size: tuple[int, int] = SIZE) -> list[np.ndarray]:
    """[H, W, 3] uint8 each: the view moves and grows by parts of a pixel, as a hand-held camera's does."""
    found = []
    for number in range(count):
        scale = 2 * 1.004**number
        x, y = 40 + 1.3 * number, 120 - 0.7 * number
        box = (x, y, x + scale * size[0], y + scale * size[1])
        found.append(np.array(photo.resize(size, Image.Resampling.BICUBIC, box)))
    return found
