"""Media in: any clip that FFmpeg reads, as pixels with exact times and packets as they are."""

import os
import warnings
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from inspect import GEN_RUNNING, getgeneratorstate
from itertools import chain
from typing import BinaryIO, TypeAlias

from av import VideoFrame
from av.error import FFmpegError
from av.stream import Stream as AvStream

from ...bitstream.clip import ClipFormat, Sampling
from ...bitstream.clip_packets import Packet
from ...bitstream.clip_streams import Stream
from ...bitstream.header import Colour
from ...bitstream.limits import Limits
from ..errors import MediaWarning, UnreadableMediaError
from ..frame import Samples
from .kind import is_sequence
from .media_file import blaming, chosen_streams, open_media
from .numbered import check_unbroken
from .passengers import from_av
from .pixels import MATRICES, ToRgb, depth_of, has_known_matrix, range_of, sampling_of, siting_of
from .turning import orientation_of

_SLACK_S = 0.2  # by which a duration may be wrong
_MAX_RATE = 1000  # frames per second; more is not believed
_OF_THE_FILE = {"major_brand", "minor_version", "compatible_brands", "encoder"}  # not of what is in it
_MOST_BEHIND = 4096  # packets that wait for the next frame; of a lasting picture more may come


@dataclass(frozen=True, slots=True)
class SourceFrame:
    """One frame: pixels [H, W, 1 or 3] as stored; time and duration in ticks (0 if unknown)."""

    pixels: Samples
    time: int
    duration: int


@dataclass(frozen=True, slots=True)
class SourcePacket:
    """One packet of the stream of this number among those that are kept."""

    stream: int
    packet: Packet


Item: TypeAlias = SourceFrame | SourcePacket


