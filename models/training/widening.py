"""Wider and deeper transforms for a trained image model: they code as before until they have learned more.

Added channels are computed from the first step on, but nothing that was there looks at them: the weights that
do are 0, and learn at once. Added blocks are the identity, as fresh ones are.
Source: after Chen et al. 2016, arXiv:1511.05641, who copy channels to add some.
"""

import torch
from torch import Tensor

State = dict[str, Tensor]
PARTS = ("model.analysis.", "model.synthesis.")
GROUPS = {"expand": 4}  # layers whose output channels stand in groups that are as wide as the block


def from_smaller_transforms(values: State, fresh: State) -> State:
    """A state to load into a model of wider or deeper transforms, which codes as `values` does.

    Args:
        values: the state of an image model of as many latents as `fresh` has.
        fresh: the state of the model that is to take it; what is added comes from there.
    Raises:
        RuntimeError, IndexError: a tensor is larger than that of `fresh`.
    """
    added = {name: like for name, like in fresh.items() if name not in values and name.startswith(PARTS)}
    return added | {
        name: _widened(value, fresh[name], GROUPS.get(name.split(".")[-2], 1))
        if name.startswith(PARTS) and name in fresh
        else value
        for name, value in values.items()
    }


def _widened(value: Tensor, like: Tensor, groups: int) -> Tensor:
    if value.shape == like.shape:
        return value
    if value.shape[0] == like.shape[0]:  # gains, [knots, channels]; the way out, whose outputs stay
        return _placed(value.transpose(0, 1), like.transpose(0, 1)).transpose(0, 1)
    parts = zip(value.chunk(groups), like.chunk(groups), strict=True)
    return torch.cat([_placed(old, new) for old, new in parts])


def _placed(value: Tensor, like: Tensor) -> Tensor:
    """`like`, whose first rows are those of `value` and see nothing else."""
    found = like.clone().to(value.device)
    found[: len(value)] = 0
    found[(slice(len(value)), *(slice(size) for size in value.shape[1:]))] = value
    return found
