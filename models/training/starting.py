"""Where a run begins: at the weights of another one, grown to its shape, or at the basis of its data."""

from dataclasses import replace

import torch
from torch import Tensor

from .checkpoint import load_state, of_one_architecture
from .complexity import Net
from .config import TrainConfig
from .growth import from_fewer_latents, latents_of, start_added_latents
from .inter import InterTraining, from_image_model
from .objective import TrainingModel
from .recover import model_file, start_state
from .tasks import Task
from .vq import VqTraining, from_fewer_stages, stages_of
from .widening import from_smaller_transforms

State = dict[str, Tensor]


def start(net: Net, task: Task, config: TrainConfig, generator: torch.Generator) -> None:
    """Give a fresh network its first weights.

    Raises:
        ValueError: what it is to start from is no state, or one that cannot grow to its shape.
        OSError: that cannot be read.
    """
    device = next(net.parameters()).device
    if not config.start:
        net.model.start_from_basis(*(part.to(device) for part in task.basis(generator)))
        return
    file = model_file(config.start)
    state = {"model": start_state(file, net)} if file else load_state(config.start, device)
    with of_one_architecture(config.start):
        values: State = state["model"]
        net.load_state_dict(grown(values, net))
    if isinstance(net, TrainingModel) and latents_of(values) < config.model.latent:
        start_added_latents(net.model, latents_of(values), task.batch, config.seed)
    if isinstance(net, VqTraining) and len(stages_of(values)) < len(net.model.config.stages):
        pictures, seed = task.basis(generator)
        first = len(stages_of(values)) - len(net.model.config.coarse)
        net.model.start_added_stages(pictures.to(device), seed, first)


def grown(values: State, net: Net) -> State:
    """A state for `net`, which codes as the model of `values` does: what it has more of codes nothing yet."""
    fresh = net.state_dict()
    if isinstance(net, InterTraining):
        return values if "model.temporal.adaptor.weight" in values else from_image_model(values, fresh)
    if isinstance(net, VqTraining):
        return from_fewer_stages(values, fresh)
    as_wide = replace(net.model.config, latent=latents_of(values) or net.model.config.latent)
    wider = from_smaller_transforms(values, TrainingModel(as_wide).state_dict())
    return from_fewer_latents(wider, fresh)
