"""Media out: frames and packets into any container that FFmpeg writes, with the clip's own times."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import BinaryIO

import av
from av.container import OutputContainer
from av.error import FFmpegError
from av.stream import Stream as AvStream

from ...bitstream.clip_packets import PacketGroup
from ...bitstream.clip_streams import Stream
from ...bitstream.errors import CorruptFileError, LimitExceededError
from ...bitstream.header import Header
from ...bitstream.resync import OnDamage
from ...bitstream.streams import is_seekable
from ..frame import Samples
from ..orientation import turn_upright
from ..scheduling import usual_scheduling
from .constant_rate import ConstantRate
from .containers import Container, Words
from .passengers import add_stream, to_av
from .video_track import VideoTrack, clip_as_written

_TAKES_ALL = "matroska"  # in its packets whatever is in order
_MAX_SECONDS = 2**31  # from 0, 68 years; times of more can overflow in FFmpeg, and be wrong without an error
_EDITS_PER_S = "90000"  # how finely an MP4 says when sound begins; FFmpeg's default is milliseconds
_FRAGMENTS = "frag_keyframe+delay_moov+default_base_moof"  # of an MP4 whose front is not written last


class MediaSink:
    """An output that takes frames in the order in which they are shown, and packets between them.

    Args:
        stream: binary, open for writing.
        container, codec: what to write; `codec` None for the container's own.
        header, streams, tags: of the clip.
        told: of packets that are damaged, and are then left out; None to raise it.
    Raises:
        ValueError: no such codec, or the container does not take it. UnsupportedVersionError: the clip has
            a colour matrix that is unknown here.
    """

    def __init__(
        self,
        stream: BinaryIO,
        container: Container,
        codec: str | None,
        header: Header,
        streams: tuple[Stream, ...],
        tags: Words,
        told: OnDamage | None = None,
    ) -> None:
        assert header.clip is not None
        self._told = told
        self._container, self._clip = container, clip_as_written(header.clip, container)
        self._file = _opened(stream, container)
        self._file.metadata.update(tags)
        self._track = VideoTrack(self._file, container, codec or container.codec, header, self._clip)
        self._streams = streams if container.streams else ()
        self._others: list[AvStream | None] = [add_stream(self._file, each) for each in self._streams]
        self._slots: ConstantRate | None = None
        if not container.timed:
            self._slots = ConstantRate(self._clip.tick, self._track.rate, container.name)

    def write(self, pixels: Samples, time: int, duration: int) -> None:
        """Write a frame [H, W, channels] as stored, shown at `time` for `duration` ticks of the clip.

        Raises:
            LimitExceededError: the container has a constant rate, and one frame stands too long in it; or
            one has times, and this one is too far from 0.
            ValueError: container or codec do not take the frame.
        """
        upright = turn_upright(pixels, self._track.orientation)
        if self._slots is None:
            self._check_time(time, duration)
            self._encode(upright, time, duration)
            return
        for due, slot in self._slots.take(upright, time, duration):
            self._encode(due, slot, 1)

    def _check_time(self, time: int, duration: int) -> None:
        """Raises LimitExceededError."""
        begin, length = float(time * self._clip.tick), float(duration * self._clip.tick)
        if max(abs(begin), abs(begin + length)) > _MAX_SECONDS:
            raise LimitExceededError(
                f"a frame is shown at {begin:g} s for {length:g} s, times in {self._container.name} go to "
                f"{_MAX_SECONDS} s, 68 years: decode to pictures such as frame%04d.png, which have no times"
            )

    def _encode(self, pixels: Samples, time: int, duration: int) -> None:
        frame = self._track.frame(pixels, time, duration)
        with self._blaming(), usual_scheduling():  # the first frame opens the encoder
            self._file.mux(self._track.stream.encode(frame))

    @contextmanager
    def _blaming(self, passenger: str = "") -> Iterator[None]:
        """Say FFmpeg's errors in our words; the disk's stay what they are."""
        try:
            yield
        except (FFmpegError, OverflowError) as error:
            if isinstance(error, OSError):
                raise
            reason = error.strerror if isinstance(error, FFmpegError) else str(error)
            form, video = self._container.name, self._track.stream.codec_context.name
            if not passenger:
                advice = "try mkv, or another video codec such as ffv1"
                raise ValueError(f"{form} with {video} cannot hold this clip ({reason}): {advice}") from error
            if form == _TAKES_ALL:
                raise CorruptFileError(f"{passenger} makes no sense ({reason})", chunk="packets") from error
            raise ValueError(f"{form} cannot hold {passenger} ({reason}): try mkv") from error

    def write_packets(self, group: PacketGroup, shift: Fraction = Fraction(0)) -> None:
        """Write packets of a stream, moved by so many seconds.

        Raises:
            ValueError: the container does not take one. CorruptFileError: it takes all, but not this one.
        """
        if group.stream >= len(self._others):
            return
        target, stream = self._others[group.stream], self._streams[group.stream]
        if target is None:
            return
        for packet in group.packets:
            try:
                with self._blaming(f"a packet of its {stream.media.name.lower()} ({stream.codec})"):
                    self._file.mux(to_av(packet, stream, target, round(shift / stream.tick)))
            except CorruptFileError as error:
                if self._told is None:
                    raise
                self._told(error)

    def finish(self) -> None:
        """Write what is held, and the end."""
        for due, slot in self._slots.finish() if self._slots is not None else ():
            self._encode(due, slot, 1)
        with self._blaming():
            self._file.mux(self._track.stream.encode(None))
            self._file.close()


def _opened(stream: BinaryIO, container: Container) -> OutputContainer:
    options = {}
    if container.name in ("mp4", "mov"):
        can_return = {} if is_seekable(stream) else {"movflags": _FRAGMENTS}
        options = {"movie_timescale": _EDITS_PER_S} | can_return
    if container.name == "yuv4mpegpipe":
        options["strict"] = "-1"  # more than 8 bits
    file = av.open(stream, "w", format=container.name, container_options=options)
    assert isinstance(file, OutputContainer)
    return file
