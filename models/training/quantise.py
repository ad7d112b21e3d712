"""Post-training quantisation: float entropy networks onto the exact path, within the 2^24 certificate."""

import math

import torch
from torch import Tensor, nn

from ...entropy.int8 import ONE_BYTE
from ...entropy.integers import EXACT, MAX_SHIFT
from ...entropy.latents import MEAN_BITS
from ...entropy.prior_net import HEAD_MEAN_BITS, INDEX_BITS
from ...entropy.temporal_net import MOTION_CHANNELS
from ..blocks import DepthConvBlock
from ..image import INDEX_UNIT, ImageModel
from ..inter.model import InterModel
from ..quality import LEVELS
from .calibrate import Ranges

BOUND = 2047  # activations are 12 bits with sign
MARGIN = 1.25  # of range, over what calibration saw
WEIGHT_BOUND = ONE_BYTE  # 12 bits would save 0.03 % of rate, and take twice the products of entropy.int8
TAP_BOUND = 2047  # of a depthwise convolution, in int16; the certificate usually asks for less
FINEST = 10  # the finest grid is 2^-10
HEAD_BOUND = 2**15  # on the grid 2^-10: means reach +-32 octaves


def grid_of(*reaches: Tensor) -> Tensor:
    """Per channel the finest power-of-two grid that holds all of the reaches: value = integer * 2^-grid."""
    reach = torch.stack([r.double() for r in reaches]).amax(0)
    return torch.floor(torch.log2(BOUND / (reach * MARGIN).clamp_min(1e-9))).clamp(-6, FINEST)


class Quantiser:
    """Collects the integer tensors of a model file, layer by layer, from a float network and its ranges."""

    def __init__(self, model: nn.Module, ranges: Ranges) -> None:
        self.model, self.ranges = model, ranges
        self.tensors: dict[str, Tensor] = {}

    def linear(
        self, name: str, layer: nn.Conv2d, grids: tuple[Tensor, Tensor], clamp: tuple[int, int]
    ) -> None:
        """A 1x1 convolution between two grids."""
        weight = layer.weight.detach().double().flatten(1) * 2.0 ** -grids[0]
        try:
            self._store(name, weight, layer, grids[1], clamp, WEIGHT_BOUND)
        except ValueError:  # its outputs lie on a grid too fine for one byte
            self._store(name, weight, layer, grids[1], clamp, TAP_BOUND)

    def depthwise(self, name: str, layer: nn.Conv2d, grids: tuple[Tensor, Tensor]) -> None:
        """A 3x3 depthwise convolution; taps are stored [9, C]."""
        weight = layer.weight.detach().double().flatten(1) * 2.0 ** -grids[0][:, None]
        self._store(name, weight, layer, grids[1], (-BOUND, BOUND), TAP_BOUND)
        self.tensors[f"{name}.weight"] = self.tensors[f"{name}.weight"].T.contiguous()

    def _store(
        self,
        name: str,
        weight: Tensor,
        layer: nn.Conv2d,
        grid: Tensor,
        clamp: tuple[int, int],
        bound: int,
    ) -> None:
        assert layer.bias is not None
        bias = layer.bias.detach().double()
        fine = self._finest(name, weight, bias, grid, bound)
        width = torch.int8 if bound <= ONE_BYTE else torch.int16
        self.tensors[f"{name}.weight"] = torch.round(weight * 2.0 ** fine[:, None]).to(width)
        self.tensors[f"{name}.bias"] = torch.round(bias * 2.0**fine).to(torch.int32)
        self.tensors[f"{name}.shift"] = (fine - grid).to(torch.int16)
        self.tensors[f"{name}.clamp"] = torch.tensor(clamp, dtype=torch.int32)

    @staticmethod
    def _finest(name: str, weight: Tensor, bias: Tensor, grid: Tensor, bound: int) -> Tensor:
        """The finest accumulator grid of each output channel: weights in range, sums below 2^24."""
        fine = torch.full((len(bias),), 24.0, dtype=torch.float64)
        while True:
            whole = torch.round(weight * 2.0 ** fine[:, None]).abs()
            rounding = torch.floor(2.0 ** (fine - grid - 1))
            worst = whole.sum(1) * BOUND + torch.round(bias * 2.0**fine).abs() + rounding
            wide = (whole.amax(1) > bound) | (worst >= EXACT) | (fine - grid > MAX_SHIFT)
            if not wide.any():
                return fine
            fine -= wide.double()
            if (fine < grid).any():
                channel = int((fine < grid).nonzero()[0])
                raise ValueError(
                    f"{name}: output channel {channel} cannot meet the 2^24 certificate on its grid with "
                    f"weights of at most {bound}"
                )

    def block(self, name: str, path: str, grid: Tensor) -> None:
        """A DepthConvBlock on the residual grid `grid`."""
        block = self.model.get_submodule(path)
        assert isinstance(block, DepthConvBlock)
        entered, spread, summed = (
            grid_of(self.ranges[f"{path}.{part}"]) for part in ("depthwise", "leave", "contract")
        )
        self.linear(f"{name}.enter", block.enter, (grid, entered), (0, BOUND))
        self.depthwise(f"{name}.depthwise", block.depthwise, (entered, spread))
        self.linear(f"{name}.leave", block.leave, (spread, grid), (-BOUND, BOUND))
        self.linear(f"{name}.expand", block.expand, (grid, summed.repeat(4)), (0, BOUND))
        self.linear(f"{name}.contract", block.contract, (summed, grid), (-BOUND, BOUND))
        self.tensors[f"{name}.bound"] = torch.tensor([BOUND], dtype=torch.int32)

    def reach(self, *paths: str) -> Tensor:
        """The residual grid through blocks and layers: the inputs of `enter` and `expand` lie on it too."""
        found = []
        for path in paths:
            ends = [f"{path}.enter", f"{path}.expand"] if f"{path}.enter" in self.ranges else [path]
            found += [self.ranges[end] for end in ends]
        return grid_of(*found)


