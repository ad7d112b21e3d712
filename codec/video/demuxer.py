"""Media in: what a file holds, frames decoded and other packets as they are, up to its end or its damage."""

import warnings
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from inspect import GEN_RUNNING, getgeneratorstate
from itertools import chain
from typing import TypeAlias

import av
from av import VideoFrame
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Stream as AvStream
from av.video.stream import VideoStream

from ...bitstream.clip_packets import Packet
from ..errors import MediaWarning, UnreadableMediaError
from .media_file import blaming
from .passengers import from_av

_SLACK_S = 0.2  # by which a duration may be wrong


@dataclass(frozen=True, slots=True)
class SourcePacket:
    """One packet of the stream of this number among those that are kept."""

    stream: int
    packet: Packet


Demuxed: TypeAlias = VideoFrame | SourcePacket


class Demuxer:
    """Gives what a file holds in the file's order, once.

    Args:
        file, name: opened by the caller, who closes it, and what messages call it.
        video, others: the stream to decode, and those whose packets are kept.
        partial: give what comes before damage, with a warning, instead of raising it.
    """

    def __init__(
        self, file: InputContainer, name: str, video: VideoStream, others: list[AvStream], partial: bool
    ) -> None:
        self._file, self._name, self._partial = file, name, partial
        self._video, self._others = video, others
        self._frames = 0  # given so far
        self._coming = self._saved()
        self._early: list[Demuxed] = []  # what first_frame has taken from it

    @property
    def is_running(self) -> bool:
        """Whether a thread reads in the file just now."""
        return getgeneratorstate(self._coming) == GEN_RUNNING

    def first_frame(self) -> VideoFrame:
        """The first frame, which `items` gives too. Raises UnreadableMediaError."""
        for item in self._coming:
            self._early.append(item)
            if isinstance(item, VideoFrame):
                return item
        raise UnreadableMediaError(f"{self._name} has no frame in it")

    def items(self) -> Iterator[Demuxed]:
        """Decoded frames and other packets as they come.

        Warns:
            MediaWarning: damage, if `partial`.
        Raises:
            UnreadableMediaError: damaged.
        """
        early, self._early = self._early, []
        return chain(early, self._coming)

    def _saved(self) -> Generator[Demuxed, None, None]:
        """What the file holds or, if it is damaged and `partial`, what can be saved of it."""
        try:
            yield from self._whole()
        except UnreadableMediaError as error:
            if not self._partial:
                raise
            for frame in self._rest():
                self._frames += 1
                yield frame
            if not self._frames:
                raise
            warnings.warn(f"{error}; the {self._frames} frames before are used", MediaWarning, stacklevel=2)

    def _whole(self) -> Iterator[Demuxed]:
        """Everything, and a look at the end whether that was all."""
        numbers = {stream.index: number for number, stream in enumerate(self._others)}
        packets = shown = 0  # of the video; where its last frame ends, ticks
        end = Fraction(0)  # of what has come, seconds
        with blaming(self._name):
            for packet in self._file.demux([self._video, *self._others]):
                if packet.pts is not None and packet.time_base:
                    end = max(end, (packet.pts + (packet.duration or 0)) * packet.time_base)
                if packet.stream.index != self._video.index:
                    if packet.size or packet.pts is not None:
                        yield SourcePacket(numbers[packet.stream.index], from_av(packet))
                    continue
                packets += packet.size > 0
                if packet.pts is not None:
                    shown = max(shown, packet.pts + (packet.duration or 0))
                yield from self._decoded(packet)
        if "mp4" in self._file.format.name and packets < self._video.frames:
            self._check_edits(shown, packets)
        self._check_end(end)

    def _decoded(self, packet: av.Packet) -> Iterator[VideoFrame]:
        if packet.is_corrupt:
            raise UnreadableMediaError(f"{self._name} is damaged behind frame {self._frames}")
        for frame in packet.decode():
            assert isinstance(frame, VideoFrame)
            if frame.is_corrupt:
                raise UnreadableMediaError(f"frame {self._frames} of {self._name} is damaged")
            self._frames += 1
            yield frame

    def _check_edits(self, shown: int, packets: int) -> None:
        """An MP4 has fewer frames than announced where it is cut off, or where its edits leave some out."""
        video = self._video
        if video.duration is None or shown < (video.start_time or 0) + video.duration:
            raise UnreadableMediaError(
                f"{self._name} is cut off: it announces {video.frames} frames and has {packets}"
            )

    def _check_end(self, end: Fraction) -> None:
        """Matroska just ends where it is cut: only the duration in its front tells."""
        found = self._file.streams
        every = 1 + len(self._others) == len(found.video) + len(found.audio) + len(found.subtitles)
        if "matroska" not in self._file.format.name or not every or self._file.duration is None:
            return
        announced = self._file.duration / 1_000_000
        if end < announced - _SLACK_S:
            raise UnreadableMediaError(
                f"{self._name} is cut off: it announces {announced:.3f} s and has {float(end):.3f} s"
            )

    def _rest(self) -> list[VideoFrame]:
        """The whole frames that the decoder still has."""
        try:
            return [frame for frame in self._video.decode(None) if not frame.is_corrupt]
        except FFmpegError:
            return []
