"""Media out: frames with times of their own at a constant rate, each written as often as it stands."""

import warnings
from collections.abc import Iterator
from fractions import Fraction

from ...bitstream.errors import LimitExceededError
from ..errors import MediaWarning
from ..frame import Samples

_MAX_REPEATS = 2**16  # of one frame, 44 minutes at 25 a second; a file may claim years


class ConstantRate:
    """Puts frames into the slots of a container that has no other times.

    Args:
        tick: unit of the frames' times, seconds. rate: slots per second.
        container: its name, for messages.
    """

    def __init__(self, tick: Fraction, rate: Fraction, container: str) -> None:
        self._tick, self._rate, self._container = tick, rate, container
        self._slots = 0  # filled
        self._left_out = False  # whether a frame was, for lack of a slot
        self._held: tuple[Samples, int, int] | None = None  # stands until the next one comes

    def take(self, pixels: Samples, time: int, duration: int) -> Iterator[tuple[Samples, int]]:
        """Take the next frame, its time and duration in ticks; gives the one before for each slot it fills.

        Warns:
            MediaWarning: with the first that is left out.
        Raises:
            LimitExceededError: the one before stands too long.
        """
        if self._held is not None:
            yield from self._fill(time)
        self._held = pixels, time, duration

    def finish(self) -> Iterator[tuple[Samples, int]]:
        """Give the last frame for each slot that it fills."""
        if self._held is not None:
            _, time, duration = self._held
            yield from self._fill(time + (duration or round(1 / (self._rate * self._tick))))

    def _fill(self, until: int) -> Iterator[tuple[Samples, int]]:
        """Give the held frame as often as it takes to reach a time, counted from 0: what is rounded then
        never adds up. One that comes when more slots are filled than have gone by is left out.
        """
        assert self._held is not None
        pixels, time, _ = self._held
        slots = round(until * self._tick * self._rate)
        if slots < self._slots:
            self._leave_out(time)
            return
        repeats = max(1, slots - self._slots)
        if repeats > _MAX_REPEATS:
            raise LimitExceededError(
                f"the frame at {float(time * self._tick):g} s would be written {repeats} times at "
                f"{float(self._rate):g} frames a second, at most {_MAX_REPEATS}: "
                "decode to mkv or mp4, where frames have times"
            )
        for _ in range(repeats):
            yield pixels, self._slots
            self._slots += 1

    def _leave_out(self, time: int) -> None:
        if not self._left_out:
            self._left_out = True
            warnings.warn(
                f"frames come faster than {float(self._rate):g} a second, the constant rate of "
                f"{self._container}: some are left out, from {float(time * self._tick):g} s on; "
                "mkv and mp4 hold all",
                MediaWarning,
                stacklevel=2,
            )
