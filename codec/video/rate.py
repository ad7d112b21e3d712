"""Rate control: the quality of the next frame, so that the clip comes out at a bitrate."""

import math
import warnings

from ..errors import MediaWarning, TargetError
from .group_model import GroupModel
from .plan import Plan
from .qualities import Pattern

TOLERANCE = 0.05  # of the bitrate, up or down
# Seconds after which what was spent is to be what was allowed: at the first end of a group that is as far
# away as the first of them, and no further away than the second.
_STREAM_S = (1.0, 3.0)
_FILE_S = (6.0, 10.0)  # where the end is known: there, more patience costs nothing and quality changes less
_FURTHEST = 2000  # frames, however little time there is between them
_END_S = 0.5  # this close to the end nothing is forced any more
# Quality changes by so many points per second at most; if more are missing, by this share of them with
# each frame.
_PACE, _SHARE = 25.0, 0.2
_NEAR = 1.0  # quality points: a first frame that is as near to what it should be is good enough
_RESERVE = 0.1  # of the bitrate, which a frame has whatever was spent before
_INHERIT = 0.7  # of what a new scene's key frame costs more, the frames behind it are expected to
# The mean time from one frame to the next is one over so many frames, or over so many seconds, if fewer.
_GAP_GAIN, _GAP_MEMORY_S = 1 / 16, 1.0


