"""Pixels of a clip: FFmpeg's frames to RGB and back, by FFmpeg's own conversion."""

from fractions import Fraction

import numpy as np
from av import VideoFormat, VideoFrame
from av.filter import Graph
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

from ...bitstream.clip import ClipFormat, Range, Sampling, Siting
from ...bitstream.header import Colour
from ..frame import Samples
from .colours import matrix_out, range_out

_FLAGS = (
    Interpolation.BICUBIC
    | Interpolation.ACCURATE_RND
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.FULL_CHR_H_INP
    | Interpolation.BITEXACT  # the same pixels on every processor
)
_NAMES = {Siting.LEFT: "left", Siting.CENTER: "center", Siting.TOP_LEFT: "topleft"}


class SitingTagger:
    """Sets where colour samples lie, which PyAV's frames cannot say themselves."""

    def __init__(self, frame: VideoFrame, siting: Siting) -> None:
        self._graph = Graph()
        source = self._graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 1000)
        )
        tagger = self._graph.add("setparams", f"chroma_location={_NAMES[siting]}")
        sink = self._graph.add("buffersink")
        source.link_to(tagger)
        tagger.link_to(sink)
        self._graph.configure()

    def __call__(self, frame: VideoFrame) -> VideoFrame:
        self._graph.push(frame)
        tagged = self._graph.pull()
        assert isinstance(tagged, VideoFrame)
        return tagged


class ToRgb:
    """Turns FFmpeg's frames of one clip into pixels [H, W, 1 or 3], full range."""

    def __init__(self, colour: Colour, bit_depth: int) -> None:
        self._reformatter = VideoReformatter()
        self._grey = colour is Colour.GREY
        self._format = "rgb24" if bit_depth == 8 else "rgb48le"

    def __call__(self, frame: VideoFrame) -> Samples:
        """The matrix and range that the frame states hold; FFmpeg's defaults where it states none."""
        converted = self._reformatter.reformat(frame, format=self._format, interpolation=_FLAGS).to_ndarray()
        kind = np.uint8 if self._format == "rgb24" else np.uint16
        pixels: Samples = converted.astype(kind, copy=False)
        if not self._grey:
            return pixels
        grey = np.ascontiguousarray(pixels[:, :, :1])  # all three are the same
        return _expanded(grey) if frame.color_range == ColorRange.MPEG else grey


def _expanded(grey: Samples) -> Samples:
    """Limited range to full, which FFmpeg leaves to others where there is no colour."""
    unit = 257 if grey.dtype == np.uint16 else 1
    full = np.rint((grey.astype(np.float64) - 16 * unit) * (255 / 219)).clip(0, 255 * unit)
    return full.astype(np.uint16) if unit > 1 else full.astype(np.uint8)


class FromRgb:
    """Turns pixels [H, W, 1 or 3] into FFmpeg's frames of one pixel format, tagged as the clip was."""

    def __init__(self, clip: ClipFormat, form: str) -> None:
        self._clip, self._form = clip, form
        self._reformatter = VideoReformatter()
        self._tagger: SitingTagger | None = None
        self._is_rgb = VideoFormat(form).is_rgb

    def __call__(self, pixels: Samples, time: int) -> VideoFrame:
        """A frame shown at `time`, in the clip's ticks."""
        clip = self._clip
        wide = np.ascontiguousarray(np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels)
        if wide.dtype == np.uint8:
            frame = VideoFrame.from_ndarray(wide.astype(np.uint8, copy=False), format="rgb24")
        else:
            frame = VideoFrame.from_ndarray(wide.astype(np.uint16, copy=False), format="rgb48le")
        frame.pts, frame.time_base = time, clip.tick
        if clip.siting is not Siting.UNKNOWN:
            self._tagger = self._tagger or SitingTagger(frame, clip.siting)
            frame = self._tagger(frame)
        frame.color_range = ColorRange.JPEG
        if not self._is_rgb:
            frame.colorspace = matrix_out(clip)
            limited = clip.range is not Range.FULL or clip.sampling is Sampling.RGB
            frame = self._reformatter.reformat(
                frame,
                format=self._form,
                interpolation=_FLAGS,
                dst_color_range=ColorRange.MPEG if limited else ColorRange.JPEG,
            )
            frame.color_range = range_out(clip)
        elif frame.format.name != self._form:
            frame = self._reformatter.reformat(frame, format=self._form, interpolation=_FLAGS)
        frame.color_primaries, frame.color_trc = clip.primaries, clip.transfer
        frame.pts, frame.time_base = time, clip.tick
        return frame
