"""From a trained inter checkpoint to a model file: as `export`, with everything measured on coded chains."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from ...entropy.distributions import gaussian_table
from ...entropy.quantise import ERROR_BITS
from ...entropy.temporal_net import read_temporal_net
from ...entropy.tensor_source import TensorSource
from ..inter.codec import InterCodec
from ..inter.transforms import InterTransforms
from ..precision import multiplies_bf16
from ..quality import LAMBDA_HIGH, LAMBDA_LOW, LEVELS
from ..selftest import self_test
from ..spec import ModelSpec
from ..weights import Card, load_transforms, table_tensors, write_model
from .calibrate import calibrate
from .checkpoint import BEST, load_state, of_one_architecture
from .complexity import kmac_per_px
from .config import TrainConfig
from .export import entropy_model, half_precision, hyper_table, training_facts, training_settings
from .inter import InterTraining
from .inter_chains import CHAIN, Measure
from .inter_tables import fit_tables, start_skips, start_table
from .quantise import quantise
from .tasks import ClipTask
from .validation import held_out_chain

CALIBRATION_CHAINS, CURVE_CHAINS = 64, 8  # at most
SIDE = 240  # px of the crops that tables are fitted to


def export_inter(
    config: TrainConfig, checkpoint: Path, target: Path, card: Card, chains: int = 90, side: int = SIDE
) -> str:
    """Write the model file of `checkpoint`; returns its SHA-256 (errors as export.export).

    Args:
        chains: that the tables are fitted to; few are also all that is calibrated and measured with.
        side: of their crops, px.
    """
    torch.manual_seed(0)
    cpu = torch.device("cpu")
    task = ClipTask(config, cpu)
    net = InterTraining(config.model, task.key)
    state = load_state(checkpoint, cpu, BEST)
    with of_one_architecture(checkpoint):
        net.load_state_dict(state["model"])
    tensors = half_precision(net)
    calibration = range(min(CALIBRATION_CHAINS, chains))
    samples = (held_out_chain(task.train, number * 5, CHAIN, side // 64 * 64) for number in calibration)
    integers = quantise(net.model, calibrate(net, samples))
    entropy = replace(entropy_model(integers, hyper_table(net), gaussian_table()), error_bits=ERROR_BITS)
    temporal = read_temporal_net(TensorSource(integers, torch.float32, cpu))
    temporal.certify()
    spec = ModelSpec(0, "under construction", "inter", target.name, "")
    shape = net.model.config
    transforms = load_transforms(InterTransforms(shape), tensors, cpu)
    codec = InterCodec(
        spec, entropy, cpu, multiplies_bf16(cpu), transforms, temporal, start_table(), start_skips()
    )
    held_out = Measure(net, task.valid, side)
    codec_fitted = fit_tables(codec, Measure(net, task.train, side), chains)
    before, after = (held_out.curve(each, min(CURVE_CHAINS, chains)) for each in (codec, codec_fitted))
    card = {
        "kind": "inter",
        "loss": "lambda * 255^2 * MSE + bits per pixel, RGB, mean over the frames of a chain; "
        f"lambda {LAMBDA_LOW} to {LAMBDA_HIGH} over {LEVELS} levels",
        "settings": training_settings(config),
        **card,
        **training_facts(state),
        "data": f"{len(task.train)} clips; {len(task.valid)} of other scenes held out",
        "parameters": sum(p.numel() for p in net.model.parameters()),
        "kmac_per_px": kmac_per_px(net),
        "levels": LEVELS,
        "held_out": after,
        "fitted_tables_percent": round(
            100 * (np.mean([after[k]["bpp"] / before[k]["bpp"] for k in after]) - 1), 2
        ),
    }
    tensors |= {f"exact.{name}": value for name, value in integers.items()}
    tables = {
        "z": codec_fitted.entropy.z_table,
        "y": codec_fitted.entropy.y_table,
        "motion": codec_fitted.motion_table,
        "skip": codec_fitted.skip_table,
    }
    for name, table in tables.items():
        tensors |= table_tensors(table, name)
    tensors["selftest.hash"] = torch.tensor(self_test(entropy.hyper, entropy.prior, temporal))
    return write_model(target, shape, tensors, card)
