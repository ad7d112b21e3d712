"""A start from the index model of another VQ model, or of the same one before its codes moved."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from ..vq.prior import GridPrior, IndexPrior
from ..vq.quantisers.simvq import nearest_row


@torch.no_grad()
def start_from(net: IndexPrior, state: Mapping[str, object], codebooks: Sequence[Tensor]) -> None:
    """Take over what an earlier index model learned: a code begins as the one that lay nearest to it.

    Args:
        net: fresh, the biases of its heads logarithms of frequencies.
        state: what `vq_prior` saved; a stage that it does not have stays fresh, and unseen by the others.
        codebooks: [codes, vector] of each stage, as `net` will meet them.
    Raises:
        ValueError: it has another width or more stages of a grid, or was saved without its codebooks.
    """
    learned, books, config = state.get("model"), state.get("codebooks"), state.get("config")
    if not isinstance(learned, dict) or not isinstance(config, dict) or not books or not codebooks:
        raise ValueError("an index model to start from needs its codebooks, and those of the tokens")
    assert isinstance(books, list)
    split, before = net.config.coarse, config["coarse"]
    shape = (config["width"], config["blocks"], before)
    if shape != (net.config.width, net.config.blocks, split) or len(books) > len(codebooks):
        raise ValueError(f"the index model to start from is of another shape: {config}")
    values = net.state_dict()
    values |= {
        name: value for name, value in learned.items() if ".trunk." in name or name.startswith("lift.")
    }
    net.load_state_dict(values)
    for name, grid, old, new in (
        ("coarse", net.coarse, books[:before], codebooks[:split]),
        ("fine", net.fine, books[before:], codebooks[split:]),
    ):
        _take_codes(grid, {k.removeprefix(f"{name}."): v for k, v in learned.items()}, old, new)


def _take_codes(
    grid: GridPrior, learned: Mapping[str, Tensor], old: Sequence[Tensor], new: Sequence[Tensor]
) -> None:
    for stage, (embedding, head) in enumerate(zip(grid.embeddings, grid.heads, strict=True)):
        assert isinstance(embedding, nn.Embedding)
        assert isinstance(head, nn.Conv2d)
        assert head.bias is not None
        if stage >= len(old):
            embedding.weight[0] = 0
            continue
        near = nearest_row(new[stage], old[stage])
        vectors = learned[f"embeddings.{stage}.weight"]
        embedding.weight.copy_(torch.cat([vectors[:1], vectors[1:][near]]))
        head.weight.copy_(learned[f"heads.{stage}.weight"][near])
        same = near[:, None] == near  # these share the probability of one code, each by its own frequency
        share = head.bias - torch.where(same, head.bias, -torch.inf).logsumexp(1)
        head.bias.copy_(learned[f"heads.{stage}.bias"][near] + share)
