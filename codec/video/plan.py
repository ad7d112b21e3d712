"""How a clip is to be encoded, beside its quality: distance of key frames, what is between, bitrate."""

import math
from dataclasses import dataclass, field

from ...models import zoo
from .gop import DEFAULT_GOP, gop_for


@dataclass(frozen=True, slots=True)
class Plan:
    """gop: frames from one key frame to the next, 1 for key frames only. inter: the model of those between.

    bits_per_s: of the frames on average, None for one quality. length_s: of the clip, frames: in it; both 0
    if unknown.
    """

    gop: int = DEFAULT_GOP
    bits_per_s: float | None = None
    length_s: float = 0.0
    frames: int = 0
    inter: zoo.ModelSpec = field(default_factory=zoo.find_inter)

    @property
    def group(self) -> int:
        """Frames of the longest group of pictures that there will be, as far as is known."""
        return min(self.gop, self.frames or self.gop)


DEFAULT_PLAN = Plan()


def plan_for(
    gop: int | None,
    target_bitrate: float | None,
    target_size: int | None,
    quality: float | None,
    own_quality: float | None,
    inter_model: str | None = None,
) -> Plan:
    """The plan that a caller asked for; that of a size comes once the clip is known.

    Args:
        quality: what was asked for, which excludes a target. own_quality: the only one of the model, if so.
        inter_model: None for the newest one that ships.
    Raises:
        ValueError: out of range, or what excludes each other; no such inter model.
    """
    if inter_model is not None and (gop == 1 or own_quality is not None):
        raise ValueError(
            f"model '{inter_model}' would have nothing to do: all frames are key frames with a gop of 1, or "
            "with an imported model"
        )
    given = {"quality": quality, "target_bitrate": target_bitrate, "target_size": target_size}
    names = [name for name, value in given.items() if value is not None]
    if len(names) > 1:
        raise ValueError(f"{' and '.join(names)} exclude each other: each of them chooses the quality")
    for name, value in (("target_bitrate", target_bitrate), ("target_size", target_size)):
        if value is None:
            continue
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"{name} must be a number above 0, not {value}")
        if own_quality is not None:
            raise ValueError("a target chooses the quality, of which this model has only one")
    return Plan(gop_for(gop), target_bitrate, inter=zoo.find_inter(inter_model))