class LatentQuantiser(Quantiser):
    """The networks of an image or inter model; names are those that entropy.tensor_source reads."""

    def __init__(self, model: ImageModel | InterModel, ranges: Ranges) -> None:
        super().__init__(model, ranges)
        self.model = model

    def hyper(self, feature: Tensor) -> None:
        """Hyper-synthesis; `feature` is the grid of its output."""
        net = self.model.hyper_synthesis
        first = self.reach("hyper_synthesis.block1.0", "hyper_synthesis.up1").clamp_min(0)
        second = self.reach("hyper_synthesis.block2.0", "hyper_synthesis.up2")
        self.tensors["hyper.grid"] = (2.0**first).to(torch.int32)
        self.block("hyper.block1", "hyper_synthesis.block1.0", first)
        self.linear("hyper.up1", net.up1, (first, second.repeat_interleave(4)), (-BOUND, BOUND))
        self.block("hyper.block2", "hyper_synthesis.block2.0", second)
        self.linear("hyper.up2", net.up2, (second, feature.repeat_interleave(4)), (-BOUND, BOUND))
        bias = net.level_bias(torch.arange(LEVELS).float()).detach()[:, :, 0, 0].double()
        self.tensors["hyper.level_bias"] = (
            torch.round(bias * 2.0**feature).clamp(-BOUND, BOUND).to(torch.int32)
        )

    def prior(self, feature: Tensor) -> None:
        """Quadtree prior; `feature` is the grid of the hyper features and of the fused ones."""
        net, latent = self.model.prior, self.model.config.latent
        contexts = [self.ranges[f"prior.adaptors.{n}"][:latent] for n in range(len(net.adaptors))]
        context = grid_of(*contexts).clamp_max(MEAN_BITS)
        self.tensors["prior.context_shift"] = (MEAN_BITS - context).to(torch.int16)
        levels = torch.arange(LEVELS).float()
        self.tensors["prior.octaves"] = net.octaves.to(torch.int16)
        index = net.level_index(levels).detach()[:, :, 0, 0].double() * INDEX_UNIT
        self.tensors["prior.level_index"] = torch.round(index * 2.0**INDEX_BITS).to(torch.int32)
        for number in range(2):
            self.block(f"prior.fuse{number + 1}", f"prior.fuse.{number}", feature)
        trunk = self.reach("prior.trunk.0", *(f"prior.heads.{n}" for n in range(1, len(net.heads))))
        for number, adaptor in enumerate(net.adaptors, 1):
            assert isinstance(adaptor, nn.Conv2d)
            grids = torch.cat([context, feature]), trunk
            self.linear(f"prior.adaptor{number}", adaptor, grids, (-BOUND, BOUND))
        self.block("prior.trunk", "prior.trunk.0", trunk)
        unit = torch.cat([torch.zeros(latent), torch.full((latent,), math.log2(INDEX_UNIT))]).double()
        out = torch.cat([torch.full((latent,), HEAD_MEAN_BITS), torch.full((latent,), INDEX_BITS)]).double()
        for number, head in enumerate(net.heads):
            assert isinstance(head, nn.Conv2d)
            grids = (
                (trunk if number else feature),
                out + unit,
            )  # the float head counts in units of 8 indices
            self.linear(f"prior.head{number}", head, grids, (-HEAD_BOUND, HEAD_BOUND))

    def temporal(self, model: InterModel, feature: Tensor) -> None:
        """The temporal context; `feature` is the grid of the hyper features."""
        latent = model.config.latent
        context = grid_of(self.ranges["temporal.adaptor"][:latent]).clamp_max(MEAN_BITS)
        self.tensors["temporal.context_shift"] = (MEAN_BITS - context).to(torch.int16)
        self.tensors["temporal.bound"] = torch.tensor([BOUND], dtype=torch.int32)
        grids = torch.cat([context, torch.zeros(MOTION_CHANNELS)]), feature
        self.linear("temporal.adaptor", model.temporal.adaptor, grids, (-BOUND, BOUND))


def quantise(model: ImageModel | InterModel, ranges: Ranges) -> dict[str, Tensor]:
    """Integer tensors of the exact path. Raises ValueError where a layer cannot meet the certificate."""
    quantiser = LatentQuantiser(model, ranges)
    latent = model.config.latent
    adaptors = [ranges[f"prior.adaptors.{n}"][latent:] for n in range(len(model.prior.adaptors))]
    inner = [ranges[f"prior.fuse.{n}.{part}"] for n in range(2) for part in ("enter", "expand")]
    feature = grid_of(*adaptors, *inner, ranges["prior.heads.0"])
    quantiser.hyper(feature)
    quantiser.prior(feature)
    if isinstance(model, InterModel):
        quantiser.temporal(model, feature)
    return quantiser.tensors
