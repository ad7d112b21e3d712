"""The frames of a clip as they are measured: planes of 4:2:0 and RGB, all by one conversion."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import av
import numpy as np
from av import VideoFrame
from av.error import FFmpegError
from av.filter import Graph
from av.video.reformatter import ColorRange
from numpy.typing import NDArray

from ...bitstream.clip import ClipFormat, Range, Sampling, Siting
from ...bitstream.header import Colour
from ..errors import UnreadableMediaError
from ..video.pixels import FromRgb, ToRgb
from ..video.source import MediaSource
from .adapters.base import Pixels

Plane: TypeAlias = NDArray[np.uint8]  # [rows, columns]
Planes: TypeAlias = tuple[Plane, Plane, Plane]  # Y [H, W]; U and V [ceil(H/2), ceil(W/2)]
ClipFrame: TypeAlias = VideoFrame | Pixels  # what decoders give: planes, or RGB

DEFAULT_RATE = Fraction(25)  # frames per second, of clips that state none
FORMAT = "yuv420p"
SAME_SAMPLES = (FORMAT, "yuvj420p")  # the second states its range in its name
_LOCATIONS = {Siting.LEFT: 1, Siting.CENTER: 2, Siting.TOP_LEFT: 3}  # FFmpeg's AVChromaLocation


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One frame in both forms that metrics ask for. rgb: [H, W, 3] uint8, full range."""

    planes: Planes
    rgb: Pixels


class Look:
    """Turns frames into shots, all of them by the matrix, range and chroma place that one clip states."""

    def __init__(self, clip: ClipFormat) -> None:
        self._clip = clip
        self._to_rgb = ToRgb(Colour.RGB, 8)
        self._from_rgb = FromRgb(clip, FORMAT)
        self._graph: Graph | None = None

    def __call__(self, frame: ClipFrame) -> Shot:
        """The shot of a decoder's frame. Raises ValueError: not 4:2:0 of 8 bits, nor RGB."""
        if isinstance(frame, VideoFrame):
            if frame.format.name not in SAME_SAMPLES:
                raise ValueError(f"a frame of {frame.format.name}, expected {FORMAT}")
            planes = planes_of(frame)
            return Shot(planes, self._rgb(planes))
        return Shot(planes_of(self._from_rgb(frame, 0)), frame)

    def _rgb(self, planes: Planes) -> Pixels:
        frame = frame_of(planes)
        frame.pts, frame.time_base = 0, Fraction(1, 25)
        if self._graph is None:
            self._graph = self._tagger(frame)
        self._graph.push(frame)
        tagged = self._graph.pull()
        assert isinstance(tagged, VideoFrame)
        return self._to_rgb(tagged).astype(np.uint8, copy=False)

    def _tagger(self, frame: VideoFrame) -> Graph:
        clip, graph = self._clip, Graph()
        known = {Range.LIMITED: ColorRange.MPEG, Range.FULL: ColorRange.JPEG}
        stated = int(known.get(clip.range, ColorRange.UNSPECIFIED))
        words = f"range={stated}:colorspace={clip.matrix}:chroma_location={_LOCATIONS.get(clip.siting, 0)}"
        source = graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
        )
        tagger, sink = graph.add("setparams", words), graph.add("buffersink")
        source.link_to(tagger)
        tagger.link_to(sink)
        graph.configure()
        return graph


class Footage:
    """A clip on disk: what codecs get, and what their frames are measured against.

    Attributes:
        clip: times, colours. width, height: pixels of the frames as stored. rate: frames per second, nominal.
    Raises (constructor):
        UnreadableMediaError: no clip, or not 4:2:0 of 8 bits. OSError.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with MediaSource(path) as source:
            check_samples(source)
            self.clip, self.width, self.height = source.clip, source.width, source.height
        self.rate = self.clip.rate or DEFAULT_RATE

    def frames(self) -> Iterator[VideoFrame]:
        """Decode it, in the order in which frames are shown."""
        return decoded_frames(self.path)

    def shots(self) -> Iterator[Shot]:
        """Its frames as they are measured."""
        look = Look(self.clip)
        return (look(frame) for frame in self.frames())


def check_samples(source: MediaSource) -> None:
    """Raises UnreadableMediaError: the samples are not those that all codecs here take."""
    clip = source.clip
    if clip.sampling is not Sampling.YUV420 or clip.depth != 8:
        kind = f"{clip.sampling.name} of {clip.depth} bits"
        raise UnreadableMediaError(
            f"{source.name} is {kind}: clips are measured as 4:2:0 of 8 bits; ffmpeg -pix_fmt yuv420p makes "
            "it so"
        )


def decoded_frames(path: Path) -> Generator[VideoFrame, None, None]:
    """All frames of a file's video, decoded on one thread.

    Raises:
        UnreadableMediaError: it is damaged.
    """
    try:
        with av.open(f"file:{path}") as file:
            context = file.streams.video[0].codec_context
            context.thread_count = 1
            yield from file.decode(video=0)
    except FFmpegError as error:
        raise UnreadableMediaError(f"{path.name} cannot be read as a clip: {error.strerror}") from error


def planes_of(frame: VideoFrame) -> Planes:
    """Copies of the samples, without the padding of rows."""
    y, u, v = (
        np.frombuffer(bytes(plane), np.uint8).reshape(plane.height, -1)[:, : plane.width].copy()
        for plane in frame.planes
    )
    return y, u, v


def frame_of(planes: Planes) -> VideoFrame:
    """FFmpeg's frame of planes."""
    height, width = planes[0].shape
    frame = VideoFrame(width, height, FORMAT)
    for plane, samples in zip(frame.planes, planes, strict=True):
        row = np.zeros((plane.height, plane.line_size), np.uint8)
        row[:, : plane.width] = samples
        plane.update(row.tobytes())
    return frame
