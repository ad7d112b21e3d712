"""Media out: frames and packets into any container that FFmpeg writes, with the clip's own times."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from typing import BinaryIO

import av
from av.codec.context import Flags
from av.container import OutputContainer
from av.error import FFmpegError
from av.stream import Stream as AvStream
from av.video.stream import VideoStream

from ...bitstream.clip import ClipFormat, Sampling, Siting
from ...bitstream.clip_reader import PacketGroup
from ...bitstream.clip_streams import Stream
from ...bitstream.errors import LimitExceededError, UnsupportedVersionError
from ...bitstream.header import Header
from ..errors import MediaWarning
from ..frame import Samples
from ..orientation import swaps_sides, turn_upright, upright_size
from .colours import BT709_MATRIX, UNKNOWN_MATRIX, has_known_matrix, matrix_out, no_such_matrix, range_out
from .containers import Container, Words, find_encoder
from .passengers import add_stream, to_av
from .pixel_format import choose_format
from .pixels import FromRgb
from .times import DEFAULT_RATE
from .turning import matrix_of

MAX_REPEATS = 2**16  # of one frame at a constant rate, 44 minutes at 25 a second; a file may claim years
MAX_SECONDS = 2**31  # from 0, 68 years; times of more can overflow in FFmpeg, and be wrong without an error


class MediaSink:
    """An output that takes frames in the order in which they are shown, and packets between them.

    Args:
        stream: binary, open for writing.
        container, codec: what to write; `codec` None for the container's own.
        header, streams, tags: of the clip.
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
    ) -> None:
        assert header.clip is not None
        self._container, self._clip = container, _as_written(header.clip, container)
        if not has_known_matrix(self._clip.sampling, self._clip.matrix):
            raise UnsupportedVersionError(
                f"{no_such_matrix(self._clip.matrix)}: decode to pictures such as frame%04d.png, which have "
                "none",
                chunk="header",
            )
        self._orientation = 1 if container.turns else header.orientation
        turned = swaps_sides(self._orientation)
        size = upright_size((header.width, header.height), self._orientation)
        options = {}
        if container.name in ("mp4", "mov"):
            options = {"movie_timescale": _EDITS_PER_S} | (
                {} if stream.seekable() else {"movflags": _FRAGMENTS}
            )
        if container.name == "yuv4mpegpipe":
            options["strict"] = "-1"  # more than 8 bits
        file = av.open(stream, "w", format=container.name, container_options=options)
        assert isinstance(file, OutputContainer)
        self._file = file
        self._file.metadata.update(tags)
        self._video = self._add_video(codec or container.codec, size, turned)
        if container.turns and header.orientation != 1:
            self._video.set_display_matrix(matrix_of(header.orientation))
        self._others: list[AvStream | None] = []
        self._streams = streams if container.streams else ()
        self._others = [add_stream(self._file, each) for each in self._streams]
        # A y4m file states the centre for halved samples, and PyAV cannot make it state anything else.
        siting = Siting.CENTER if container.name == "yuv4mpegpipe" else self._clip.siting
        self._from_rgb = FromRgb(replace(self._clip, siting=siting), self._format)
        self._slots = 0  # frames written, where frames have no times
        self._left_out = False  # whether a frame was, for lack of a slot
        self._held: tuple[Samples, int, int] | None = None

    def _add_video(self, codec: str, size: tuple[int, int], turned: bool) -> VideoStream:
        clip = self._clip
        encoder, options = find_encoder(codec)
        self._format = choose_format(encoder, clip, size, self._container.rgb)
        self._rate = clip.rate or DEFAULT_RATE
        stream = self._file.add_stream(encoder, rate=self._rate, options=dict(options))
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt = self._format
        self._tick = clip.tick if self._container.timed else 1 / self._rate
        stream.time_base = self._tick
        context = stream.codec_context
        context.time_base = self._tick
        context.thread_type = "AUTO"
        context.flags |= Flags.frame_duration  # else the last frame gets that of the one before
        if clip.aspect:
            context.sample_aspect_ratio = 1 / clip.aspect if turned else clip.aspect
        context.color_primaries, context.color_trc = clip.primaries, clip.transfer
        if not av.VideoFormat(self._format).is_rgb:
            context.colorspace, context.color_range = matrix_out(clip), range_out(clip)
        return stream

    def write(self, pixels: Samples, time: int, duration: int) -> None:
        """Write a frame [H, W, channels] as stored, shown at `time` for `duration` ticks of the clip.

        Raises:
            LimitExceededError: the container has a constant rate, and one frame stands too long in it; or
            one has times, and this one is too far from 0.
            ValueError: container or codec do not take the frame.
        """
        upright = turn_upright(pixels, self._orientation)
        if self._container.timed:
            self._check_time(time, duration)
            self._encode(upright, time, duration)
            return
        # At a constant rate the one before stands until this one comes.
        if self._held is not None:
            self._fill(time)
        self._held = upright, time, duration

    def _fill(self, until: int) -> None:
        """Write the held frame as often as it takes to reach a time, counted from 0: what is rounded then
        never adds up. One that comes when more slots are filled than have gone by is left out.

        Warns:
            MediaWarning: with the first that is left out.
        Raises:
            LimitExceededError: it takes too often.
        """
        assert self._held is not None
        pixels, time, _ = self._held
        slots = round(until * self._clip.tick * self._rate)
        if slots < self._slots:
            self._leave_out(time)
            return
        repeats = max(1, slots - self._slots)
        if repeats > MAX_REPEATS:
            raise LimitExceededError(
                f"the frame at {float(time * self._clip.tick):g} s would be written {repeats} times at "
                f"{float(self._rate):g} frames a second, at most {MAX_REPEATS}: "
                "decode to mkv or mp4, where frames have times"
            )
        for _ in range(repeats):
            self._encode(pixels, self._slots, 1)
            self._slots += 1

    def _leave_out(self, time: int) -> None:
        if not self._left_out:
            self._left_out = True
            warnings.warn(
                f"frames come faster than {float(self._rate):g} a second, the constant rate of "
                f"{self._container.name}: some are left out, from {float(time * self._clip.tick):g} s on; "
                "mkv and mp4 hold all",
                MediaWarning,
                stacklevel=2,
            )

    def _check_time(self, time: int, duration: int) -> None:
        """Raises LimitExceededError."""
        begin, length = float(time * self._clip.tick), float(duration * self._clip.tick)
        if max(abs(begin), abs(begin + length)) > MAX_SECONDS:
            raise LimitExceededError(
                f"a frame is shown at {begin:g} s for {length:g} s, times in {self._container.name} go to "
                f"{MAX_SECONDS} s, 68 years: decode to pictures such as frame%04d.png, which have no times"
            )

    def _encode(self, pixels: Samples, time: int, duration: int) -> None:
        frame = self._from_rgb(pixels, time)
        frame.time_base = self._tick
        frame.duration = duration
        with self._blaming():
            self._file.mux(self._video.encode(frame))

    @contextmanager
    def _blaming(self, passenger: str = "") -> Iterator[None]:
        """Say FFmpeg's errors in our words; the disk's stay what they are."""
        try:
            yield
        except (FFmpegError, OverflowError) as error:
            if isinstance(error, OSError):
                raise
            reason = error.strerror if isinstance(error, FFmpegError) else str(error)
            form, video = self._container.name, self._video.codec_context.name
            what = (
                f"{form} cannot hold {passenger}"
                if passenger
                else f"{form} with {video} cannot hold this clip"
            )
            advice = "try mkv" if passenger else "try mkv, or another video codec such as ffv1"
            raise ValueError(f"{what} ({reason}): {advice}") from error

    def write_packets(self, group: PacketGroup, shift: Fraction = Fraction(0)) -> None:
        """Write packets of a stream, moved by so many seconds."""
        if group.stream >= len(self._others):
            return
        target, stream = self._others[group.stream], self._streams[group.stream]
        if target is None:
            return
        for packet in group.packets:
            with self._blaming(f"a packet of its {stream.media.name.lower()} ({stream.codec})"):
                self._file.mux(to_av(packet, stream, target, round(shift / stream.tick)))

    def finish(self) -> None:
        """Write what is held, and the end."""
        if self._held is not None:
            _, time, duration = self._held
            self._fill(time + (duration or round(1 / (self._rate * self._clip.tick))))
        with self._blaming():
            self._file.mux(self._video.encode(None))
            self._file.close()


def _as_written(clip: ClipFormat, container: Container) -> ClipFormat:
    """The clip, with a matrix where it had none: one that players are told, or the one that they take."""
    if clip.sampling is not Sampling.RGB:
        return clip
    return replace(clip, matrix=BT709_MATRIX if container.tagged else UNKNOWN_MATRIX)


_EDITS_PER_S = "90000"  # how finely an MP4 says when sound begins; FFmpeg's default is milliseconds
_FRAGMENTS = "frag_keyframe+delay_moov+default_base_moof"  # of an MP4 whose front is not written last
