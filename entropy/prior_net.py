"""The quadtree prior in integers: the mean and the scale of each latent, from all that is decoded by then."""

from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor

from .block import ExactBlock
from .integers import certify_shifts, exact_rescale
from .latents import MEAN_BITS
from .linear import ExactLinear
from .quadtree import LATENT_GROUPS, STEPS, TURNS
from .tensor_source import TensorSource, require

HEAD_MEAN_BITS = 10  # a head gives means on a grid of 2^-10 of its channel's octave
INDEX_BITS = 4  # a head gives scale indices on a grid of 2^-4
TOP_INDEX = 63
MEAN_BOUND = 2**20  # 16384 steps: with a symbol of 2^14 steps a latent stays below 2^22, exact in float32


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
        certify_shifts("prior", self.context_shift + self.octaves)
        found = [block.certify() for block in (self.fuse1, self.fuse2, self.trunk)]
        found += [layer.certify(self.trunk.bound) for layer in (*self.adaptors, *chain(*self.heads))]
        return max(found)


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
