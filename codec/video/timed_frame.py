"""A frame and its time, as it comes out of a media file or of a .lnt clip."""

from dataclasses import dataclass

from ..frame import Samples


@dataclass(frozen=True, slots=True)
class TimedFrame:
    """One frame: pixels [H, W, 1 or 3] as stored; time and duration in ticks (0 if unknown)."""

    pixels: Samples
    time: int
    duration: int
