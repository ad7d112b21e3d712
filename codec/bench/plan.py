"""What a benchmark is to measure, and what it has measured: a plan, its points, a row for each of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .adapters.base import Adapter, CodecOptions
from .items import Item
from .media import PICTURES, Medium
from .metrics import Metric


@dataclass(frozen=True, slots=True)
class Point:
    """One file to be made. matched: not of the curve, but to have files of one size to look at."""

    item: Item
    codec: str
    value: float
    matched: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """What became of a point; error is empty where all went well.

    key: of the coded file in the cache. bpp: bits of the whole file per pixel of all frames. series: metrics
    of each frame of a clip.
    """

    point: Point
    key: str = ""
    bytes: int = 0
    bpp: float = 0.0
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    encode_s: float = 0.0
    decode_s: float = 0.0
    error: str = ""
    series: Mapping[str, Sequence[float | None]] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """The point in words."""
        return f"{self.point.item.name}: {self.point.codec} at {self.point.value:g}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure, all of one medium.

    adapters: by their spec. values: of each codec's knob. metrics: their keys. match_bpp: the size that files
    for the eye are brought to, None for none.
    """

    items: Sequence[Item]
    adapters: Mapping[str, Adapter]
    values: Mapping[str, Sequence[float]]
    metrics: Sequence[str]
    options: CodecOptions
    match_bpp: float | None = None
    medium: Medium = PICTURES

    @property
    def known_metrics(self) -> list[Metric]:
        """What the keys name."""
        return [self.medium.metrics[key] for key in self.metrics]

    def points(self) -> list[Point]:
        """All points of the curves, item by item, codecs in turn: the time left can be foretold."""
        return [
            Point(item, spec, value)
            for item in self.items
            for spec in self.adapters
            for value in self.values[spec]
        ]
