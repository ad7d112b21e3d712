"""From a trained inter checkpoint to a model file: as `export`, with everything measured on coded chains."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...entropy import skips
from ...entropy.coder import RateCounter, SymbolCoder
from ...entropy.motion import ROWS, SPREADS, STATES, STRIDES
from ...entropy.networks import TensorSource, read_temporal_net
from ...entropy.quantise import ERROR_BITS
from ...entropy.tables import CdfTable, gaussian_table, pmf_table
from ..inter.codec import InterCodec, Past
from ..inter.offsets import INTER_OFFSETS
from ..inter.transforms import InterTransforms
from ..precision import multiplies_bf16
from ..quality import LAMBDA_HIGH, LAMBDA_LOW, LEVELS
from ..selftest import self_test
from ..spec import ModelSpec
from ..weights import Card, load_transforms, table_tensors, write_model
from .calibrate import calibrate
from .checkpoint import BEST, load_state, of_one_architecture
from .clips import Clips
from .complexity import kmac_per_px
from .config import TrainConfig
from .export import entropy_model, half_precision, hyper_table, training_settings
from .inter import InterTraining
from .quantise import quantise
from .tables import ROUNDS, SymbolCounter, fitted
from .tasks import ClipTask
from .validation import VALID_LEVELS, held_out_chain

MOTION_REACH = 24  # quarters of a pixel from what is expected; beyond it escapes
LAPLACE = (0.3, 0.6, 1.2, 2.5, 5.0, 10.0)  # of each class of spreads: the table that fitting starts from
CHAIN = 6  # frames, the key frame included
CALIBRATION_CHAINS, CURVE_CHAINS = 64, 8  # at most
SIDE = 240  # px of the crops that tables are fitted to


@dataclass
class Coded:
    """What coding some frames took."""

    motion_bits: float = 0.0
    latent_bits: float = 0.0
    pixels: int = 0
    error: float = 0.0  # sum of squared errors, pixels 0..1, mean over the colours

    def row(self) -> dict[str, float]:
        """Bits per pixel and PSNR (dB)."""
        return {
            "bpp": round((self.motion_bits + self.latent_bits) / self.pixels, 4),
            "motion_bpp": round(self.motion_bits / self.pixels, 4),
            "psnr_db": round(-10 * math.log10(self.error / self.pixels), 2),
        }


def start_table() -> CdfTable:
    """Motion tables before any count: a two-sided exponential for each class."""
    values = np.abs(np.arange(-MOTION_REACH, MOTION_REACH + 1))
    rows: list[tuple[int, list[float]]] = []
    for row in range(ROWS):
        mass = np.exp(-values / LAPLACE[row // (STRIDES * STATES)])
        rows.append((-MOTION_REACH, (0.999 * mass / mass.sum()).tolist()))
    assert len(LAPLACE) == len(SPREADS) + 1
    return pmf_table(rows)


@torch.no_grad()
def code_chain(codec: InterCodec, chain: Tensor, reference: Tensor, quality: float, motion: SymbolCoder,
               latents: SymbolCoder) -> Iterator[Tensor]:  # fmt: skip
    """Code frames [T, 3, H, W] behind a decoded key frame, as a clip of that nominal quality is coded.

    Gives the decoded frames.
    """
    past, nominal = Past(reference), quality
    for place, frame in enumerate(chain):
        quality = min(max(nominal + INTER_OFFSETS[place % len(INTER_OFFSETS)], 0.0), 100.0)
        field = codec.find_motion(frame, reference, quality, past.motion)
        codec.code_motion(motion, (frame.shape[1], frame.shape[2]), field)
        predicted = codec.predict(past, field)
        y = codec.analyse(frame, predicted, quality)
        skipped = codec.choose_skips(frame, predicted, y, quality)
        codec.code_skips(motion, past, field, quality, skipped)
        y_hat = codec.encode_latents(latents, y, quality, codec.context(past, field), skipped).y_hat
        reference = codec.synthesise(y_hat, skipped, predicted, quality).clamp(0, 1)
        past = past.then(reference, field, y_hat, quality, skipped)
        yield reference


def start_skips() -> CdfTable:
    """Skip tables before any count: as the neighbours are."""
    rows: list[tuple[int, list[float]]] = []
    for row in range(skips.ROWS):
        share = (0.3, 0.1, 0.3, 0.5, 0.7, 0.9)[row // skips.STATES]
        rows.append((0, [0.999 * (1 - share), 0.999 * share]))
    return pmf_table(rows)


class Measure:
    """Codes chains of clips with a codec under construction."""

    def __init__(self, net: InterTraining, clips: Clips, side: int) -> None:
        self.net, self.clips, self.side = net, clips, side

    def _frames(self, number: int, level: float) -> tuple[Tensor, Tensor]:
        chain = held_out_chain(self.clips, number, CHAIN, self.side)[0]
        key = self.net.key_frame(chain[:1], torch.full((1,), level))
        return chain[1:], key[0]

    def count(self, codec: InterCodec, chains: int) -> SymbolCounter:
        """Symbols of `chains` chains, each at one level."""
        counter = SymbolCounter()
        for number in range(chains):
            level = float(number * 23 % LEVELS)
            chain, key = self._frames(number, level)
            for _ in code_chain(codec, chain, key, level * 100 / 63, counter, counter):
                pass
        return counter

    def curve(self, codec: InterCodec, chains: int) -> dict[str, dict[str, float]]:
        """Bits per pixel and PSNR per level, of the frames behind the key frame."""
        found = {}
        for level in VALID_LEVELS:
            coded = Coded()
            for number in range(chains):
                chain, key = self._frames(number, float(level))
                motion, latents = RateCounter(), RateCounter()
                decoded = code_chain(codec, chain, key, level * 100 / 63, motion, latents)
                for frame, got in zip(chain, decoded, strict=True):
                    coded.error += float(((frame - got) ** 2).mean(0).sum())
                    coded.pixels += frame.shape[1] * frame.shape[2]
                coded.motion_bits += motion.bits
                coded.latent_bits += latents.bits
            found[f"level_{level}"] = coded.row()
        return found


def fit_tables(codec: InterCodec, measure: Measure, chains: int) -> InterCodec:
    """The codec with all tables fitted to the symbols of `chains` chains."""
    first = codec
    for _ in range(ROUNDS):
        counts = measure.count(codec, chains).counts
        entropy = replace(
            codec.entropy,
            z_table=fitted(first.entropy.z_table, counts[id(codec.entropy.z_table)], symmetric=False),
            y_table=fitted(first.entropy.y_table, counts[id(codec.entropy.y_table)], symmetric=True),
        )
        motion = fitted(first.motion_table, counts[id(codec.motion_table)], symmetric=True)
        skip_table = fitted(first.skip_table, counts[id(codec.skip_table)], symmetric=False)
        codec = replace(codec, entropy=entropy, motion_table=motion, skip_table=skip_table)
    return codec


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
        "steps": state["step"],
        "held_out_loss": state["loss"],
        "training_hours": round(state["seconds"] / 3600, 2),
        "torch": torch.__version__,
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
