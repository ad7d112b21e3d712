"""Clips measured against one, frame by frame."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from av import VideoFrame

from ...bitstream.clip import ClipFormat, Range, Sampling
from ...bitstream.header import Colour
from ..frame import Samples, to_eight_bits
from ..orientation import turn_upright
from ..video.kind import holds_clip, is_clip
from ..video.pixels import ToRgb
from ..video.reader import VideoReader
from ..video.source import MediaSource
from .adapters.base import Pixels
from .clip_metrics import CLIP_METRICS, DEFAULT_CLIP_METRICS, check_clip_metric, measure_clip
from .compare import Compared, comparison_page, png_uri
from .footage import DEFAULT_RATE, SAME_SAMPLES, Look, Shot, decoded_frames
from .metrics import Metric, find_metrics
from .page import Page, PagePicture, Version

_NOTE = (
    "The middle frame of each clip, without loss. Sound counts in the bytes of a file, and in nothing else."
)


class ClipComparison:
    """See Comparison. Planes are compared as 4:2:0 of 8 bits; RGB is made as the reference states it.

    Frames of its samples and range mean what the reference says; those of others are turned into RGB by what
    they state themselves.
    """

    def __init__(self, reference: Path, names: Sequence[str]) -> None:
        self._metrics = find_metrics(names or DEFAULT_CLIP_METRICS, CLIP_METRICS)
        for metric in self._metrics:
            check_clip_metric(metric)
        self._path, self._format = reference, _format_of(reference)
        self._frames = 0
        for shot in self._shots(reference):
            if not self._frames:
                self._height, self._width = shot.rgb.shape[:2]
            self._frames += 1
        self._number = self._frames // 2  # of the frame that is shown
        self._shown = next(shot.rgb for n, shot in enumerate(self._shots(reference)) if n == self._number)

    @property
    def metrics(self) -> Sequence[Metric]:
        """See Comparison."""
        return self._metrics

    def measure(self, path: Path) -> Compared:
        """See Comparison."""
        if not (holds_clip(path) or (path.suffix.lower() != ".lnt" and is_clip(str(path)))):
            raise ValueError(f"{path} is no clip, and {self._path.name} is one: they cannot be compared")
        shown: list[Pixels] = []
        rate = self._format.rate or DEFAULT_RATE
        shots = self._keeping(self._shots(path), shown)
        figures = measure_clip(self._metrics, self._shots(self._path), shots, rate)
        size = path.stat().st_size
        bpp = size * 8 / (self._width * self._height * self._frames)
        version = Version(str(path), png_uri(shown[0]), bytes=size, bpp=bpp, metrics=figures.metrics)
        return Compared(version, {"frames": self._frames, "by_frame": figures.series})

    def page(self, versions: Sequence[Version]) -> Page:
        """See Comparison."""
        original = Version(str(self._path), png_uri(self._shown))
        name = f"{self._path.name}, frame {self._number}"
        shown = PagePicture(name, self._width, self._height, [original, *versions])
        summary = f"{self._frames} frames of {self._width}x{self._height} pixels"
        return comparison_page(shown, versions, self._metrics, _NOTE, summary)

    def _keeping(self, shots: Iterator[Shot], shown: list[Pixels]) -> Iterator[Shot]:
        for number, shot in enumerate(shots):
            if number == self._number:
                shown.append(shot.rgb)
            yield shot

    def _shots(self, path: Path) -> Iterator[Shot]:
        """The upright frames of a clip, as they are measured."""
        look = Look(self._format)
        if holds_clip(path):
            with VideoReader(path, device="cpu") as video:
                for frame in video:
                    yield look(_rgb(frame.pixels))
            return
        with MediaSource(path) as source:
            clip, orientation = source.clip, source.orientation
        convert = ToRgb(Colour.RGB, 8)
        for frame in decoded_frames(path):
            shot = look(frame if self._means_the_same(frame, clip) else _rgb(convert(frame)))
            y, u, v = (turn_upright(plane, orientation) for plane in shot.planes)
            yield Shot((y, u, v), turn_upright(shot.rgb, orientation))

    def _means_the_same(self, frame: VideoFrame, clip: ClipFormat) -> bool:
        ranges = {clip.range, self._format.range} - {Range.UNKNOWN}
        if self._format.sampling is not Sampling.YUV420:
            return False
        return frame.format.name in SAME_SAMPLES and len(ranges) < 2


def _format_of(path: Path) -> ClipFormat:
    if holds_clip(path):
        with VideoReader(path, device="cpu") as video:
            return video.reader.clip
    with MediaSource(path) as source:
        return source.clip


def _rgb(samples: Samples) -> Pixels:
    """[H, W, 3] uint8; grey becomes RGB."""
    pixels = to_eight_bits(samples)
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
