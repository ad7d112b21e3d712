"""The shape of a VQ model: its stages of indices, and the widths of its networks."""

from dataclasses import dataclass, field

from ..transforms import ImageConfig

COARSE_PX, FINE_PX = 32, 16  # the two grids


@dataclass(frozen=True, slots=True)
class Stage:
    """One index a place: on a grid of `stride` pixels, out of a codebook of `codes` vectors."""

    stride: int
    codes: int

    @property
    def coarse(self) -> bool:
        """Whether it lies on the coarse grid."""
        return self.stride == COARSE_PX


def _stages() -> tuple[Stage, ...]:
    return (Stage(COARSE_PX, 1024),) * 2 + (Stage(FINE_PX, 256),) * 5


@dataclass(frozen=True, slots=True)
class VqConfig:
    """Stages (coarse ones first) and widths; `image` is the shape of the outer transforms.

    width: channels of the inner networks on either grid. vector: length of a codebook's vectors.
    blocks: of each inner network. level: of the image model whose transforms are the start.
    """

    stages: tuple[Stage, ...] = field(default_factory=_stages)
    width: int = 192
    vector: int = 32
    blocks: int = 2
    finish_blocks: int = 3
    level: float = 4.0
    image: ImageConfig = field(default_factory=ImageConfig)

    @property
    def coarse(self) -> tuple[Stage, ...]:
        """The stages on the coarse grid."""
        return tuple(stage for stage in self.stages if stage.coarse)

    @property
    def fine(self) -> tuple[Stage, ...]:
        """The stages on the fine grid."""
        return tuple(stage for stage in self.stages if not stage.coarse)

    def stages_of(self, quality: float) -> int:
        """How many stages a quality of 0 to 100 has."""
        count = len(self.stages)
        return min(count, 1 + int(quality * count / 100))
