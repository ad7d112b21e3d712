"""What the frames of groups of pictures will cost at a nominal quality: key frames, and those between."""

from collections import Counter

from .qualities import Pattern
from .rate_model import RateModel

# What photographs cost, to begin with: bits per pixel of a key frame at quality 50, the share of it that an
# inter frame costs at the same quality, and ln bits per quality point of both. In a pattern, a frame that is
# better than those around it costs more than that: they lack what it adds.
_KEY_BPP, _INTER_SHARE, _KEY_SLOPE, _INTER_SLOPE, _BIAS = 0.9, 0.4, 0.028, 0.033, 0.04
_FRAME_BITS = 300  # of a frame, whatever the quality: checksum, hashes, lengths


class GroupModel:
    """Bits of key frames and inter frames, guessed, and learned from what they cost.

    Args:
        gop: frames from one key frame to the next, 1 if there are only key frames.
        pattern: of qualities within a group. pixels: of a frame.
    """

    def __init__(self, gop: int, pattern: Pattern, pixels: int) -> None:
        self._gop, self._pattern = gop, pattern
        bits = _KEY_BPP * pixels + _FRAME_BITS
        self._key = RateModel(bits, _KEY_SLOPE, gain=0.2 if gop == 1 else 0.5)
        mean = sum(pattern.inter) / len(pattern.inter)
        bias = [_BIAS * (offset - mean) for offset in pattern.inter]
        self._inter = RateModel(_INTER_SHARE * bits, _INTER_SLOPE, bias)

    def learn_key(self, nominal: float, bits: float, share: float | None) -> None:
        """Take in what a key frame cost.

        Args:
            nominal: its nominal quality. bits: what it cost.
            share: of what that is more than was expected, the frames behind it are expected to cost more;
                None if it begins no scene.
        """
        error = self._key.learn(self._pattern.quality(nominal, 0), 0, bits)
        if share is not None:
            self._inter.shift(error * share)

    def learn_inter(self, place: int, nominal: float, bits: float) -> None:
        """Take in what the inter frame at a place in its group cost."""
        self._inter.learn(self._pattern.quality(nominal, place), self._pattern.turn(place), bits)

    def turns(self, place: int, count: int) -> Counter[int]:
        """How many frames there are at each turn, of so many from a place in a group on; key frames at -1."""
        places = ((place + ahead) % self._gop for ahead in range(count))
        return Counter(self._pattern.turn(each) if each else -1 for each in places)

    def bits(self, turns: Counter[int], nominal: float) -> float:
        """Bits of these frames, all of one nominal quality."""
        total = 0.0
        for turn, count in turns.items():
            kind, place = (self._inter, turn + 1) if turn >= 0 else (self._key, 0)
            total += count * kind.bits(self._pattern.quality(nominal, place), max(turn, 0))
        return total
