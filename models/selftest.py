"""The self-test of the exact path: fixed integers in, one hash out, the same on every machine."""

import zlib

import torch
from torch import Tensor

from ..entropy.arithmetic import exact_arithmetic
from ..entropy.hyper_net import HyperNet
from ..entropy.integers import exact_add
from ..entropy.prior_net import PriorNet
from ..entropy.quadtree import LATENT_GROUPS, STEPS
from ..entropy.temporal_net import MOTION_CHANNELS, TemporalNet

SIDE = 12  # latents; not a multiple of any vector width


def pattern(shape: tuple[int, ...], reach: int) -> Tensor:
    """Pseudo-random integers of [-reach, reach], from integer arithmetic alone."""
    count = torch.arange(torch.Size(shape).numel(), dtype=torch.int64)
    mixed = ((count + 1) * 2654435761 % 2**32) >> 13
    return (mixed % (2 * reach + 1) - reach).reshape(shape)


@torch.inference_mode()
def self_test(hyper: HyperNet, prior: PriorNet, temporal: TemporalNet | None = None) -> int:
    """CRC-32 over all outputs of the networks, at moderate and at extreme inputs."""
    grid = hyper.grid
    total = 0
    with exact_arithmetic():
        for reach, level in ((3, 0), (40, 31), (4000, 63)):
            z = pattern((1, SIDE // 4, SIDE // 4, grid.shape[0]), reach).to(grid.device, grid.dtype)
            y_hat = pattern((1, SIDE, SIDE, prior.latent), 64 * reach).to(z.device, z.dtype)
            feature = hyper(z, level)
            if temporal is not None:
                motion = pattern((1, SIDE, SIDE, MOTION_CHANNELS), 60).abs().to(z.device, z.dtype)
                bound = prior.fuse1.bound
                feature = exact_add(feature, temporal(y_hat, level, motion), -bound, bound)
            feature = prior.fuse(feature)
            for number in range(STEPS):
                seen = prior.see(number, feature, y_hat, level)
                for output in _everywhere(prior, number, seen, level):
                    total = zlib.crc32(output.to(torch.int32).cpu().numpy().astype("<i4").tobytes(), total)
    return total


def _everywhere(prior: PriorNet, number: int, seen: Tensor, level: int) -> tuple[Tensor, Tensor]:
    """Means and scale indices of all latents, [1, h, w, latent] each: more than a step codes."""
    means, indices = (seen.new_empty(*seen.shape[:3], prior.latent) for _ in range(2))
    for group in range(len(prior.heads[number])):
        means[..., group::LATENT_GROUPS], indices[..., group::LATENT_GROUPS] = prior.tell_group(
            number, group, seen, level
        )
    return means, indices
