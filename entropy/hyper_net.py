"""The hyper-synthesis in integers: what the hyper-latents say of all latents."""

from dataclasses import dataclass

from torch import Tensor

from .block import ExactBlock
from .integers import exact_add, upsample
from .linear import ExactLinear
from .tensor_source import TensorSource, require


@dataclass(frozen=True)
class HyperNet:
    """Hyper-latents [N, h, w, C] -> hyper features [N, 4h, 4w, prior], integers in and out."""

    grid: Tensor  # [C] powers of two: hyper-latents to the first residual grid
    block1: ExactBlock
    up1: ExactLinear
    block2: ExactBlock
    up2: ExactLinear
    level_bias: Tensor  # [levels, prior]

    def __call__(self, z: Tensor, level: int) -> Tensor:
        bound = self.block1.bound
        x = upsample(self.up1(self.block1((z * self.grid).clamp_(-bound, bound))))
        x = upsample(self.up2(self.block2(x)))
        return exact_add(x, self.level_bias[level], -bound, bound)

    def certify(self) -> int:
        """See ExactBlock.certify."""
        layers = self.up1.certify(self.block1.bound), self.up2.certify(self.block2.bound)
        return max(self.block1.certify(), self.block2.certify(), *layers)


def read_hyper_net(source: TensorSource) -> HyperNet:
    """The tensors below `hyper.` as a network."""
    block1, block2 = source.block("hyper.block1"), source.block("hyper.block2")
    up1 = source.linear("hyper.up1", block1.bound)
    require(up1.output_max <= block2.bound, "hyper.up1 reaches beyond the bound of hyper.block2")
    return HyperNet(
        grid=source.tensor("hyper.grid"),
        block1=block1,
        up1=up1,
        block2=block2,
        up2=source.linear("hyper.up2", block2.bound),
        level_bias=source.tensor("hyper.level_bias"),
    )
