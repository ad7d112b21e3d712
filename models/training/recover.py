"""From a model file back to networks that can be trained on: the inverse of `quantise`.

The integers of the exact path fix a float network up to the scale of what lies between its layers: a power
of two per channel that no output depends on. It is chosen so that each row of weights has the length that it
has when training begins. A model file holds no optimiser and no moving average.
"""

from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from torch import Tensor, nn

from ...bitstream.errors import FormatError
from ...entropy.networks import HEAD_MEAN_BITS, INDEX_BITS, MEAN_BITS, MOTION_CHANNELS
from ...entropy.tables import CdfTable
from ..blocks import DepthConvBlock
from ..image import INDEX_UNIT, HyperSynthesis, QuadtreePrior
from ..inter.model import InterModel, TemporalContext
from ..quality import LEVELS, LevelTable
from ..transforms import ImageConfig
from ..weights import Card, part, read_card, read_table
from ..zoo import SPECS, find
from .objective import LatentCoding, TrainingModel

ROW_NORM = 0.58  # of torch's uniform start of a convolution: 1 / sqrt(3)
DENSITY_STEPS, DENSITY_RATE = 600, 0.02


def model_file(start: Path) -> Path | None:
    """The model file that `start` is or names; None where it is a checkpoint."""
    if start.suffix == ".safetensors":
        return start
    known = {spec.name for spec in SPECS}
    return find(start.name).path if start.name in known and not start.exists() else None


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
        unit = float(np.log2(INDEX_UNIT))
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


def fit_density(net: LatentCoding, table: CdfTable) -> float:
    """Fit the density of the hyper-latents to a table; returns how many bits a symbol costs more by it."""
    first, last = int(table.offset.min()), int((table.offset + table.size).max())
    target = torch.zeros(table.rows, last - first)
    for row in range(table.rows):
        size, place = int(table.size[row]) - 1, int(table.offset[row]) - first  # the last one is the escape
        target[row, place : place + size] = torch.from_numpy(
            np.asarray(table.weights(row)[:size], np.float32)
        )
    target /= target.sum(1, keepdim=True)
    values = torch.arange(first, last).float().expand(table.rows, 1, -1)
    density = net.hyper_density
    optimiser = torch.optim.Adam([p for p in density.parameters() if p.requires_grad], DENSITY_RATE)
    bits = torch.zeros(())
    for _ in range(DENSITY_STEPS):
        likelihood = density._likelihood(values)
        found = (likelihood[0] if isinstance(likelihood, tuple) else likelihood)[:, 0]
        bits = -(target * torch.log2(found.clamp_min(1e-9))).sum(1).mean()
        optimiser.zero_grad(set_to_none=True)
        bits.backward()
        optimiser.step()
    entropy = -(target * torch.log2(target.clamp_min(1e-30))).sum(1).mean()
    return float(bits.detach() - entropy)


def _card(path: Path) -> tuple[ImageConfig, Card]:
    try:
        return read_card(path)
    except FormatError as error:
        raise ValueError(str(error)) from error
    except TypeError as error:  # the card of a VQ model has other fields
        raise ValueError(f"{path} is of another architecture than the config: {error}") from error


def recover(path: Path, net: LatentCoding) -> None:
    """Make `net` code as the model file does.

    Raises:
        ValueError: it is no model file, or one of another architecture or kind.
        OSError: it cannot be read.
    """
    config, card = _card(path)
    kind = "inter" if isinstance(net.model, InterModel) else "image"
    if (found := card.get("kind", "image")) != kind or config != net.model.config:
        raise ValueError(
            f"{path} is of another architecture than the config: found kind {found} and {config}, needed are "
            f"{kind} and {net.model.config}"
        )
    tensors = safetensors.torch.load_file(path)
    net.model.load_state_dict(part(tensors, "transform."), strict=False)
    recovery = Recovery(part(tensors, "exact."))
    with torch.no_grad():
        feature = recovery.hyper(net.model.hyper_synthesis)
        recovery.prior(net.model.prior, feature)
        if isinstance(net.model, InterModel):
            recovery.temporal(net.model.temporal, feature)
    fit_density(net, read_table(tensors, "z"))


def start_state(path: Path, net: nn.Module) -> dict[str, Tensor]:
    """What a `best.pt` would hold under "model", of a model file (errors as recover).

    Of an image model that an inter model is to start from, the state is that of the image model.
    """
    if not isinstance(net, LatentCoding):
        raise ValueError(
            f"{path}: only image and inter models start from a model file, a VQ model from a best.pt"
        )
    taken = net
    if isinstance(net.model, InterModel) and _card(path)[1].get("kind", "image") == "image":
        taken = TrainingModel(net.model.config)
    recover(path, taken)
    return taken.state_dict()
