"""Clips with times or colours that FFmpeg cannot take: said in words, by who is at fault."""

import io
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import clip_samples as samples
import numpy as np
import pytest
from av.video.stream import VideoStream

from linnet.bitstream import ClipFormat, LimitExceededError, Sampling, UnsupportedVersionError
from linnet.codec.errors import UnreadableMediaError
from linnet.codec.video.containers import find_container
from linnet.codec.video.sink import MediaSink
from linnet.codec.video.source import MediaSource

PIXELS = np.zeros((48, 64, 3), np.uint8)
MILLISECONDS = ClipFormat(tick=Fraction(1, 1000), sampling=Sampling.YUV420)


def sink(container: str, clip: ClipFormat) -> MediaSink:
    header = replace(samples.header(64, 48), orientation=1, clip=clip)
    return MediaSink(io.BytesIO(), find_container(container), None, header, (), {})


@pytest.mark.parametrize("container", ["mp4", "mkv"])
@pytest.mark.parametrize(("time", "duration"), [(-(2**62), 1), (2**61, 1), (0, 2**61)])
def test_times_in_which_ffmpeg_would_overflow_are_refused(container: str, time: int, duration: int) -> None:
    with pytest.raises(LimitExceededError, match=r"times in \w+ go to 2147483648 s, 68 years"):
        sink(container, MILLISECONDS).write(PIXELS, time, duration)


def test_times_of_the_clock_on_the_wall_are_kept() -> None:
    made = sink("mkv", MILLISECONDS)
    made.write(PIXELS, 1_700_000_000_000, 40)
    made.finish()


def test_a_container_that_cannot_hold_a_gap_says_which_and_what_to_try() -> None:
    made = sink("mp4", MILLISECONDS)
    for time in (0, 40, 2**33):
        made.write(PIXELS, time, 0)
    with pytest.raises(ValueError, match=r"mp4 with libx264 cannot hold this clip \(.+\): try mkv"):
        made.finish()


@pytest.mark.parametrize("matrix", [3, 8, 12, 255])
def test_a_clip_of_an_unknown_colour_matrix_is_refused_by_its_number(matrix: int) -> None:
    clip = replace(MILLISECONDS, matrix=matrix)
    with pytest.raises(UnsupportedVersionError, match=f"colour matrix {matrix} is not supported"):
        sink("mkv", clip)
    sink("mkv", replace(clip, sampling=Sampling.RGB))


@pytest.mark.parametrize("matrix", [8, 10, 15])
def test_a_source_of_an_unknown_colour_matrix_is_refused_by_its_number(matrix: int, tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(path, "w") as file:
        stream = file.add_stream("ffv1", rate=5)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.colorspace = matrix
        frame = av.VideoFrame.from_ndarray(PIXELS, format="rgb24").reformat(format="yuv420p")
        frame.colorspace = matrix
        file.mux([*stream.encode(frame), *stream.encode(None)])
    with pytest.raises(UnreadableMediaError, match=f"a.mkv: colour matrix {matrix} is not supported"):
        MediaSource(path)
