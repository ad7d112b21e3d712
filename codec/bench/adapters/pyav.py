"""x264, x265 and SVT-AV1 through PyAV: a still picture as a bitstream of one frame."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path

import av
import numpy as np
from av.codec import Codec
from av.video.reformatter import ColorRange, Colorspace

from ...errors import NotInstalledError
from ...scheduling import usual_scheduling
from ..colour import to_planes, to_rgb
from .base import QP_GRID, CodecOptions, Knob, Pixels

Words = Mapping[str, str]
_FORMATS = {
    8: {"halved": "yuv420p", "whole": "yuv444p"},
    10: {"halved": "yuv420p10le", "whole": "yuv444p10le"},
}


@dataclass(frozen=True)
class VideoCodec:
    """One encoder of FFmpeg. options: of the encoder, from a value of the knob."""

    label: str
    encoder: str
    decoder: str
    suffix: str
    knob: Knob
    options: Callable[[str], Words]
    depth: int = 8
    halved: bool = False  # 4:2:0

    @property
    def pixel_format(self) -> str:
        """FFmpeg's name."""
        return _FORMATS[self.depth]["halved" if self.halved else "whole"]

    @property
    def settings(self) -> str:
        """Colour, and the options with the knob left open."""
        return f"{self.pixel_format}, BT.709 full range, {self._words(self.knob.name.upper())}"

    @property
    def versions(self) -> Mapping[str, str]:
        """Of PyAV and its libavcodec: it does not say those of the encoders inside."""
        return {"av": version("av"), "libavcodec": ".".join(map(str, av.library_versions["libavcodec"]))}

    def command(self, value: float) -> str:
        """The words of the ffmpeg command that does the same."""
        words = self._words(f"{value:g}")
        return f"ffmpeg -i IN -frames:v 1 -pix_fmt {self.pixel_format} -c:v {self.encoder} {words} OUT"

    def prepare(self) -> None:
        """Nothing to load."""

    def encode(self, pixels: Pixels, value: float, path: Path) -> None:
        """Write the packets as the encoder gives them; odd sides of 4:2:0 are padded."""
        step = 2 if self.halved else 1
        height, width = pixels.shape[:2]
        padded = np.pad(pixels, ((0, -height % step), (0, -width % step), (0, 0)), mode="edge")
        context = av.CodecContext.create(self.encoder, "w")
        assert isinstance(context, av.VideoCodecContext)
        context.height, context.width = padded.shape[:2]
        context.pix_fmt = self.pixel_format
        context.time_base, context.framerate = Fraction(1, 25), Fraction(25)
        context.thread_count = 1
        context.colorspace = Colorspace.ITU709
        context.color_range = ColorRange.JPEG
        context.options = dict(self.options(f"{value:g}"))
        frame = self._frame(padded)
        with usual_scheduling():
            packets = [*context.encode(frame), *context.encode(None)]
        path.write_bytes(b"".join(bytes(packet) for packet in packets))

    def decode(self, path: Path, size: tuple[int, int]) -> Pixels:
        """Decode the one frame and cut the padding off."""
        return decode_still(path, self.decoder, self.depth, size)

    def _words(self, value: str) -> str:
        return " ".join(f"-{name} {word}" for name, word in self.options(value).items())

    def _frame(self, pixels: Pixels) -> av.VideoFrame:
        frame = av.VideoFrame(pixels.shape[1], pixels.shape[0], self.pixel_format)
        kind = np.uint8 if self.depth == 8 else np.dtype("<u2")
        for plane, samples in zip(frame.planes, to_planes(pixels, self.depth, self.halved), strict=True):
            row = np.zeros((plane.height, plane.line_size // np.dtype(kind).itemsize), kind)
            row[:, : plane.width] = samples
            plane.update(row.tobytes())
        return frame


def decode_still(path: Path, decoder: str, depth: int, size: tuple[int, int]) -> Pixels:
    """Decode a bitstream of one frame, of full-range BT.709, to its left upper part of size (width, height).

    Raises:
        ValueError: not one frame.
    """
    context = av.CodecContext.create(decoder, "r")
    assert isinstance(context, av.VideoCodecContext)
    context.thread_count = 1
    packets = [*context.parse(path.read_bytes()), *context.parse(b"")]
    frames = [frame for packet in [*packets, None] for frame in context.decode(packet)]
    if len(frames) != 1:
        raise ValueError(f"{path}: {len(frames)} frames, expected one")
    kind = np.dtype(np.uint8 if depth == 8 else "<u2")
    planes = [
        np.frombuffer(bytes(plane), kind).reshape(plane.height, -1)[:, : plane.width].astype(np.uint16)
        for plane in frames[0].planes
    ]
    return to_rgb(planes, depth)[: size[1], : size[0]]


def make(name: str, variant: str, options: CodecOptions) -> VideoCodec:
    """One of the encoders.

    Raises:
        ValueError: there are no variants.
        NotInstalledError: this PyAV was built without it.
    """
    if variant:
        raise ValueError(f"{name} has no variant '{variant}'")
    codec = _CODECS[name]
    try:
        Codec(codec.encoder, "w")
        Codec(codec.decoder, "r")
    except ValueError as error:
        needed = f"{codec.encoder} and {codec.decoder}"
        raise NotInstalledError(f"{name} needs a PyAV with {needed}: pip install --upgrade av") from error
    os.environ.setdefault("SVT_LOG", "1")  # errors only: it describes itself on stderr for every picture
    return codec


def _x264(qp: str) -> Words:
    return {"preset": "veryslow", "tune": "psnr", "qp": qp}


def _x265(qp: str) -> Words:
    # info=0: no note of 2 kB about the encoder in a file of 5 kB. wpp=0: one thread needs no entry points.
    params = f"qp={qp}:keyint=1:info=0:wpp=0:pools=none:frame-threads=1:log-level=none"
    return {"preset": "veryslow", "tune": "psnr", "x265-params": params}


def _svtav1(qp: str) -> Words:
    params = f"rc=0:aq-mode=0:qp={qp}:avif=1:tune=1:lp=1"
    return {"preset": "2", "svtav1-params": params}


_QP = Knob("qp", QP_GRID)
_AV1_QP = Knob("qp", (63, 60, 55, 50, 45, 40, 35, 30, 24, 18))
_CODECS = {
    "x264": VideoCodec("x264 intra", "libx264", "h264", ".264", _QP, _x264),
    "x265": VideoCodec("x265 intra", "libx265", "hevc", ".265", _QP, _x265),
    "svtav1": VideoCodec(
        "SVT-AV1 still", "libsvtav1", "libdav1d", ".obu", _AV1_QP, _svtav1, depth=10, halved=True
    ),
}
