"""From a model file back to networks that can be trained on.

A model file holds no optimiser and no moving average, and the density of the hyper-latents only as tables.
"""

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from torch import Tensor, nn

from ...bitstream.errors import FormatError
from ...entropy.tables import CdfTable
from ..inter.model import InterModel
from ..recovery import recovered
from ..transforms import ImageConfig
from ..weights import Card, read_card, read_table
from ..zoo import SPECS, find
from .objective import LatentCoding, TrainingModel

DENSITY_STEPS, DENSITY_RATE = 600, 0.02
GROWING = ("latent", "analysis", "analysis_blocks", "synthesis", "synthesis_blocks")


def model_file(start: Path) -> Path | None:
    """The model file that `start` is or names; None where it is a checkpoint."""
    if start.suffix == ".safetensors":
        return start
    known = {spec.name for spec in SPECS}
    return find(start.name).path if str(start) in known and not start.is_file() else None


def fit_density(net: LatentCoding, table: CdfTable) -> float:
    """Fit the density of the hyper-latents to a table; returns how many bits a symbol costs more by it."""
    first, last = int(table.offset.min()), int((table.offset + table.size).max())
    target = torch.zeros(table.rows, last - first)
    for row in range(table.rows):
        size, place = int(table.size[row]) - 1, int(table.offset[row]) - first  # the last one is the escape
        target[row, place : place + size] = torch.from_numpy(
            np.asarray(table.weights(row)[:size], np.float32)
        )
    target /= target.sum(1, keepdim=True)
    values = torch.arange(first, last).float().expand(table.rows, 1, -1)
    density = net.hyper_density
    optimiser = torch.optim.Adam([p for p in density.parameters() if p.requires_grad], DENSITY_RATE)
    bits = torch.zeros(())
    for _ in range(DENSITY_STEPS):
        likelihood = density._likelihood(values)
        found = (likelihood[0] if isinstance(likelihood, tuple) else likelihood)[:, 0]
        bits = -(target * torch.log2(found.clamp_min(1e-9))).sum(1).mean()
        optimiser.zero_grad(set_to_none=True)
        bits.backward()
        optimiser.step()
    entropy = -(target * torch.log2(target.clamp_min(1e-30))).sum(1).mean()
    return float(bits.detach() - entropy)


def _card(path: Path) -> tuple[ImageConfig, Card]:
    try:
        return read_card(path)
    except FormatError as error:
        raise ValueError(str(error)) from error
    except TypeError as error:  # the card of a VQ model has other fields
        raise ValueError(f"{path} is of another architecture than the config: {error}") from error


def recover(path: Path, net: LatentCoding) -> None:
    """Make `net` code as the model file does.

    Raises:
        ValueError: it is no model file, or one of another architecture or kind.
        OSError: it cannot be read.
    """
    config, card = _card(path)
    kind = "inter" if isinstance(net.model, InterModel) else "image"
    if (found := card.get("kind", "image")) != kind or config != net.model.config:
        raise ValueError(
            f"{path} is of another architecture than the config: found kind {found} and {config}, needed are "
            f"{kind} and {net.model.config}"
        )
    tensors = safetensors.torch.load_file(path)
    recovered(net.model, tensors)
    fit_density(net, read_table(tensors, "z"))


def start_state(path: Path, net: nn.Module) -> dict[str, Tensor]:
    """What a `best.pt` would hold under "model", of a model file (errors as recover).

    Of an image model that an inter model is to start from, the state is that of the image model; of an image
    model that is smaller than `net` in what can grow, it is that of the smaller one (`growth`, `widening`).
    """
    if not isinstance(net, LatentCoding):
        raise ValueError(
            f"{path}: only image and inter models start from a model file, a VQ model from a best.pt"
        )
    taken = copy.deepcopy(net).cpu()  # where the file's tensors are
    config, card = _card(path)
    if card.get("kind", "image") == "image":
        wanted = net.model.config
        if isinstance(net.model, InterModel):
            sizes = {"latent": config.latent}
        else:
            sizes = {name: min(getattr(config, name), getattr(wanted, name)) for name in GROWING}
        taken = TrainingModel(replace(wanted, **sizes))
    recover(path, taken)
    return taken.state_dict()
