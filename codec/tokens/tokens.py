"""A picture as integers: the codebook indices of a VQ model, to train on in place of pixels."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...bitstream.errors import LinnetError
from ...models.vq.config import FINE_PX, Stage

Int32 = NDArray[np.int32]
Grid = NDArray[np.uint16]
HASH_DIGITS = 16


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """The indices of one picture, stage by stage; any prefix of the stages is a picture too.

    Attributes:
        grids: uint16 [ceil(height / stride), ceil(width / stride)] for each stage, values 0 to codes - 1.
        stages: stride in pixels and number of codes of each.
        width, height: of the picture in pixels, as coded.
        model, weights_hash: whose codebooks these are; the hash is 16 hexadecimal digits.
        name: what the picture is called, for people.
        orientation: 1 to 8, EXIF meaning: how the decoded picture is to be turned. 1 is upright.
        repairs: damage to the .lnt file they were read from which its other shares made good; not saved.
    Raises:
        ValueError: a shape, type or index outside the above.
    """

    grids: tuple[Grid, ...]
    stages: tuple[Stage, ...]
    width: int
    height: int
    model: str
    weights_hash: str
    name: str = ""
    orientation: int = 1
    repairs: tuple[LinnetError, ...] = ()

    def __post_init__(self) -> None:
        if not self.grids or len(self.grids) != len(self.stages):
            raise ValueError(f"{len(self.grids)} grids for {len(self.stages)} stages: one each, at least one")
        if min(self.width, self.height) < 1 or not 1 <= self.orientation <= 8:
            raise ValueError(
                f"a picture of {self.width}x{self.height} pixels in orientation {self.orientation}: sides "
                "are at least 1, orientations 1 to 8"
            )
        for number, (grid, stage) in enumerate(zip(self.grids, self.stages, strict=True)):
            shape = self._shape(stage)
            if grid.dtype != np.uint16 or grid.shape != shape:
                raise ValueError(
                    f"stage {number} of {self.width}x{self.height} pixels must be uint16 {list(shape)}, not "
                    f"{grid.dtype} {list(grid.shape)}"
                )
            if (largest := int(grid.max())) >= stage.codes:
                raise ValueError(
                    f"stage {number} has the index {largest}, its codes are 0 to {stage.codes - 1}"
                )

    @property
    def count(self) -> int:
        """How many indices there are in all."""
        return sum(grid.size for grid in self.grids)

    def first(self, stages: int) -> "Tokens":
        """The same picture by fewer stages. Raises ValueError: not 1 to as many as there are."""
        check_stages(stages, len(self.stages), f"'{self.name}'" if self.name else "the picture")
        return replace(self, grids=self.grids[:stages], stages=self.stages[:stages])

    def array(self, stages: int) -> Int32:
        """Int32 [ceil(height / 16), ceil(width / 16), stages]: index + 1, and 0 of stages beyond these."""
        height, width = self._shape(Stage(FINE_PX, 1))
        array = np.zeros((height, width, stages), np.int32)
        for number, (grid, stage) in enumerate(zip(self.grids, self.stages, strict=True)):
            times = stage.stride // FINE_PX
            spread = grid.repeat(times, axis=0).repeat(times, axis=1)
            array[..., number] = spread[:height, :width].astype(np.int32) + 1
        return array

    def _shape(self, stage: Stage) -> tuple[int, int]:
        return -(-self.height // stage.stride), -(-self.width // stage.stride)


def grids_of(array: Int32, stages: tuple[Stage, ...]) -> tuple[Grid, ...]:
    """The grid of each stage from a token array [h, w, at least as many stages], all of it known."""
    steps = [stage.stride // FINE_PX for stage in stages]
    own = [array[::step, ::step, number] - 1 for number, step in enumerate(steps)]
    return tuple(np.ascontiguousarray(grid.astype(np.uint16)) for grid in own)


def check_stages(stages: int, most: int, what: str) -> None:
    """Raises ValueError unless `stages` is 1 to `most`; `what` has that many, for the message."""
    if not 1 <= stages <= most:
        raise ValueError(f"stages must be 1 to {most}, not {stages}: {what} has {most}")
