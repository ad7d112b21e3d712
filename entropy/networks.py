"""The exact networks: hyper-synthesis and quadtree prior in integers, read from a model file's tensors."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np
import torch
from torch import Tensor

from ..bitstream.errors import FormatError
from .int8 import multiplies_int8
from .layers import MAX_SHIFT, ExactDepthwise, ExactLinear, exact_add, exact_rescale, upsample

MEAN_BITS = 6  # means lie on a grid of 2^-6 of a quantisation step
HEAD_MEAN_BITS = 10  # a head gives them on a grid of 2^-10 of its channel's octave
INDEX_BITS = 4  # a head gives scale indices on a grid of 2^-4
TOP_INDEX = 63
MEAN_BOUND = 2**20  # 16384 steps: with a symbol of 2^14 steps a latent stays below 2^22, exact in float32
STEPS = 4
TURNS = (0, 3, 2, 1)  # of the steps: each codes the corner (group xor turn) of a 2x2 block
LATENT_GROUPS = 4  # latent number c is in group c mod 4
GROUPS = 4  # of an expanded feature, summed
MOTION_CHANNELS = 8  # of an inter frame: 2x2 blocks of a latent, two components
MOTION_BOUND = 127  # of each of them, in sixteenths of a pixel


@dataclass(frozen=True)
class ExactBlock:
    """DepthConvBlock in integers: [N, H, W, C] in and out, on one residual grid, clamped to +-bound."""

    enter: ExactLinear
    depthwise: ExactDepthwise
    leave: ExactLinear
    expand: ExactLinear
    contract: ExactLinear
    bound: int

    def __call__(self, x: Tensor) -> Tensor:
        x = exact_add(x, self.leave(self.depthwise(self.enter(x))), -self.bound, self.bound)
        first, *rest = self.expand(x).chunk(GROUPS, -1)
        total = sum(rest, first).clamp_(max=self.bound)  # four terms of 12 bits: exact
        return exact_add(x, self.contract(total), -self.bound, self.bound)

    def certify(self) -> int:
        """Prove every layer; returns the largest bound. Raises ValueError naming the layer that fails."""
        inner = self.enter.high
        return max(
            self.enter.certify(self.bound),
            self.depthwise.certify(inner),
            self.leave.certify(max(-self.depthwise.low, self.depthwise.high)),
            self.expand.certify(self.bound),
            self.contract.certify(self.bound),
        )


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


@dataclass(frozen=True)
class PriorNet:
    """Hyper features and decoded latents -> mean (grid 2^-6) and scale index 0..63 of every latent.

    octaves [levels, latent]: latents are divided by 2^octave on the way in, means multiplied on the way out.
    level_index [levels, latent], grid 2^-4: added to the heads' scale index.
    heads: for every step one for each group of latents, number c being in group c mod 4.
    """

    fuse1: ExactBlock
    fuse2: ExactBlock
    context_shift: Tensor  # [latent]: from the grid of the means to the grid of the adaptors' input
    octaves: Tensor
    level_index: Tensor
    adaptors: tuple[ExactLinear, ...]
    trunk: ExactBlock
    heads: tuple[tuple[ExactLinear, ...], ...]

    @property
    def latent(self) -> int:
        """Channels of the latents."""
        return self.octaves.shape[1]

    def fuse(self, feature: Tensor) -> Tensor:
        """[N, h, w, prior] -> the same; once for all steps."""
        return self.fuse2(self.fuse1(feature))

    def see(self, number: int, feature: Tensor, y_hat: Tensor, level: int) -> Tensor:
        """Features [N, h, w, prior] at step `number`: the fused ones, and what the steps before decoded."""
        if not number:
            return feature
        bound = self.trunk.bound
        context = exact_rescale(y_hat, self.context_shift + self.octaves[level], -bound, bound)
        return self.trunk(self.adaptors[number - 1](torch.cat([context, feature], -1)))

    def tell(self, number: int, seen: Tensor, level: int) -> tuple[Tensor, Tensor]:
        """Means and scale indices of the latents that step `number` codes, each [how many] in raster order.

        Args:
            seen: [h, w, prior], what `see` gives of one tile.
        """
        most = -(-self.latent // LATENT_GROUPS)
        told = seen.new_full((2, *seen.shape[:2], most), -1)
        for group in range(len(self.heads[number])):
            down, right = divmod(group ^ TURNS[number], 2)
            found = self.tell_group(number, group, seen[down::2, right::2], level)
            told[:, down::2, right::2, : found[0].shape[-1]] = torch.stack(found)
        even = self.latent % LATENT_GROUPS == 0
        mean, index = told.flatten(1) if even else told[:, told[1] >= 0]
        return mean, index

    def tell_group(self, number: int, group: int, seen: Tensor, level: int) -> tuple[Tensor, Tensor]:
        """The same of one group, at all places that are given: [..., prior] -> [..., how many] each."""
        octave, shift = (table[level, group::LATENT_GROUPS] for table in (self.octaves, self.level_index))
        mean, index = self.heads[number][group](seen).chunk(2, -1)
        lift = octave - (HEAD_MEAN_BITS - MEAN_BITS)
        mean = exact_rescale(
            mean * torch.exp2(lift.clamp(min=0)), (-lift).clamp(min=0), -MEAN_BOUND, MEAN_BOUND
        )
        return mean, exact_rescale(index + shift, INDEX_BITS, 0, TOP_INDEX)

    def certify(self) -> int:
        """See ExactBlock.certify."""
        _certify_shifts("prior", self.context_shift, self.octaves)
        found = [block.certify() for block in (self.fuse1, self.fuse2, self.trunk)]
        found += [layer.certify(self.trunk.bound) for layer in (*self.adaptors, *chain(*self.heads))]
        return max(found)


@dataclass(frozen=True)
class TemporalNet:
    """What is known before an inter frame -> a feature [N, h, w, prior] that is added to the hyper features.

    Inputs are the decoded latents of the frame before (grid 2^-6) and what the frame's motion does.
    """

    context_shift: Tensor  # [latent]: from the grid of the latents to that of the adaptor's input
    octaves: Tensor  # [levels, latent], as in PriorNet
    adaptor: ExactLinear
    bound: int

    def __call__(self, before: Tensor, level: int, motion: Tensor) -> Tensor:
        """Latents [N, h, w, latent] coded at `level`, and motion features [N, h, w, 8]."""
        shift = self.context_shift + self.octaves[level]
        context = exact_rescale(before, shift, -self.bound, self.bound)
        return self.adaptor(torch.cat([context, motion], -1))

    def certify(self) -> int:
        """See ExactBlock.certify."""
        _certify_shifts("temporal", self.context_shift, self.octaves)
        latent = self.octaves.shape[1]
        return self.adaptor.certify(np.repeat([self.bound, MOTION_BOUND], [latent, MOTION_CHANNELS]))


def _certify_shifts(name: str, context_shift: Tensor, octaves: Tensor) -> None:
    """What latents are divided by, at any level. Raises ValueError unless exact_rescale takes it."""
    shift = context_shift + octaves
    if shift.min() < 0 or shift.max() > MAX_SHIFT:
        raise ValueError(f"{name}: latents are shifted by {int(shift.min())} to {int(shift.max())} bits")


class TensorSource:
    """Integer tensors of a model file by dotted name, moved to one device and working type.

    bytewise: matrix products in int8, see `int8.multiplies_int8`.
    """

    def __init__(
        self,
        tensors: Mapping[str, Tensor],
        dtype: torch.dtype,
        device: torch.device,
        bytewise: bool = False,
    ) -> None:
        self.tensors, self.dtype, self.device, self.bytewise = tensors, dtype, device, bytewise

    @classmethod
    def of_each_type(cls, tensors: Mapping[str, Tensor], device: torch.device) -> Iterator["TensorSource"]:
        """The ways to compute on a device, the fastest first; a self-test says which of them is exact."""
        if multiplies_int8(device):
            yield cls(tensors, torch.float32, device, bytewise=True)
        yield cls(tensors, torch.float32, device)
        yield cls(tensors, torch.float64, device)

    def tensor(self, name: str) -> Tensor:
        """The tensor `name`. Raises FormatError where the file lacks it."""
        if name not in self.tensors:
            raise FormatError(
                f"the model file has no tensor '{name}': it is damaged or of another architecture"
            )
        return self.tensors[name].to(self.device, self.dtype)

    def linear(self, name: str, input_max: int) -> ExactLinear:
        """The layer `name`, whose inputs are at most `input_max`."""
        layer = ExactLinear(*self._parts(name), name=name).to(self.dtype, self.device)
        return layer.in_bytes(input_max) if self.bytewise else layer

    def depthwise(self, name: str) -> ExactDepthwise:
        return ExactDepthwise(*self._parts(name), name=name).to(self.dtype, self.device)

    def _parts(self, name: str) -> tuple[Tensor, Tensor, Tensor, int, int]:
        low, high = (int(v) for v in self.tensor(f"{name}.clamp"))
        weight, bias, shift = (self.tensor(f"{name}.{part}") for part in ("weight", "bias", "shift"))
        return weight, bias, shift, low, high

    def block(self, name: str) -> ExactBlock:
        bound = int(self.tensor(f"{name}.bound")[0])
        require(bound > 0, f"{name} has the bound {bound}")
        enter, expand, contract = (self.linear(f"{name}.{part}", bound) for part in _ON_THE_RESIDUAL)
        depthwise = self.depthwise(f"{name}.depthwise")
        leave = self.linear(f"{name}.leave", depthwise.output_max)
        require(expand.low >= 0, f"{name}.expand gives numbers below 0, which nothing bounds")
        return ExactBlock(enter, depthwise, leave, expand, contract, bound)


def require(holds: bool, otherwise: str) -> None:
    """What the certificate and int8 products take for granted. Raises FormatError."""
    if not holds:
        raise FormatError(f"the model file's networks do not fit together, it is damaged: {otherwise}")


_ON_THE_RESIDUAL = ("enter", "expand", "contract")  # layers whose inputs are within the block's bound


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


def read_prior_net(source: TensorSource) -> PriorNet:
    """The tensors below `prior.` as a network."""
    fuse1, fuse2, trunk = (source.block(f"prior.{name}") for name in ("fuse1", "fuse2", "trunk"))
    require(fuse1.bound <= fuse2.bound <= trunk.bound, "bounds of the prior fall from block to block")
    adaptors = tuple(source.linear(f"prior.adaptor{n}", trunk.bound) for n in range(1, STEPS))
    reach = max(adaptor.output_max for adaptor in adaptors)
    require(reach <= trunk.bound, "the adaptors reach beyond the bound of prior.trunk")
    return PriorNet(
        fuse1=fuse1,
        fuse2=fuse2,
        context_shift=source.tensor("prior.context_shift"),
        octaves=source.tensor("prior.octaves"),
        level_index=source.tensor("prior.level_index"),
        adaptors=adaptors,
        trunk=trunk,
        heads=tuple(
            by_group(source.linear(f"prior.head{n}", (trunk if n else fuse2).bound)) for n in range(STEPS)
        ),
    )


def by_group(head: ExactLinear) -> tuple[ExactLinear, ...]:
    """The layers that give the means and the scale indices of each group of latents."""
    rows = torch.arange(len(head.bias)).view(2, -1)  # means, then indices
    groups = min(LATENT_GROUPS, rows.shape[1])
    return tuple(head.of_rows(rows[:, group::LATENT_GROUPS].flatten()) for group in range(groups))


def read_temporal_net(source: TensorSource) -> TemporalNet:
    """The tensors below `temporal.` as a network."""
    bound = int(source.tensor("temporal.bound")[0])
    require(bound > 0, f"temporal.bound is {bound}")
    return TemporalNet(
        context_shift=source.tensor("temporal.context_shift"),
        octaves=source.tensor("prior.octaves"),
        adaptor=source.linear("temporal.adaptor", max(bound, MOTION_BOUND)),
        bound=bound,
    )
