"""Pixels of a clip: FFmpeg's frames to RGB and back, by FFmpeg's own conversion."""

from fractions import Fraction

import numpy as np
from av import VideoFormat, VideoFrame
from av.filter import Graph
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter
from numpy.typing import NDArray

from ...bitstream.clip import ClipFormat, Range, Sampling, Siting
from ...bitstream.header import Colour
from ..frame import Samples

_FLAGS = (
    Interpolation.BICUBIC
    | Interpolation.ACCURATE_RND
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.FULL_CHR_H_INP
    | Interpolation.BITEXACT  # the same pixels on every processor
)
_NAMES = {Siting.LEFT: "left", Siting.CENTER: "center", Siting.TOP_LEFT: "topleft"}
_STEPS = {(0, 0): Sampling.YUV444, (1, 0): Sampling.YUV422, (1, 1): Sampling.YUV420}
_PROBE_PX = 32
BT709_MATRIX, UNKNOWN_MATRIX = 1, 2
MATRICES = (0, 1, 2, 4, 5, 6, 7, 9)  # of ITU-T H.273, those that FFmpeg converts with


def sampling_of(form: VideoFormat) -> Sampling:
    """The colour samples of a pixel format; rare ones (4:1:1, 4:4:0) count as the next finer common one."""
    if form.is_rgb or form.has_palette:
        return Sampling.RGB
    if len([part for part in form.components if not part.is_alpha]) < 3:
        return Sampling.GREY
    steps = _step(form.chroma_width(16)), _step(form.chroma_height(16))
    return _STEPS.get(steps, Sampling.YUV444)


def _step(samples: int) -> int:
    """1 if there are fewer than 16 colour samples to 16 luma samples."""
    return int(samples < 16)


def has_known_matrix(sampling: Sampling, matrix: int) -> bool:
    """Whether FFmpeg can convert samples of that kind and matrix; RGB needs none."""
    return sampling is Sampling.RGB or matrix in MATRICES


def depth_of(form: VideoFormat) -> int:
    """Bits of the deepest sample."""
    return min(16, max(part.bits for part in form.components))


def range_of(frame: VideoFrame) -> Range:
    """The range that a frame states, or that its format means; grey is turned into the full one."""
    if sampling_of(frame.format) is Sampling.GREY:
        return Range.FULL
    if frame.format.is_rgb or frame.format.has_palette or frame.format.name.startswith("yuvj"):
        return Range.FULL
    known = {int(ColorRange.MPEG): Range.LIMITED, int(ColorRange.JPEG): Range.FULL}
    return known.get(int(frame.color_range), Range.UNKNOWN)


class _Tagger:
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


def siting_of(frame: VideoFrame) -> Siting:
    """Where the colour samples of a frame lie, found by what FFmpeg makes of a pattern that is like it."""
    if sampling_of(frame.format) not in (Sampling.YUV420, Sampling.YUV422):
        return Siting.UNKNOWN
    side = _PROBE_PX if frame.width != _PROBE_PX else 2 * _PROBE_PX
    probe = VideoReformatter().reformat(frame, width=side, height=side)
    for seed, plane in enumerate(probe.planes):
        noise = np.random.default_rng(seed).integers(0, 4, plane.buffer_size, np.uint8)
        plane.update((noise if depth_of(frame.format) > 8 else noise * 60).tobytes())
    probe.time_base, probe.pts = Fraction(1, 1000), 0
    given = _rgb(probe)
    for siting in (Siting.LEFT, Siting.CENTER, Siting.TOP_LEFT):
        if np.array_equal(given, _rgb(_Tagger(probe, siting)(probe))):
            return siting
    return Siting.UNKNOWN


def _rgb(frame: VideoFrame) -> NDArray[np.uint8]:
    array = VideoReformatter().reformat(frame, format="rgb24", interpolation=_FLAGS).to_ndarray()
    return array.astype(np.uint8, copy=False)


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
        self._tagger: _Tagger | None = None
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
            self._tagger = self._tagger or _Tagger(frame, clip.siting)
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


def matrix_out(clip: ClipFormat) -> int:
    """The matrix to convert with and to state: for RGB's own the unknown one, for which FFmpeg has BT.601."""
    return UNKNOWN_MATRIX if clip.matrix == 0 else clip.matrix


def range_out(clip: ClipFormat) -> int:
    """What to state as the range of converted frames."""
    if clip.sampling is Sampling.RGB:
        return int(ColorRange.MPEG)
    known = {Range.LIMITED: ColorRange.MPEG, Range.FULL: ColorRange.JPEG}
    return int(known.get(clip.range, ColorRange.UNSPECIFIED))


def format_names(clip: ClipFormat) -> list[str]:
    """FFmpeg's pixel formats that hold the clip's samples, the best first."""
    depths = [depth for depth in (8, 10, 12, 16) if depth >= clip.depth] + [
        depth for depth in (16, 12, 10, 8) if depth < clip.depth
    ]
    finer = {
        Sampling.GREY: ("gray", "yuv420p", "yuv444p"),
        Sampling.YUV420: ("yuv420p", "yuv422p", "yuv444p"),
        Sampling.YUV422: ("yuv422p", "yuv444p", "yuv420p"),
        Sampling.YUV444: ("yuv444p", "yuv420p"),
        Sampling.RGB: ("rgb24", "gbrp", "bgr0", "yuv444p", "yuv420p"),
    }[clip.sampling]
    suffixed = [(base, depth) for depth in depths for base in finer]
    return [base if depth == 8 else f"{base}{depth}le" for base, depth in suffixed]
