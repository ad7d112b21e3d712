"""What a model costs: multiply-accumulates per pixel and parameters, counted on the networks themselves."""

import torch
from torch import Tensor

from ...entropy.temporal_net import MOTION_CHANNELS
from ..image import HYPER_STRIDE
from ..vq.transforms import VqTransforms
from .inter import InterTraining
from .objective import TrainingModel
from .speed import count_flops
from .vq import VqTraining

Coded = TrainingModel | InterTraining
Net = Coded | VqTraining

SIDE = 256  # px of the picture that is counted


@torch.no_grad()
def kmac_per_px(net: Coded) -> dict[str, float]:
    """Thousands of multiply-accumulates a pixel, by part; decoding is synthesis + entropy.

    encode: analysis, hyper-analysis and entropy. entropy: hyper-synthesis, prior and (of an inter model)
    temporal context, which both sides run. Moving blocks and searching motion are not counted.
    """
    net.eval()
    picture, level = torch.zeros(1, 3, SIDE, SIDE), torch.zeros(1)
    y = _analysed(net, picture, level)
    z = net.model.hyper_analysis(y, level)
    counts = {
        "analysis": count_flops(lambda: net.model.hyper_analysis(_analysed(net, picture, level), level)),
        "synthesis": count_flops(lambda: _synthesised(net, y, level)),
        "entropy": count_flops(lambda: net.code_latents(y, _feature(net, y, z, level), level)),
    }
    haar = _haar_flops(net.model.config.latent)
    counts["analysis"] -= haar
    counts["synthesis"] -= haar
    kmac = {name: count / 2 / SIDE**2 / 1000 for name, count in counts.items()}
    kmac["encode"] = kmac["analysis"] + kmac["entropy"]
    kmac["decode"] = kmac["synthesis"] + kmac["entropy"]
    return {name: round(value, 1) for name, value in kmac.items()}


@torch.no_grad()
def vq_kmac_per_px(model: VqTransforms) -> dict[str, float]:
    """The same of a VQ model with all its stages, without its index model and the search for codes."""
    picture = torch.zeros(1, 3, SIDE, SIDE)
    indices = model.encode(picture)
    count = torch.full((1, *indices[-1].shape[1:]), len(indices))
    counts = {
        "analysis": count_flops(lambda: model.coarse_net.encode(model.latents(picture))),
        "synthesis": count_flops(lambda: model.decode(indices, count)),
    }
    haar = _haar_flops(model.config.image.latent)
    return {name: round((value - haar) / 2 / SIDE**2 / 1000, 1) for name, value in counts.items()}


def _haar_flops(latent: int) -> int:
    """Of the product of the shortcut's two matrices, the same for every size of picture: not counted."""
    return 2 * 768 * 768 * latent


def _analysed(net: Coded, picture: Tensor, level: Tensor) -> Tensor:
    if isinstance(net, InterTraining):
        return net.model.analyse(picture, torch.cat([picture, picture], 1), level)
    return net.model.analyse(picture, level)


def _synthesised(net: Coded, y: Tensor, level: Tensor) -> Tensor:
    if isinstance(net, InterTraining):
        return net.model.synthesise(y, torch.zeros(1, 6, SIDE, SIDE), level)
    return net.model.synthesise(y, level)


def _feature(net: Coded, y: Tensor, z: Tensor, level: Tensor) -> Tensor:
    assert z.shape[2] * HYPER_STRIDE * 16 == SIDE
    hyper = net.model.hyper_synthesis(z, level)
    if isinstance(net, InterTraining):
        motion = torch.zeros(1, MOTION_CHANNELS, *y.shape[2:])
        hyper = hyper + net.model.temporal(y, motion)
    return net.model.prior.fuse(hyper)
