"""From a CompressAI checkpoint to a model file of Linnet: check, fold, quantise, certify, tabulate, keep."""

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from ...entropy.distributions import gaussian_table
from ...entropy.hyperprior import BOUND, GRID_BITS, read_hyper_decoder
from ...entropy.tensor_source import TensorSource
from .. import store
from ..added import IMPORTED
from ..hyperprior import codec
from ..hyperprior.transforms import HyperpriorConfig
from ..spec import ModelSpec
from ..weights import Card, table_tensors
from ..zoo import SPECS
from .checkpoint import State, config_of, folded_transforms, read_checkpoint
from .density import hyper_table, scales_of
from .download import download
from .errors import CheckpointError
from .quantise import quantise
from .trained import check_density, check_picture

CPU = torch.device("cpu")
QUALITIES = range(1, 9)
LICENCE = (
    "the weights are those of the checkpoint and under the licence of those who trained it "
    "(CompressAI's own: BSD 3-Clause Clear, InterDigital); they are no part of Linnet"
)


@dataclass(frozen=True, slots=True)
class Imported:
    """A model that was added: how to call it, and its file."""

    spec: ModelSpec
    card: Card

    @property
    def path(self) -> Path:
        return self.spec.path


def import_compressai(
    architecture: str,
    quality: int,
    *,
    metric: str = "mse",
    checkpoint: str | os.PathLike[str] | None = None,
    name: str | None = None,
    overwrite: bool = False,
) -> Imported:
    """Make a Linnet model of a trained CompressAI model and keep it in the user's data directory.

    The same checkpoint gives the same model file, and thus the same weights hash, on every machine.

    Args:
        architecture: "bmshj2018-hyperprior" or "mbt2018-mean".
        quality: 1 to 8, as CompressAI counts; which checkpoint, or what to call the given one.
        metric: "mse" or "ms-ssim", likewise.
        checkpoint: a file to import; None to download the published one, which needs compressai.
        name: of the model, as `linnet encode -m` takes it; by default the architecture and the quality.
        overwrite: replace a model of this name.
    Raises:
        ValueError: an argument; CheckpointError, one of it: the checkpoint is none, of another architecture,
            not whole, or not trained. DownloadError, ModuleNotFoundError: no checkpoint to be had.
        FileExistsError: the name is taken. OSError: the disk.
    """
    _check_request(architecture, metric, quality)
    name = name or f"{architecture}-{quality}" + ("" if metric == "mse" else f"-{metric}")
    store.check_name(name, {spec.name for spec in SPECS})
    if not overwrite:
        store.check_free(name)
    data = download(architecture, metric, quality) if checkpoint is None else Path(checkpoint).read_bytes()
    try:
        state = read_checkpoint(data)
        config = config_of(state, architecture)
        check_density(state)
        tensors = model_tensors(state, config)
        card = model_card(architecture, metric, quality, data, config)
        card["parameters"] = sum(value.numel() for key, value in tensors.items() if key.endswith("weight"))
        return _keep(name, tensors, card, overwrite)
    except CheckpointError as error:
        raise CheckpointError(f"{checkpoint}: {error}" if checkpoint else str(error)) from error


def _check_request(architecture: str, metric: str, quality: int) -> None:
    if (architecture, metric) not in IMPORTED:
        known = ", ".join(f"{a} ({m})" for a, m in IMPORTED)
        raise ValueError(f"cannot import {architecture} ({metric}): known are {known}")
    if quality not in QUALITIES:
        raise ValueError(f"quality must be 1 to 8, as CompressAI counts, not {quality}")


def _keep(name: str, tensors: dict[str, Tensor], card: Card, overwrite: bool) -> Imported:
    """Build the model once, prove it, and write it down."""
    # One entry of metadata only: safetensors writes several in an order that changes from run to run.
    model = safetensors.torch.save(tensors, {"card": json.dumps(card, sort_keys=True)})
    digest = hashlib.sha256(model).hexdigest()
    wire_id = IMPORTED[str(card["architecture_name"]), str(card["metric"])]
    folder, quality = store.models_folder() / name, float(str(card["quality"]))
    spec = ModelSpec(wire_id, name, "hyperprior", f"{digest}.safetensors", digest, folder, quality)
    built = codec.build(spec, codec.config_of(card), tensors, CPU)
    built.entropy.hyper.certify()
    check_picture(built)
    store.store(name, model, overwrite)
    return Imported(spec, card)


def model_tensors(state: State, config: HyperpriorConfig) -> dict[str, Tensor]:
    """All tensors of the model file. Raises CheckpointError."""
    scales = scales_of(state)
    exact = quantise(state, config, scales)
    hyper = read_hyper_decoder(TensorSource(exact, torch.float64, CPU))
    tensors = {f"transform.{key}": value for key, value in folded_transforms(state, config).items()}
    tensors |= {f"exact.{key}": value for key, value in exact.items()}
    tensors |= table_tensors(hyper_table(state, hyper.medians), "z")
    tensors |= table_tensors(gaussian_table(scales), "y")
    tensors["selftest.hash"] = torch.tensor(hyper.self_test())
    return tensors


def model_card(architecture: str, metric: str, quality: int, data: bytes, config: HyperpriorConfig) -> Card:
    """What the model is and where it comes from; nothing that differs between two imports of a checkpoint."""
    return {
        "layout": 1,
        "source": f"compressai:{architecture}",
        "architecture_name": architecture,
        "architecture": asdict(config),
        "metric": metric,
        "quality": quality,
        "checkpoint_sha256": hashlib.sha256(data).hexdigest(),
        "exact_path": f"hyper-decoder in 16-bit weights, activations to {BOUND} on a grid of 2^-{GRID_BITS}, "
        "float64 sums below 2^53",
        "licence": LICENCE,
    }
