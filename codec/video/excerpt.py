"""The wanted part of a clip: which frames and packets belong to it, and how long frames stand in it."""

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor

from ...bitstream.clip_packets import PacketGroup
from ...bitstream.clip_streams import Stream
from .times import begin_s, meant_ticks

_LINGER_S = 1  # how long, behind the last frame, late packets of before are looked for


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What is shown from `start` on and before `end`, both in ticks; None for the clip's own."""

    tick: Fraction  # seconds
    start: Fraction | None
    end: Fraction | None

    @classmethod
    def between(cls, start_s: float | None, end_s: float | None, tick: Fraction) -> "Excerpt":
        """The part from one time to another, seconds. Raises ValueError: infinite, or no number."""
        start, end = (None if each is None else meant_ticks(each, tick) for each in (start_s, end_s))
        return cls(tick, start, end)

    @property
    def is_whole(self) -> bool:
        """Whether all is wanted."""
        return self.start is None and self.end is None

    @property
    def first(self) -> int | None:
        """The tick that is shown first, if there is a start."""
        return None if self.start is None else floor(self.start)

    def is_before(self, time: int) -> bool:
        """Whether a frame of this time begins too early."""
        return self.start is not None and time < self.start

    def is_behind(self, time: int) -> bool:
        """Whether a frame of this time begins too late."""
        return self.end is not None and time >= self.end

    def is_far_behind(self, time: int) -> bool:
        """Whether nothing of the wanted part comes any more where such a frame does."""
        return self.end is not None and time >= self.end + _LINGER_S / self.tick

    def cut(self, time: int, duration: int, until: int | None = None) -> tuple[int, int] | None:
        """Time and duration of a frame in the wanted part; None if it is over before that begins.

        Args:
            time, duration: as stored. until: when the next one comes, for one that begins before the start.
        """
        if until is not None and self.first is not None:
            time = max(time, self.first)
            if until <= time:
                return None
            duration = duration and until - time
        if self.end is not None and duration:
            duration = min(duration, max(1, ceil(self.end) - time))
        return time, duration

    def packets(self, group: PacketGroup, stream: Stream) -> PacketGroup | None:
        """The packets of a group that begin in the wanted part."""
        kept = []
        for packet in group.packets:
            begin = begin_s(packet, stream)
            ticks = None if begin is None else begin / self.tick
            early = self.start is not None and (ticks is None or ticks < self.start)
            if not early and (self.end is None or (ticks is not None and ticks < self.end)):
                kept.append(packet)
        return replace(group, packets=kept) if kept else None
