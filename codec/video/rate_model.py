"""What a frame will cost at a quality: an exponential, fitted while a clip is encoded."""

import math
from collections.abc import Sequence

_PIVOT = 50.0  # quality at which the level stands
_BIAS_GAIN = 0.15  # share of an error that is learned at once of a single turn
_SURPRISE = 0.45  # errors of such a mean, ln, say that it is not chance
_DOUBT = 400.0  # squared quality points: moves of this size weigh as much as the slope to begin with
_MEMORY = 0.98  # of a move, from one to the next
_BEND = 1.6  # the slope stays within this factor of the one to begin with


class RateModel:
    """ln bits = level + bias of the turn + slope * (quality - 50), for frames of one kind.

    Args:
        bits: of a frame at quality 50, to begin with.
        slope: ln bits per quality point, to begin with.
        bias: ln bits of places that differ, as the frames of a pattern do, to begin with.
        gain: share of an error that is learned at once, when many frames were seen.
    """

    def __init__(self, bits: float, slope: float, bias: Sequence[float] = (0.0,), gain: float = 0.2) -> None:
        self._level, self._slope, self._first_slope = math.log(bits), slope, slope
        self._bias, self._gain = list(bias), gain
        self._last: list[tuple[float, float] | None] = [None] * len(self._bias)  # quality and ln bits
        self._squares = self._products = 0.0
        self._prior = 0  # frames that the guess counts for
        self._drift = 0.0  # of the errors
        self._seen = 0  # frames since the last restart

    def bits(self, quality: float, turn: int) -> float:
        """Bits of a frame, above 0."""
        return math.exp(self._level + self._bias[turn] + self._slope * (quality - _PIVOT))

    def learn(self, quality: float, turn: int, bits: float) -> float:
        """Take in what a frame cost; returns the error of the guess, ln of the ratio."""
        found = math.log(max(bits, 1.0))
        error = found - math.log(self.bits(quality, turn))
        self._learn_slope(quality, found, turn)
        self._drift += (error - self._drift) / 2
        if abs(self._drift) > _SURPRISE:
            self._restart()
        self._seen += 1
        self._level += max(self._gain, 1 / (self._seen + self._prior)) * error
        if self._seen > len(self._bias):
            own = _BIAS_GAIN * error
            self._bias = [bias - own / len(self._bias) for bias in self._bias]  # their mean stays 0
            self._bias[turn] += own
        return error

    def shift(self, error: float) -> None:
        """Expect frames that cost exp(error) times as much: another scene begins."""
        self._level += error
        self._last = [None] * len(self._last)
        self._restart()

    def _restart(self) -> None:
        """Learn quickly again."""
        self._seen, self._prior, self._drift = 0, 1, 0.0

    def _learn_slope(self, quality: float, found: float, turn: int) -> None:
        """From moves alone: what frames cost at one quality says nothing about the slope."""
        last, self._last[turn] = self._last[turn], (quality, found)
        if last is None or quality == last[0]:
            return
        move = quality - last[0]
        self._squares = _MEMORY * self._squares + move**2
        self._products = _MEMORY * self._products + move * (found - last[1])
        fitted = (self._products + _DOUBT * self._first_slope) / (self._squares + _DOUBT)
        slope = min(max(fitted, self._first_slope / _BEND), self._first_slope * _BEND)
        self._level += (self._slope - slope) * (quality - _PIVOT)  # here the guess stays what it was
        self._slope = slope
