"""What a model costs: multiply-accumulates per pixel and parameters, counted on the networks themselves."""

import torch

from ..image import HYPER_STRIDE
from .objective import TrainingModel
from .speed import count_flops

SIDE = 256  # px of the picture that is counted


@torch.no_grad()
def kmac_per_px(net: TrainingModel) -> dict[str, float]:
    """Thousands of multiply-accumulates a pixel, by part; decoding is synthesis + entropy.

    encode: analysis, hyper-analysis and entropy. entropy: hyper-synthesis and prior, which both sides run.
    """
    model = net.model.eval()
    picture, level = torch.zeros(1, 3, SIDE, SIDE), torch.zeros(1)
    y = model.analyse(picture, level)
    z = model.hyper_analysis(y, level)
    counts = {
        "analysis": count_flops(lambda: model.hyper_analysis(model.analyse(picture, level), level)),
        "synthesis": count_flops(lambda: model.synthesise(y, level)),
        "entropy": count_flops(lambda: net.code_latents(y, _feature(net, z, level), level)),
    }
    # the product of the shortcut's two matrices costs the same for every size of picture: not counted
    haar = 2 * 768 * 768 * model.config.latent
    counts["analysis"] -= haar
    counts["synthesis"] -= haar
    kmac = {name: count / 2 / SIDE**2 / 1000 for name, count in counts.items()}
    kmac["encode"] = kmac["analysis"] + kmac["entropy"]
    kmac["decode"] = kmac["synthesis"] + kmac["entropy"]
    return {name: round(value, 1) for name, value in kmac.items()}


def _feature(net: TrainingModel, z: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
    assert z.shape[2] * HYPER_STRIDE * 16 == SIDE
    return net.model.prior.fuse(net.model.hyper_synthesis(z, level))
