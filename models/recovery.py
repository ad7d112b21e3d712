"""From the integers of a model file back to float networks: the inverse of `training.quantise`.

The integers of the exact path fix a float network up to the scale of what lies between its layers: a power
of two per channel that no output depends on. It is chosen so that each row of weights has the length that it
has when training begins.
"""

import math
from typing import TypeVar

import torch
from torch import Tensor, nn

from ..entropy.latents import MEAN_BITS
from ..entropy.prior_net import HEAD_MEAN_BITS, INDEX_BITS
from ..entropy.temporal_net import MOTION_CHANNELS
from .blocks import DepthConvBlock
from .image import INDEX_UNIT, HyperSynthesis, ImageModel, QuadtreePrior
from .inter.model import InterModel, TemporalContext
from .quality import LEVELS, LevelTable
from .weights import part

ROW_NORM = 0.58  # of torch's uniform start of a convolution: 1 / sqrt(3)


class Recovery:
    """Writes the integer tensors of a model file into float layers. A grid is an exponent per channel."""

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        self.tensors = tensors

    def layer(
        self, name: str, layer: nn.Conv2d, before: Tensor, after: Tensor | None, share: int = 1
    ) -> Tensor:
        """Fill `layer`, whose inputs lie on the grid `before`; returns the grid of its outputs.

        Args:
            after: that grid; None to choose it. share: so many outputs in a row lie on one grid.
        """
        assert layer.bias is not None
        weight = self.tensors[f"{name}.weight"].double()
        weight = weight * 2.0**before  # of a depthwise one the taps are stored [9, C]
        weight = weight.T if layer.groups > 1 else weight
        shift = self.tensors[f"{name}.shift"].double()
        if after is None:
            norm = (weight.norm(dim=1) * 2.0**-shift).view(-1, share).mean(1).clamp_min(2.0**-40)
            after = torch.round(torch.log2(norm / ROW_NORM)).repeat_interleave(share)
        fine = shift + after
        with torch.no_grad():
            layer.weight.copy_((weight * 2.0 ** -fine[:, None]).view_as(layer.weight))
            layer.bias.copy_(self.tensors[f"{name}.bias"].double() * 2.0**-fine)
        return after

    def block(self, name: str, block: nn.Module, grid: Tensor) -> None:
        """A DepthConvBlock on the residual grid `grid`."""
        assert isinstance(block, DepthConvBlock)
        entered = self.layer(f"{name}.enter", block.enter, grid, None)
        spread = self.layer(f"{name}.depthwise", block.depthwise, entered, None)
        self.layer(f"{name}.leave", block.leave, spread, grid)
        # the four groups are added up: channel c, C + c, 2 C + c and 3 C + c lie on one grid
        summed = self._summed(f"{name}.expand", grid)
        self.layer(f"{name}.expand", block.expand, grid, summed.repeat(4))
        self.layer(f"{name}.contract", block.contract, summed, grid)

    def _summed(self, name: str, grid: Tensor) -> Tensor:
        weight = self.tensors[f"{name}.weight"].double() * 2.0**grid
        norm = weight.norm(dim=1) * 2.0 ** -self.tensors[f"{name}.shift"].double()
        return torch.round(torch.log2(norm.view(4, -1).mean(0).clamp_min(2.0**-40) / ROW_NORM))

    def hyper(self, net: HyperSynthesis) -> Tensor:
        """Hyper-synthesis; returns the grid of its output."""
        first = torch.log2(self.tensors["hyper.grid"].double())
        self.block("hyper.block1", net.block1[0], first)
        second = self.layer("hyper.up1", net.up1, first, None, share=4)[::4]
        self.block("hyper.block2", net.block2[0], second)
        feature = self.layer("hyper.up2", net.up2, second, None, share=4)[::4]
        self.table(net.level_bias, self.tensors["hyper.level_bias"].double() * 2.0**-feature)
        return feature

    def prior(self, net: QuadtreePrior, feature: Tensor) -> None:
        """Quadtree prior; `feature` is the grid of the hyper features."""
        context = MEAN_BITS - self.tensors["prior.context_shift"].double()
        net.octaves.copy_(self.tensors["prior.octaves"].to(net.octaves))
        self.table(net.level_index, self.tensors["prior.level_index"].double() / 2.0**INDEX_BITS / INDEX_UNIT)
        for number in range(2):
            self.block(f"prior.fuse{number + 1}", net.fuse[number], feature)
        trunk = None
        for number, adaptor in enumerate(net.adaptors, 1):
            assert isinstance(adaptor, nn.Conv2d)
            trunk = self.layer(f"prior.adaptor{number}", adaptor, torch.cat([context, feature]), trunk)
        assert trunk is not None
        self.block("prior.trunk", net.trunk[0], trunk)
        unit = math.log2(INDEX_UNIT)
        out = torch.tensor([float(HEAD_MEAN_BITS), INDEX_BITS + unit], dtype=torch.float64)
        for number, head in enumerate(net.heads):
            assert isinstance(head, nn.Conv2d)
            out_grid = out.repeat_interleave(head.out_channels // 2)
            self.layer(f"prior.head{number}", head, trunk if number else feature, out_grid)

    def temporal(self, net: TemporalContext, feature: Tensor) -> None:
        """The temporal context; `feature` is the grid of the hyper features."""
        context = MEAN_BITS - self.tensors["temporal.context_shift"].double()
        grid = torch.cat([context, torch.zeros(MOTION_CHANNELS)])
        self.layer("temporal.adaptor", net.adaptor, grid, feature)

    @staticmethod
    @torch.no_grad()
    def table(target: LevelTable, values: Tensor) -> None:
        """The knots whose interpolation is nearest to `values` [LEVELS, channels]."""
        knots = len(target.values)
        probe = LevelTable(knots, knots, torch.eye(knots))
        share = probe(torch.arange(LEVELS).float())[:, :, 0, 0].double()
        target.values.copy_(torch.linalg.lstsq(share, values).solution)


Model = TypeVar("Model", ImageModel, InterModel)


@torch.no_grad()
def recovered(model: Model, tensors: dict[str, Tensor]) -> Model:
    """`model` with what the tensors of a model file of its architecture hold, coding as the file does."""
    model.load_state_dict(part(tensors, "transform."), strict=False)
    recovery = Recovery(part(tensors, "exact."))
    feature = recovery.hyper(model.hyper_synthesis)
    recovery.prior(model.prior, feature)
    if isinstance(model, InterModel):
        recovery.temporal(model.temporal, feature)
    return model
