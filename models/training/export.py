"""From a trained checkpoint to a model file: calibrate, quantise, certify, tabulate, self-test, describe."""

import math
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...entropy.distributions import gaussian_table, pmf_table
from ...entropy.hyper_net import read_hyper_net
from ...entropy.prior import EntropyModel
from ...entropy.prior_net import read_prior_net
from ...entropy.quantise import ERROR_BITS
from ...entropy.rate import RateCounter
from ...entropy.tables import CdfTable
from ...entropy.tensor_source import TensorSource
from ..added import TRAINED_ID
from ..image_codec import ImageCodec
from ..precision import multiplies_bf16
from ..quality import LAMBDA_HIGH, LAMBDA_LOW, LEVELS
from ..selftest import self_test
from ..spec import ModelSpec
from ..weights import Card, table_tensors, write_model
from .calibrate import calibrate
from .checkpoint import BEST, load_state, of_one_architecture
from .complexity import kmac_per_px
from .config import TrainConfig
from .data import Pictures, load
from .fit_encoder import fit_encoder
from .objective import MS_SSIM_WEIGHT, LatentCoding, TrainingModel
from .quantise import quantise
from .tables import fit_tables
from .validation import held_out_crop

LOSSES = {
    "mse": "lambda * 255^2 * MSE + bits per pixel",
    "ms-ssim": f"lambda * {MS_SSIM_WEIGHT:.0f} * (1 - MS-SSIM) + bits per pixel",
}
Z_REACH = 40  # hyper-latents beyond it escape
Z_TAIL = 1e-6  # mass of a row's ends that is left to the escape
COST_LEVELS = (3, 15, 27, 39, 51, 63)
COST_CROPS = 16
FLOAT_PARTS = ("shortcut", "analysis", "synthesis", "hyper_analysis")


def half_precision(net: LatentCoding) -> dict[str, Tensor]:
    """The transforms as they are stored: weights in fp16, gains in fp32; `net` is rounded alike."""
    stored: dict[str, Tensor] = {}
    state = net.model.state_dict()
    with torch.no_grad():
        for name in state:
            if name.split(".")[0] not in FLOAT_PARTS:
                continue
            value = state[name].float()
            stored[f"transform.{name}"] = value if "gain" in name else value.half()
            state[name].copy_(stored[f"transform.{name}"])
    return stored


@torch.no_grad()
def hyper_table(net: LatentCoding) -> CdfTable:
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
def float_bits(net: TrainingModel, pictures: Pictures, level: int) -> float:
    """Bits of the float networks for some pictures: their Gaussians, their density."""
    net.eval()
    crops = (held_out_crop(pictures, number) for number in range(min(COST_CROPS, len(pictures))))
    levels = torch.full((1,), float(level))
    return sum(float(net(crop, levels).bpp) * crop.shape[2] * crop.shape[3] for crop in crops)


@torch.no_grad()
def exact_bits(net: TrainingModel, exact: EntropyModel, pictures: Pictures, level: int) -> float:
    """Bits of the exact path for the same pictures and latents: those of its integer tables."""
    counter = RateCounter()
    levels = torch.full((1,), float(level))
    for number in range(min(COST_CROPS, len(pictures))):
        y = net.latents(held_out_crop(pictures, number) - 0.5, levels)
        z = torch.round(net.model.hyper_analysis(y, levels))[0].permute(1, 2, 0).int().numpy()
        exact.code(counter, (y.shape[2], y.shape[3]), level, (z, y[0].permute(1, 2, 0)))
    return counter.bits


def percent_over(found: list[float], base: list[float]) -> dict[str, float]:
    """How much more bits, in percent, per level and in the mean."""
    changes = [100 * (one / other - 1) for one, other in zip(found, base, strict=True)]
    named = {f"level_{level}": round(change, 3) for level, change in zip(COST_LEVELS, changes, strict=True)}
    return {**named, "mean": round(float(np.mean(changes)), 3)}


def training_settings(config: TrainConfig) -> Card:
    """The numbers and words of a configuration; its paths are nobody else's business."""
    values = {f.name: getattr(config, f.name) for f in fields(config) if f.name != "model"}
    return {name: value for name, value in values.items() if isinstance(value, (int, float, str))}


def training_facts(best: dict) -> Card:
    """What the best checkpoint of a run says of it."""
    return {
        "steps": best["step"],
        "held_out_loss": best["loss"],
        "training_hours": round(best["seconds"] / 3600, 2),
        "torch": torch.__version__,
    }


def _codec_of(net: TrainingModel, entropy: EntropyModel, target: Path) -> ImageCodec:
    """What `target` will be once it is loaded, but for what its encoder does beyond training."""
    cpu = torch.device("cpu")
    spec = ModelSpec(TRAINED_ID, target.stem, "image", target.name, "", target.parent)
    transforms = net.model.eval().to(memory_format=torch.channels_last)
    return ImageCodec(spec, entropy, cpu, multiplies_bf16(cpu), transforms)


def export(config: TrainConfig, checkpoint: Path, target: Path, card: Card, crops: int = 16) -> str:
    """Write the model file of `checkpoint`; returns its SHA-256.

    Raises:
        ValueError: a layer cannot meet the 2^24 certificate.
    """
    torch.manual_seed(0)
    net = TrainingModel(config.model, correction=config.correction)
    state = load_state(checkpoint, torch.device("cpu"), BEST)
    with of_one_architecture(checkpoint):
        net.load_state_dict(state["model"])
    tensors = half_precision(net)
    train = load(config.data, held_out=False, device=torch.device("cpu"))
    valid = load(config.data, held_out=True, device=torch.device("cpu"))
    samples = (held_out_crop(train, number * 7 % len(train)) for number in range(4 * crops))
    integers = quantise(net.model, calibrate(net, samples))
    exact = entropy_model(integers, hyper_table(net), gaussian_table())
    in_float = [float_bits(net, valid, level) for level in COST_LEVELS]
    in_integers = [exact_bits(net, exact, valid, level) for level in COST_LEVELS]
    chosen = replace(exact, error_bits=ERROR_BITS)
    fitted = fit_tables(net, chosen, train, crops=8 * crops)
    before, after = ([exact_bits(net, m, valid, level) for level in COST_LEVELS] for m in (chosen, fitted))
    card = {
        "loss": f"{LOSSES[config.metric]}, RGB; lambda {LAMBDA_LOW} to {LAMBDA_HIGH} over {LEVELS} levels",
        "settings": training_settings(config),
        **card,
        **training_facts(state),
        "data": f"{len(train)} pictures of {config.data.name}; {len(valid)} of other photos held out",
        "parameters": sum(p.numel() for p in net.model.parameters()),
        "kmac_per_px": kmac_per_px(net),
        "levels": LEVELS,
        "quantisation_cost_percent": percent_over(in_integers, in_float),
        "fitted_tables_percent": percent_over(after, before),
    }
    tensors |= {f"exact.{name}": value for name, value in integers.items()}
    tensors |= table_tensors(fitted.z_table, "z") | table_tensors(fitted.y_table, "y")
    tensors["selftest.hash"] = torch.tensor(self_test(exact.hyper, exact.prior))
    print({name: value for name, value in card.items() if name.endswith("percent")})
    tensors |= fit_encoder(_codec_of(net, fitted, target), train, 2 * crops, config.metric).tensors()
    return write_model(target, config.model, tensors, card)
