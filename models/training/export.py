"""From a trained checkpoint to a model file: calibrate, quantise, certify, tabulate, self-test, describe."""

import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...entropy.coder import RateCounter
from ...entropy.networks import TensorSource, read_hyper_net, read_prior_net
from ...entropy.prior import EntropyModel
from ...entropy.tables import CdfTable, gaussian_table, pmf_table
from ..quality import LEVELS
from ..selftest import self_test
from ..transforms import Transforms
from ..weights import Card, table_tensors, write_model
from .calibrate import calibrate
from .checkpoint import load_state
from .config import TrainConfig
from .data import Pictures, load
from .objective import TrainingModel
from .quantise import quantise
from .trainer import held_out_crop

Z_REACH = 40  # hyper-latents beyond it escape
Z_TAIL = 1e-6  # mass of a row's ends that is left to the escape
COST_LEVELS = (3, 15, 27, 39, 51, 63)


def half_precision(net: TrainingModel) -> dict[str, Tensor]:
    """The transforms as they are stored: weights in fp16, gains in fp32; `net` is rounded alike."""
    stored: dict[str, Tensor] = {}
    names = Transforms(net.model.config).state_dict().keys()
    state = net.model.state_dict()
    with torch.no_grad():
        for name in names:
            value = state[name].float()
            stored[f"transform.{name}"] = value if "gain" in name else value.half()
            state[name].copy_(stored[f"transform.{name}"])
    return stored


@torch.no_grad()
def hyper_table(net: TrainingModel) -> CdfTable:
    """Integer CDF of each hyper-latent channel, from the learned density at the integers."""
    channels = net.model.config.hyper
    values = torch.arange(-Z_REACH, Z_REACH + 1).float()
    likelihood = net.hyper_density._likelihood(values.expand(channels, 1, -1))
    pmf = (likelihood[0] if isinstance(likelihood, tuple) else likelihood)[:, 0].double().numpy()
    rows: list[tuple[int, list[float]]] = []
    for row in pmf:
        kept = np.flatnonzero(row > Z_TAIL)
        first, last = (kept[0], kept[-1]) if len(kept) else (Z_REACH, Z_REACH)
        rows.append((int(first) - Z_REACH, row[first : last + 1].tolist()))
    return pmf_table(rows)


def entropy_model(tensors: dict[str, Tensor], z_table: CdfTable, y_table: CdfTable) -> EntropyModel:
    """The exact path of freshly quantised tensors, proven by the certificate."""
    source = TensorSource(tensors, torch.float32, torch.device("cpu"))
    hyper, prior = read_hyper_net(source), read_prior_net(source)
    hyper.certify()
    prior.certify()
    return EntropyModel(hyper, prior, z_table, y_table, error_bits=math.inf)  # rounding, as in training


@torch.no_grad()
def quantisation_cost(
    net: TrainingModel, exact: EntropyModel, pictures: Pictures, crops: int
) -> dict[str, float]:
    """Bits of the exact path over those of the float networks, minus 1, in percent, per level and in all.

    Both see the same latents, rounded the same way; the float side's bits are those of its Gaussians
    and its density, the exact side's those of the integer tables.
    """
    float_bits, exact_bits = np.zeros(len(COST_LEVELS)), np.zeros(len(COST_LEVELS))
    net.eval()
    for at, chosen in enumerate(COST_LEVELS):
        level = torch.tensor([float(chosen)])
        for number in range(min(crops, len(pictures))):
            picture = held_out_crop(pictures, number)
            outcome = net(picture, level)
            float_bits[at] += float(outcome.bpp) * picture.shape[2] * picture.shape[3]
            y = net.model.analyse(picture - 0.5, level)
            z = torch.round(net.model.hyper_analysis(y, level))[0].permute(1, 2, 0).int().numpy()
            counter = RateCounter()
            exact.code(counter, (y.shape[2], y.shape[3]), chosen, (z, y[0].permute(1, 2, 0)))
            exact_bits[at] += counter.bits
    percent = (exact_bits / float_bits - 1) * 100
    costs = {f"level_{chosen}": round(float(p), 3) for chosen, p in zip(COST_LEVELS, percent, strict=True)}
    costs["mean"] = round(float(percent.mean()), 3)
    return costs


def export(config: TrainConfig, checkpoint: Path, target: Path, card: Card, crops: int = 16) -> str:
    """Write the model file of `checkpoint`; returns its SHA-256.

    Raises:
        ValueError: a layer cannot meet the 2^24 certificate.
    """
    torch.manual_seed(0)
    net = TrainingModel(config.model)
    state = load_state(checkpoint, torch.device("cpu"))
    net.load_state_dict(state["model"])
    tensors = half_precision(net)
    train = load(config.data, held_out=False, device=torch.device("cpu"))
    valid = load(config.data, held_out=True, device=torch.device("cpu"))
    integers = quantise(net.model, calibrate(net, train, crops=4 * crops))
    z_table, y_table = hyper_table(net), gaussian_table()
    exact = entropy_model(integers, z_table, y_table)
    card = {
        "loss": "lambda * 255^2 * MSE + bits per pixel, RGB, lambda log-spaced 0.0008 to 0.3 over 64 levels",
        **card,
        "steps": state["step"],
        "held_out_loss": state["loss"],
        "training_hours": round(state["seconds"] / 3600, 2),
        "torch": torch.__version__,
        "data": f"{len(train)} pictures of {config.data.name}; {len(valid)} of other photos held out",
        "parameters": sum(p.numel() for p in net.model.parameters()),
        "levels": LEVELS,
        "quantisation_cost_percent": quantisation_cost(net, exact, valid, crops),
    }
    tensors |= {f"exact.{name}": value for name, value in integers.items()}
    tensors |= table_tensors(z_table, "z") | table_tensors(y_table, "y")
    tensors["selftest.hash"] = torch.tensor(self_test(exact.hyper, exact.prior))
    print(f"exact path costs {card['quantisation_cost_percent']} % of rate")
    return write_model(target, config.model, tensors, card)
