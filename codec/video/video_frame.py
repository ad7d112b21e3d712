"""VideoFrame: what a clip's reader gives for each frame."""

from dataclasses import dataclass
from fractions import Fraction

from PIL import Image

from ..frame import Frame, Samples


@dataclass(frozen=True, slots=True, eq=False)
class VideoFrame:
    """One decoded frame, upright.

    pixels: [H, W, 3] (grey: [H, W, 1]) uint8 or uint16, full range, with the clip's primaries and transfer.
    number: 0 for the first frame. time, duration: seconds, exact as fractions in `ticks` of the clip;
    duration is 0 if unknown.
    """

    pixels: Samples
    number: int
    ticks: int
    duration_ticks: int
    tick: Fraction

    @property
    def time(self) -> float:
        """When the frame is shown, seconds."""
        return float(self.ticks * self.tick)

    @property
    def duration(self) -> float:
        """For how long, seconds; 0 if until the next frame."""
        return float(self.duration_ticks * self.tick)

    def to_pil(self) -> Image.Image:
        """A Pillow image of 8 bits."""
        return Frame(self.pixels).to_eight_bits().to_pil()
