"""What is asked of the encoder of a picture, refused before anything is loaded where it makes no sense."""

import math
from dataclasses import dataclass
from enum import Enum
from operator import index
from typing import SupportsIndex

from ..bitstream.resampling import FACTORS
from ..models import zoo
from ..models.effort import DEFAULT_EFFORT, EFFORTS, REFINABLE
from ..models.spec import ModelSpec
from .still.resilience import check_resilience

TILES = tuple(1 << log2 for log2 in range(6, 11))  # sides that can be asked for, pixels


class Aim(Enum):
    """What is aimed at: at most so many bytes or bits per pixel, or at least so many dB of PSNR."""

    BYTES = "bytes"
    BPP = "bits per pixel"
    PSNR_DB = "dB"


SLACK = {Aim.BYTES: 0.01, Aim.BPP: 0.01, Aim.PSNR_DB: 0.05}  # log of the size, dB


@dataclass(frozen=True, slots=True)
class Target:
    """An aim and its value, above 0."""

    aim: Aim
    value: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.value) and self.value > 0):
            raise ValueError(f"a target must be a number of {self.aim.value} above 0, not {self.value}")

    def miss(self, found: float) -> float:
        """How far a result lies above the target: log of the ratio for sizes, dB for PSNR."""
        return found - self.value if self.aim is Aim.PSNR_DB else math.log(found / self.value)

    @property
    def accepted(self) -> tuple[float, float]:
        """The misses that end the search: sizes just below the target, PSNR just above."""
        slack = SLACK[self.aim]
        return (0.0, slack) if self.aim is Aim.PSNR_DB else (-slack, 0.0)


def target_of(size: int | None, bpp: float | None, psnr_db: float | None) -> Target | None:
    """The one target among what a caller gave. Raises ValueError for several, or for one out of range."""
    given = {Aim.BYTES: size, Aim.BPP: bpp, Aim.PSNR_DB: psnr_db}
    targets = [Target(aim, value) for aim, value in given.items() if value is not None]
    if len(targets) > 1:
        raise ValueError(f"one target at a time, not {' and '.join(t.aim.value for t in targets)}")
    return targets[0] if targets else None


@dataclass(frozen=True, slots=True)
class Wish:
    """How a picture is to be encoded.

    quality, stages, target: at most one is not None. tile: side of the tiles, pixels. resilience: how much of
    the file may be lost and the picture be whole, percent. resampling: by which the sides are divided before
    they are coded; None for 1, or for what a target's size asks for.
    Raises:
        ValueError: several of the three, no such tile or resampling, or a resilience out of range.
    """

    quality: float | None = None
    stages: int | None = None
    target: Target | None = None
    tile: int = TILES[-1]
    resilience: int | None = None
    effort: int = DEFAULT_EFFORT
    resampling: int | None = None

    def __post_init__(self) -> None:
        for name in ("effort", "tile", "resampling", "stages", "resilience"):
            object.__setattr__(self, name, _whole(name, getattr(self, name)))
        check_resilience(self.resilience)
        if not 0 <= self.effort < len(EFFORTS):
            raise ValueError(f"effort must be 0 to {len(EFFORTS) - 1}, not {self.effort}")
        if self.tile not in TILES:
            raise ValueError(f"tile must be one of {', '.join(map(str, TILES))} pixels, not {self.tile}")
        if self.resampling not in (None, *FACTORS):
            raise ValueError(
                f"resampling must be one of {', '.join(map(str, FACTORS))}, not {self.resampling}"
            )
        if sum(each is not None for each in (self.quality, self.stages, self.target)) > 1:
            raise ValueError(
                "quality, stages and target exclude each other: each of them chooses the quality"
            )

    @property
    def tile_log2(self) -> int:
        return self.tile.bit_length() - 1

    def quality_of(self, spec: ModelSpec) -> float:
        """The quality to encode with by a model; what a target or stages choose takes its place.

        Raises:
            ValueError: something that the model does not have.
        """
        zoo.check_codes_pictures(spec)
        if self.target and spec.quality is not None:
            raise ValueError("a target chooses the quality: give a model that has more than one")
        zoo.check_stages(spec, self.stages)
        if self.resilience is not None and not spec.stages:
            raise ValueError(
                f"model '{spec.name}' does not code in stages: only files of one that does are resilient"
            )
        if spec.stages and (self.resampling or 1) > 1:
            raise ValueError(f"model '{spec.name}' codes in stages: such pictures are not resampled")
        if spec.stages and self.effort > DEFAULT_EFFORT:
            raise ValueError(f"model '{spec.name}' takes no effort of {self.effort}: {REFINABLE}")
        return zoo.quality_for(spec, self.quality)


def _whole(name: str, value: SupportsIndex | None) -> int | None:
    """An int of any kind of whole number, such as numpy's; None of None. Raises ValueError for others."""
    try:
        return None if value is None else index(value)
    except TypeError:
        raise ValueError(f"{name} must be a whole number, not {value!r}") from None
