"""k-means, to start a codebook from."""

import torch
from torch import Tensor

ROUNDS = 20
SAMPLES_PER_CODE = 64  # more teach little


def k_means(samples: Tensor, count: int, generator: torch.Generator, rounds: int = ROUNDS) -> Tensor:
    """[n, C] -> [count, C] centres; an empty one moves to a sample.

    Fewer samples than centres: some are repeated with a little noise. Deterministic for a generator (on
    the CPU).
    """
    order = torch.randperm(len(samples), generator=generator)[: count * SAMPLES_PER_CODE]
    samples = samples[order.to(samples.device)].float()
    chosen = torch.randint(len(samples), (count,), generator=generator)
    if len(samples) >= count:
        chosen = torch.randperm(len(samples), generator=generator)[:count]
    centres = samples[chosen.to(samples.device)].clone()
    for _ in range(rounds):
        distance = torch.addmm(centres.square().sum(1), samples, centres.T, alpha=-2)
        nearest = distance.argmin(1)
        sums = torch.zeros_like(centres).index_add_(0, nearest, samples)
        sizes = torch.bincount(nearest, minlength=count)
        centres = torch.where(sizes[:, None] > 0, sums / sizes.clamp(min=1)[:, None], centres)
        if empty := int((sizes == 0).sum()):
            drawn = torch.randint(len(samples), (empty,), generator=generator)
            centres[sizes == 0] = samples[drawn.to(samples.device)]
    if len(samples) < count:
        noise = torch.randn(centres.shape, generator=generator).to(centres.device)
        centres = centres + 1e-3 * samples.std() * noise
    return centres
