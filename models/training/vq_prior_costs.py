"""What an index costs: by the network in training and on held-out tokens, and by frequencies alone."""

from math import log

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...entropy.index_tables import frequencies
from ...entropy.tables import PRECISION
from ..vq.prior import IndexPrior, PriorConfig
from .vq_tokens import Tokens, left_out, odd_places


def losses(net: IndexPrior, tokens: Tensor, generator: torch.Generator) -> Tensor:
    """[stages] mean nats of an index that is to be found, for windows [N, stages, h, w]."""
    split = net.config.coarse
    coarse, fine = tokens[:, :split, ::2, ::2], tokens[:, split:]
    found: list[Tensor] = []
    for stage in range(split):
        known, target = left_out(coarse, stage, generator)
        found.append(_nats(net.coarse.heads[stage], net.coarse(known), target))
    lifted = net.lifted(left_out(coarse, split, generator)[0], (fine.shape[2], fine.shape[3]))
    for stage in range(fine.shape[1]):
        known, target = left_out(fine, stage, generator)
        found.append(_nats(net.fine.heads[stage], net.fine(known, lifted), target))
    return torch.stack(found)


def _nats(head: nn.Module, feature: Tensor, target: Tensor) -> Tensor:
    assert isinstance(head, nn.Conv2d)
    wanted = target > 0  # logits of these places only: codebooks are large
    logits = F.linear(feature.permute(0, 2, 3, 1)[wanted], head.weight[:, :, 0, 0], head.bias)
    return F.cross_entropy(logits.float(), target[wanted] - 1)


@torch.no_grad()
def held_out_bits(net: IndexPrior, tokens: Tokens) -> Tensor:
    """[stages] bits of an index of whole arrays, coded as files code them."""
    split = net.config.coarse
    total, count = torch.zeros(len(net.config.codes)), torch.zeros(len(net.config.codes))
    for number in range(len(tokens)):
        array = tokens.array(number)[None]
        grids = array[:, :split, ::2, ::2], array[:, split:]
        for stage in range(len(net.config.codes)):
            grid, own = (0, stage) if stage < split else (1, stage - split)
            target = grids[grid][:, own]
            second = odd_places(*target.shape[1:])
            for wanted in (~second, second):
                known = [part.clone() for part in grids]
                known[grid][:, own:] = 0
                if wanted is second:
                    known[grid][:, own] = target * ~second
                logits = net.logits(stage, known[0], known[1]).permute(0, 2, 3, 1)[:, wanted]
                total[stage] += F.cross_entropy(logits[0], target[:, wanted][0] - 1, reduction="sum")
            count[stage] += target.numel()
    return total / count / log(2)


def stage_counts(tokens: Tokens, config: PriorConfig) -> list[Tensor]:
    """How often each index of each stage occurs on the stage's own grid."""
    counts = [torch.zeros(codes, dtype=torch.int64) for codes in config.codes]
    for number in range(len(tokens)):
        array = tokens.array(number)
        for stage, count in enumerate(counts):
            own = array[stage, ::2, ::2] if stage < config.coarse else array[stage]
            count += torch.bincount(own.reshape(-1) - 1, minlength=len(count))
    return counts


def static_bits(train: Tokens, held_out: Tokens, config: PriorConfig) -> Tensor:
    """[stages] bits of a held-out index with the frequencies of the training set, 1 in 2^16 at least."""
    bits: list[Tensor] = []
    for of_train, found in zip(stage_counts(train, config), stage_counts(held_out, config), strict=True):
        weights = torch.from_numpy(frequencies(of_train[None].numpy())[0]).double()
        bits.append(((PRECISION - weights.log2()) * found).sum() / found.sum())
    return torch.stack(bits).float()