class RateControl:
    """Chooses the nominal quality of each frame of a clip, and is told what it cost.

    Args:
        plan: bitrate and, if known, length.
        gop: frames from one key frame to the next, 1 if there are only key frames, whatever the plan says.
        pattern: of qualities within a group.
        pixels: of a frame. gap_s: from one frame to the next, as far as known.
    """

    def __init__(self, plan: Plan, gop: int, pattern: Pattern, pixels: int, gap_s: float) -> None:
        assert plan.bits_per_s is not None, "without a bitrate there is nothing to control"
        self._rate, self._gop, self._pattern = plan.bits_per_s, gop, pattern
        self._gap_s, self._length_s = gap_s, plan.length_s
        self._model = GroupModel(gop, pattern, pixels)
        self._start_s = self._time_s = self._shown_s = 0.0  # of the first frame, the last one; its duration
        self._frames = self._lowest = self._highest = 0  # all, those at an end of the scale
        self._bits = self._quality_sum = 0.0
        self._last: float | None = None  # nominal quality of the frame before
        self.nominal = self._solve(0, 0.0)

    @property
    def mean_quality(self) -> float:
        """Of the frames so far, nominal, 0 to 100."""
        return min(max(self._quality_sum / max(self._frames, 1), 0.0), 100.0)

    @property
    def bits(self) -> float:
        """Of the frames so far."""
        return self._bits

    @property
    def length_s(self) -> float:
        """Of the clip so far, with the last frame's duration."""
        return self._time_s - self._start_s + (self._shown_s or self._gap_s)

    @property
    def bitrate(self) -> float:
        """Of the frames so far, bits per second."""
        return self._bits / self.length_s

    @property
    def is_at_lowest(self) -> bool:
        """Whether most frames had quality 0."""
        return 2 * self._lowest > self._frames

    @property
    def is_lowest_throughout(self) -> bool:
        """Whether all frames had quality 0: nothing can cost less."""
        return self._lowest == self._frames

    @property
    def is_at_highest(self) -> bool:
        """Whether most frames had quality 100."""
        return 2 * self._highest > self._frames

    def choose(self, place: int, time_s: float, shown_s: float) -> float:
        """The nominal quality of the next frame.

        Args:
            place: in its group, 0 for a key frame.
            time_s: when it is shown. shown_s: for how long, 0 if unknown.
        """
        if not self._frames:
            self._start_s = time_s
        elif time_s > self._time_s:
            gap = time_s - self._time_s
            share = min(max(_GAP_GAIN, gap / _GAP_MEMORY_S, 1 / (self._frames + 1)), 0.5)
            self._gap_s += (gap - self._gap_s) * share
        self._time_s, self._shown_s = time_s, shown_s
        self.nominal = self._limited(self._solve(place, shown_s))
        return self.nominal

    def reconsider(self, bits: float) -> float | None:
        """Another nominal quality for the first frame, if a try that cost so many bits was far off."""
        self._learn_key(bits, is_new=True)
        better = self._solve(0, self._shown_s)
        if abs(better - self.nominal) < _NEAR:
            return None
        self.nominal = better
        return better

    def spend(self, place: int, bits: float, is_key: bool) -> None:
        """Take in what the frame cost that was coded with the quality chosen last."""
        if is_key:
            self._learn_key(bits, is_new=place > 0 or not self._frames)
        else:
            self._model.learn_inter(place, self.nominal, bits)
        self._bits += bits
        self._frames += 1
        self._last = self.nominal
        self._quality_sum += self.nominal
        self._lowest += self.nominal <= self._pattern.lowest + 0.01
        self._highest += self.nominal >= self._pattern.highest - 0.01

    def check(self) -> None:
        """Say at the end whether the target was met.

        Raises:
            TargetError: too much, although most frames had quality 0.
        Warns:
            MediaWarning: quality 100 costs less, or the clip is too short.
        """
        wanted, got = f"{self._rate / 1000:g} kbit/s", f"{self.bitrate / 1000:.4g} kbit/s"
        ratio = self.bitrate / self._rate
        if abs(ratio - 1) <= TOLERANCE:
            return
        if ratio > 1 and self.is_at_lowest:
            least = "cannot be met: quality 0 gives no less than"
            most = "was not met: with most frames at quality 0 it became"
            raise TargetError(
                f"a target of {wanted} {least if self.is_lowest_throughout else most} {got}; "
                "fewer pixels or frames per second would need less"
            )
        if ratio < 1 and self.is_at_highest:
            reason = "more than quality 100 needs"
        else:
            reason = f"not met in {self._frames} frames, {self.length_s:.2g} s"
        warnings.warn(f"the target of {wanted} is {reason}: it became {got}", MediaWarning, stacklevel=2)

    def _learn_key(self, bits: float, is_new: bool) -> None:
        """is_new: it begins a scene."""
        share = _INHERIT if self._frames else 1.0
        self._model.learn_key(self.nominal, bits, share if is_new else None)

    def _limited(self, nominal: float) -> float:
        """Not far from the frame before: a picture that gets better and worse is what one sees first."""
        if self._last is None:
            return nominal
        step = max(_PACE * self._gap_s, _SHARE * abs(nominal - self._last))
        return min(max(nominal, self._last - step), self._last + step)

    def _solve(self, place: int, shown_s: float) -> float:
        """The nominal quality at which the frames from this one to the horizon cost what is left for them."""
        count = self._horizon(place)
        span_s = count * self._gap_s
        here_s = (shown_s or self._gap_s) - self._gap_s  # which this frame is shown longer than others
        due = self._rate * (self._time_s - self._start_s) - self._bits
        allowed = self._rate * (span_s + here_s) + due * min(1.0, span_s / _END_S)
        allowed = max(allowed, _RESERVE * self._rate * span_s)
        turns = self._model.turns(place, count)
        low, high = self._pattern.lowest, self._pattern.highest
        while high - low > 0.01:
            middle = (low + high) / 2
            low, high = (low, middle) if self._model.bits(turns, middle) > allowed else (middle, high)
        return self._pattern.lowest if low == self._pattern.lowest else high

    def _horizon(self, place: int) -> int:
        """How many frames to look ahead."""
        nearest_s, furthest_s = _FILE_S if self._length_s else _STREAM_S
        rest = self._gop - place
        groups = max(0, math.ceil((nearest_s / self._gap_s - rest) / self._gop))
        furthest = min(math.ceil(furthest_s / self._gap_s), _FURTHEST)
        left = round((self._length_s - (self._time_s - self._start_s)) / self._gap_s)
        # A length that is over was a wrong one.
        return left if 0 < left < furthest else max(1, min(rest + groups * self._gop, furthest))
