"""Media in: decoded frames become pixels with times that rise and durations that fit."""

import warnings
from collections.abc import Generator, Iterable
from dataclasses import replace
from typing import TypeAlias

from av import VideoFrame

from ...bitstream.clip import ClipFormat
from ..errors import MediaWarning, UnreadableMediaError
from .demuxer import Demuxed, SourcePacket
from .media_file import blaming
from .pixels import ToRgb
from .timed_frame import TimedFrame
from .times import DEFAULT_RATE

_MOST_BEHIND = 4096  # packets that wait for the next frame; of a lasting picture more may come

Item: TypeAlias = TimedFrame | SourcePacket


class FrameTiming:
    """Gives each frame of one clip its time and duration.

    Args:
        clip, size: what all frames have in common; (width, height) in pixels.
        to_rgb: makes their pixels. name: what messages call the clip.
    """

    def __init__(self, clip: ClipFormat, size: tuple[int, int], to_rgb: ToRgb, name: str) -> None:
        self._clip, self._size, self._to_rgb, self._name = clip, size, to_rgb, name
        self._number = 0  # of the next frame
        self._last: int | None = None  # time of the frame before

    def items(self, demuxed: Iterable[Demuxed]) -> Generator[Item, None, None]:
        """Give all frames, in the order in which they are shown, and all packets between them.

        Warns:
            MediaWarning: times that do not rise.
        Raises:
            UnreadableMediaError: a frame of another size.
        """
        held: TimedFrame | None = None  # until the one behind it tells how long it stands
        behind: list[SourcePacket] = []
        for item in demuxed:
            if isinstance(item, SourcePacket):
                behind.append(item)
                if len(behind) < _MOST_BEHIND:
                    continue
                following = None
            else:
                following = self._timed(item)
            if held is not None:
                yield held if following is None else _until(held, following)
            yield from behind
            held, behind = following, []
        if held is not None:
            yield held
        yield from behind

    def _timed(self, frame: VideoFrame) -> TimedFrame:
        number, last, (width, height) = self._number, self._last, self._size
        if (frame.width, frame.height) != self._size:
            raise UnreadableMediaError(
                f"frame {number} of {self._name} is {frame.width}x{frame.height}, the first one "
                f"{width}x{height}: a clip has one size; ffmpeg -vf scale={width}:{height} gives it one"
            )
        time = frame.pts
        if time is None:
            step = 1 / (self._clip.rate or DEFAULT_RATE) / self._clip.tick
            time = round(number * step)
        if last is not None and time <= last:
            warnings.warn(
                f"frame {number} of {self._name} is shown at tick {time}, the one before at {last}: moved",
                MediaWarning,
                stacklevel=2,
            )
            time = last + 1
        with blaming(self._name):
            pixels = self._to_rgb(frame)
        self._number, self._last = number + 1, time
        return TimedFrame(pixels, time, max(0, frame.duration or 0))


def _until(frame: TimedFrame, following: TimedFrame) -> TimedFrame:
    """The frame, with the duration that lies between it and the next one, if it had any.

    FFmpeg tells durations of frames that are not coded in the order in which they are shown in the wrong one.
    """
    return replace(frame, duration=following.time - frame.time) if frame.duration else frame
