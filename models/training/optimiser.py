"""The optimiser of a run, and which parameters learn faster or slower than the others."""

import torch
from torch import nn

from ..vq.quantisers.simvq import SimVQ
from .complexity import Net
from .config import TrainConfig
from .soap import Soap
from .vq import VqTraining

BASE_RATE = 10.0  # codes lie many steps of the optimiser apart, and each is only seen now and then


def optimiser_of(net: Net, config: TrainConfig, bf16: bool) -> torch.optim.Optimizer:
    """What a configuration asks for; bf16: this device multiplies faster in it."""
    groups = parameter_groups(net, config.shortcut_rate)
    if config.optimiser == "soap":
        return Soap(groups, config.learning_rate, bf16=bf16)
    # one kernel, not hundreds
    return torch.optim.AdamW(groups, config.learning_rate, weight_decay=0.0, fused=True)


def parameter_groups(net: Net, solved_rate: float) -> list[dict[str, object]]:
    """Groups for the optimiser: `factor` multiplies the learning rate.

    What starts at a solution learns at `solved_rate`: large first steps of Adam would only shake it loose.
    """
    factors: dict[int, float] = {}
    for part in solved_parts(net):
        factors |= {id(parameter): solved_rate for parameter in part.parameters()}
    factors |= {id(part.base): BASE_RATE for part in net.modules() if isinstance(part, SimVQ)}
    trained = [parameter for parameter in net.parameters() if parameter.requires_grad]
    return [
        {"params": [p for p in trained if factors.get(id(p), 1.0) == factor], "factor": factor}
        for factor in sorted({factors.get(id(p), 1.0) for p in trained})
    ]


def solved_parts(net: Net) -> list[nn.Module]:
    """What starts from a basis, from clusters or from an image model's shortcut."""
    return net.model.solved_parts() if isinstance(net, VqTraining) else [net.model.shortcut]