class MediaSource:
    """An opened clip; a context manager.

    Attributes:
        clip: times, shape and samples. width, height: of the frames as stored, pixels.
        orientation: EXIF meaning. colour, bit_depth: of the pixels that come. streams: those that travel
        along. tags: of the whole file. frames: how many there will be, length_s: for how long, both 0 if the
        file does not say.

    Raises (constructor):
        UnreadableMediaError: no clip, damaged, or without a frame. LimitExceededError: frames larger than
        the limits. OSError.
    """

    def __init__(
        self, source: str | os.PathLike[str] | BinaryIO, limits: Limits | None = None, partial: bool = False
    ) -> None:
        self._limits = limits or Limits()
        self._partial = partial
        is_path = isinstance(source, (str, os.PathLike))
        self.name = os.fspath(source) if is_path else getattr(source, "name", "the stream")
        if is_path and is_sequence(os.fspath(source)):
            self._check_numbers(os.fspath(source))
        with blaming(str(self.name)):
            self._file = open_media(os.fspath(source) if is_path else source)
        try:
            self._begin()
        except BaseException:
            self._file.close()
            raise

    def _check_numbers(self, pattern: str) -> None:
        try:
            check_unbroken(pattern)
        except UnreadableMediaError as error:
            if not self._partial:
                raise
            warnings.warn(f"{error}; those before are used", MediaWarning, stacklevel=3)

    def _begin(self) -> None:
        """Read up to the first frame, which says what the clip is like."""
        self._video, kept = chosen_streams(self._file, str(self.name))
        self._video.thread_type = "AUTO"
        self._limits.check_size(self._video.width, self._video.height)
        self.streams: tuple[Stream, ...] = tuple(found for _, found in kept)
        tags = self._file.metadata.items()
        self.tags = {name: value for name, value in tags if name.lower() not in _OF_THE_FILE}
        self._numbers = {stream.index: number for number, (stream, _) in enumerate(kept)}
        self._packets = self._demuxed([self._video, *(stream for stream, _ in kept)])
        self._early: list[VideoFrame | SourcePacket] = []
        first = self._first_frame()
        self.width, self.height = first.width, first.height
        self._limits.check_size(self.width, self.height)
        self._tick = self._video.time_base or Fraction(1, 1000)
        self.clip = self._describe(first)
        self.colour = Colour.GREY if self.clip.sampling is Sampling.GREY else Colour.RGB
        self.bit_depth = 8 if self.clip.depth <= 8 else 16
        matrix = first.side_data.get("DISPLAYMATRIX")
        self.orientation = orientation_of(None if matrix is None else bytes(matrix))
        self.frames = self._video.frames
        own_s = float((self._video.duration or 0) * self._tick)
        self.length_s = own_s or (self._file.duration or 0) / 1_000_000
        self._to_rgb = ToRgb(self.colour, self.bit_depth)

    def _describe(self, first: VideoFrame) -> ClipFormat:
        rate, aspect = self._video.average_rate, self._video.sample_aspect_ratio
        if rate is not None and rate > _MAX_RATE:  # a tick taken for a rate
            rate = None
        has_alpha = any(part.is_alpha for part in first.format.components)
        if has_alpha and self._video.codec_context.name != "gif":  # whose frames always have it
            warnings.warn(f"{self.name} has transparency, which is not kept", MediaWarning, stacklevel=2)
        if first.interlaced_frame:
            warnings.warn(
                f"{self.name} is interlaced: two fields are coded as one frame, and their order is not kept",
                MediaWarning,
                stacklevel=2,
            )
        sampling, matrix = sampling_of(first.format), int(first.colorspace) & 255
        if not has_known_matrix(sampling, matrix):
            raise UnreadableMediaError(
                f"{self.name}: colour matrix {matrix} is not supported, of ITU-T H.273 those are "
                f"{', '.join(map(str, MATRICES))}; ffmpeg -vf zscale=matrix=709 converts to one of them"
            )
        return ClipFormat(
            tick=self._tick,
            rate=rate or Fraction(0),
            aspect=aspect or Fraction(0),
            sampling=sampling,
            range=range_of(first),
            siting=siting_of(first),
            depth=depth_of(first.format),
            primaries=int(first.color_primaries) & 255,
            transfer=int(first.color_trc) & 255,
            matrix=matrix,
        )

    def _first_frame(self) -> VideoFrame:
        for item in self._packets:
            self._early.append(item)
            if isinstance(item, VideoFrame):
                return item
        raise UnreadableMediaError(f"{self.name} has no frame in it")

    def __enter__(self) -> "MediaSource":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, unless a thread that was left behind still reads in it."""
        if getgeneratorstate(self._packets) != GEN_RUNNING:
            self._file.close()

    def items(self) -> Iterator[Item]:
        """Give all frames, in the order in which they are shown, and all packets between them; once.

        Warns:
            MediaWarning: times that do not rise, or damage that `partial` passes over.
        Raises:
            UnreadableMediaError: damaged, or a frame of another size.
        """
        number, last = 0, None
        held: SourceFrame | None = None  # until the one behind it tells how long it stands
        behind: list[SourcePacket] = []
        early, self._early = self._early, []
        for item in chain(early, self._packets):
            if isinstance(item, SourcePacket):
                behind.append(item)
                if len(behind) < _MOST_BEHIND:
                    continue
                following = None
            else:
                following = self._frame(item, number, last)
                number, last = number + 1, following.time
            if held is not None:
                yield held if following is None else _until(held, following)
            yield from behind
            held, behind = following, []
        if held is not None:
            yield held
        yield from behind

    def _frame(self, frame: VideoFrame, number: int, last: int | None) -> SourceFrame:
        if (frame.width, frame.height) != (self.width, self.height):
            raise UnreadableMediaError(
                f"frame {number} of {self.name} is {frame.width}x{frame.height}, the first one "
                f"{self.width}x{self.height}: a clip has one size; "
                f"ffmpeg -vf scale={self.width}:{self.height} gives it one"
            )
        time = frame.pts
        if time is None:
            step = 1 / (self.clip.rate or Fraction(25)) / self._tick
            time = round(number * step)
        if last is not None and time <= last:
            warnings.warn(
                f"frame {number} of {self.name} is shown at tick {time}, the one before at {last}: moved",
                MediaWarning,
                stacklevel=2,
            )
            time = last + 1
        with blaming(str(self.name)):
            pixels = self._to_rgb(frame)
        return SourceFrame(pixels, time, max(0, frame.duration or 0))

    def _demuxed(self, streams: list[AvStream]) -> Generator[VideoFrame | SourcePacket, None, None]:
        """Decoded frames and other packets as they come."""
        packets = frames = shown = 0  # shown: where the last frame ends, ticks
        end = Fraction(0)  # of what has come, seconds
        try:
            with blaming(str(self.name)):
                for packet in self._file.demux(streams):
                    if packet.pts is not None and packet.time_base:
                        end = max(end, (packet.pts + (packet.duration or 0)) * packet.time_base)
                    if packet.stream.index != self._video.index:
                        if packet.size or packet.pts is not None:
                            yield SourcePacket(self._numbers[packet.stream.index], from_av(packet))
                        continue
                    packets += packet.size > 0
                    if packet.pts is not None:
                        shown = max(shown, packet.pts + (packet.duration or 0))
                    if packet.is_corrupt:
                        raise UnreadableMediaError(f"{self.name} is damaged behind frame {frames}")
                    for frame in packet.decode():
                        assert isinstance(frame, VideoFrame)
                        if frame.is_corrupt:
                            raise UnreadableMediaError(f"frame {frames} of {self.name} is damaged")
                        frames += 1
                        yield frame
            if "mp4" in self._file.format.name and packets < self._video.frames:
                self._check_edits(shown, packets)
            self._check_end(end, len(streams))
        except UnreadableMediaError as error:
            if not self._partial:
                raise
            for frame in self._rest():
                frames += 1
                yield frame
            if not frames:
                raise
            warnings.warn(f"{error}; the {frames} frames before are used", MediaWarning, stacklevel=2)

    def _check_edits(self, shown: int, packets: int) -> None:
        """An MP4 has fewer frames than announced where it is cut off, or where its edits leave some out."""
        video = self._video
        if video.duration is None or shown < (video.start_time or 0) + video.duration:
            raise UnreadableMediaError(
                f"{self.name} is cut off: it announces {video.frames} frames and has {packets}"
            )

    def _check_end(self, end: Fraction, streams: int) -> None:
        """Matroska just ends where it is cut: only the duration in its front tells."""
        found = self._file.streams
        every = streams == len(found.video) + len(found.audio) + len(found.subtitles)
        if "matroska" not in self._file.format.name or not every or self._file.duration is None:
            return
        announced = self._file.duration / 1_000_000
        if end < announced - _SLACK_S:
            raise UnreadableMediaError(
                f"{self.name} is cut off: it announces {announced:.3f} s and has {float(end):.3f} s"
            )

    def _rest(self) -> list[VideoFrame]:
        """The whole frames that the decoder still has."""
        try:
            return [frame for frame in self._video.decode(None) if not frame.is_corrupt]
        except FFmpegError:
            return []


def _until(frame: SourceFrame, following: SourceFrame) -> SourceFrame:
    """The frame, with the duration that lies between it and the next one, if it had any.

    FFmpeg tells durations of frames that are not coded in the order in which they are shown in the wrong one.
    """
    return replace(frame, duration=following.time - frame.time) if frame.duration else frame
