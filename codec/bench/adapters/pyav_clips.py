"""x264, x265 and SVT-AV1 through PyAV on clips: constant quality, one thread, whole Matroska files."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from itertools import chain
from pathlib import Path

import av
from av.bitstream import BitStreamFilterContext
from av.codec import Codec
from av.container import OutputContainer
from av.video.frame import PictureType
from av.video.stream import VideoStream

from ...errors import NotInstalledError
from ...scheduling import usual_scheduling
from ...video.colours import range_out
from ..footage import FORMAT, ClipFrame, Footage, decoded_frames
from .base import CodecOptions, Knob
from .clip_families import FAMILIES, Family

_MUXER = {"fflags": "+bitexact"}  # no random number in the file: it is the same each time


@dataclass(frozen=True)
class ClipEncoder:
    """An encoder with a preset and flags."""

    family: Family
    preset: str
    flags: frozenset[str]
    suffix: str = ".mkv"

    @property
    def label(self) -> str:
        """Name, preset and flags."""
        said = [text for flag, text in self.family.flags.items() if flag in self.flags]
        return ", ".join([f"{self.family.label} {self.preset}", *said])

    @property
    def knob(self) -> Knob:
        """The constant rate factor."""
        return self.family.knob

    @property
    def settings(self) -> str:
        """The options with the knob left open."""
        note = f", {self.family.filter}" if self.family.filter else ""
        return f"{FORMAT}, one thread, constant rate, {self._words(self.knob.name.upper())}{note}, Matroska"

    @property
    def versions(self) -> Mapping[str, str]:
        """Of PyAV and its libraries: it does not say those of the encoders inside."""
        numbers = {
            name: ".".join(map(str, av.library_versions[name])) for name in ("libavcodec", "libavformat")
        }
        return {"av": version("av"), **numbers}

    def command(self, value: float) -> str:
        """The words of the ffmpeg command that does the same."""
        filtered = f" -bsf:v {self.family.filter}" if self.family.filter else ""
        words = f"-c:v {self.family.encoder} {self._words(f'{value:g}')}"
        muxed = " ".join(f"-{name} {word}" for name, word in _MUXER.items())
        return f"ffmpeg -i IN -an -pix_fmt {FORMAT} -threads 1 {words}{filtered} {muxed} OUT.mkv"

    def prepare(self) -> None:
        """Nothing to load."""

    def encode(self, source: Footage, value: float, path: Path) -> None:
        """Decode the source and write the file."""
        with av.open(path, "w", format="matroska", container_options=_MUXER) as file:
            assert isinstance(file, OutputContainer)
            stream = self._stream(file, source, value)
            cleaner: BitStreamFilterContext | None = None
            for frame in chain(_numbered(source), [None]):
                with usual_scheduling():  # the first frame opens the encoder
                    packets = stream.encode(frame)
                for packet in packets:
                    if self.family.filter and cleaner is None:
                        cleaner = BitStreamFilterContext(self.family.filter, stream)
                    file.mux(cleaner.filter(packet) if cleaner else packet)

    def decode(self, path: Path) -> Iterator[ClipFrame]:
        """The frames, by FFmpeg's decoder."""
        return decoded_frames(path)

    def _stream(self, file: OutputContainer, source: Footage, value: float) -> VideoStream:
        options = dict(self.family.words(self.preset, self.flags, f"{value:g}"))
        stream = file.add_stream(self.family.encoder, rate=source.rate, options=options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = source.width, source.height, FORMAT
        context, clip = stream.codec_context, source.clip
        context.thread_count = 1
        context.color_primaries, context.color_trc = clip.primaries, clip.transfer
        context.colorspace, context.color_range = clip.matrix, range_out(clip)
        return stream

    def _words(self, value: str) -> str:
        options = self.family.words(self.preset, self.flags, value)
        return " ".join(f"-{name} {word}" for name, word in options.items())


def _numbered(source: Footage) -> Iterator[av.VideoFrame]:
    """The frames at a constant rate: rate control weighs frames by their durations, which ticks round."""
    for number, frame in enumerate(source.frames()):
        frame.pict_type = PictureType.NONE  # the source's choice is none of ours
        frame.pts, frame.time_base = number, 1 / source.rate
        yield frame


def make_clip_codec(name: str, variant: str, options: CodecOptions) -> ClipEncoder:
    """The encoder that "x265" and "veryslow-zerolatency" name; a variant is a preset and flags.

    Raises:
        ValueError: no such preset or flag.
        NotInstalledError: this PyAV was built without it.
    """
    family = FAMILIES[name]
    preset, *flags = (variant or family.preset).split("-")
    if preset not in family.presets or not set(flags) <= set(family.flags):
        known = f"a preset ({', '.join(family.presets)}), and behind it {' or '.join(family.flags)}"
        raise ValueError(f"{name} has no variant '{variant}': it is {known}, joined by -")
    try:
        Codec(family.encoder, "w")
        Codec(family.decoder, "r")
    except ValueError as error:
        needed = f"{family.encoder} and {family.decoder}"
        raise NotInstalledError(f"{name} needs a PyAV with {needed}: pip install --upgrade av") from error
    os.environ.setdefault("SVT_LOG", "1")  # errors only: it describes itself on stderr for every clip
    return ClipEncoder(family, preset, frozenset(flags))
