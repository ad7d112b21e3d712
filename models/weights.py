"""A model file: safetensors with float transforms, exact networks, integer tables and the model card."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

import numpy as np
import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from ..bitstream.errors import FormatError, ModelMismatchError
from ..entropy.hyper_net import read_hyper_net
from ..entropy.prior import EntropyModel
from ..entropy.prior_net import read_prior_net
from ..entropy.tables import CdfTable
from ..entropy.temporal_net import TemporalNet, read_temporal_net
from ..entropy.tensor_source import TensorSource
from .selftest import self_test
from .transforms import ImageConfig, Transforms
from .whole_file import whole_file

Card = dict[str, object]


def write_model(path: Path, config: ImageConfig, tensors: dict[str, Tensor], card: Card) -> str:
    """Write a model file; returns its SHA-256. Names: `transform.`, `exact.` and `table.` in front."""
    metadata = {"linnet": "1", "architecture": json.dumps(asdict(config)), "card": json.dumps(card)}
    return write_tensors(path, tensors, metadata)


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str]) -> str:
    """Write a safetensors file whole; returns its SHA-256. Raises OSError, then nothing has changed."""
    data = safetensors.torch.save({k: v.contiguous() for k, v in tensors.items()}, metadata)
    with whole_file(path) as stream:
        stream.write(data)
    return hashlib.sha256(data).hexdigest()


def read_card(path: Path) -> tuple[ImageConfig, Card]:
    """Architecture and model card, without the tensors. Raises FormatError or OSError."""
    try:
        with safe_open(path, framework="np") as stored:
            metadata = stored.metadata() or {}
    except SafetensorError as error:
        raise FormatError(f"{path} is not a model file: {error}") from error
    if metadata.get("linnet") != "1":
        raise FormatError(f"{path} is no Linnet model file of layout 1: found {metadata.get('linnet')!r}")
    try:
        return ImageConfig(**json.loads(metadata["architecture"])), json.loads(metadata["card"])
    except RecursionError:
        raise FormatError(f"{path} is no model file: its card is nested too deeply") from None


def read_tensors(path: Path, sha256: str, advice: str = "reinstall Linnet") -> dict[str, Tensor]:
    """All tensors, once the file's SHA-256 is the expected one. Raises ModelMismatchError otherwise."""
    if not path.is_file():
        raise ModelMismatchError(f"{path}: the weights are missing: {advice}")
    data = path.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise ModelMismatchError(f"{path} has SHA-256 {found}, expected {sha256}: {advice}")
    return safetensors.torch.load(data)


def part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with `prefix`, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def read_table(tensors: dict[str, Tensor], name: str) -> CdfTable:
    """The table stored as `table.<name>.cdf`, `.size` and `.offset`."""
    parts = part(tensors, f"table.{name}.")
    missing = {"cdf", "size", "offset"} - parts.keys()
    if missing:
        raise FormatError(f"the model file has no table.{name}.{min(missing)}: it is damaged")
    cdf, size, offset = (parts[key].numpy().astype(np.int32) for key in ("cdf", "size", "offset"))
    return CdfTable(cdf=cdf, size=size, offset=offset)


def table_tensors(table: CdfTable, name: str) -> dict[str, Tensor]:
    """What `read_table` reads."""
    values = {"cdf": table.cdf, "size": table.size, "offset": table.offset}
    return {f"table.{name}.{key}": torch.from_numpy(np.array(value)) for key, value in values.items()}


Net = TypeVar("Net", bound=nn.Module)


def build_transforms(config: ImageConfig, tensors: dict[str, Tensor], device: torch.device) -> Transforms:
    """The float transforms of an image model, ready to run."""
    return load_transforms(Transforms(config), tensors, device)


def load_transforms(transforms: Net, tensors: dict[str, Tensor], device: torch.device) -> Net:
    """Float transforms with the tensors of a model file, ready to run."""
    transforms.float()  # whatever the default type is here
    try:
        transforms.load_state_dict({k: v.float() for k, v in part(tensors, "transform.").items()})
    except RuntimeError as error:
        raise ModelMismatchError(f"the weights are of another architecture: {error}") from error
    return transforms.to(device).to(memory_format=torch.channels_last).eval().requires_grad_(False)


def build_entropy_model(
    tensors: dict[str, Tensor], device: torch.device, dtype: torch.dtype | None = None
) -> EntropyModel:
    """The exact path of a picture (see build_exact)."""
    return build_exact(tensors, device, dtype)[0]


def build_exact(
    tensors: dict[str, Tensor], device: torch.device, dtype: torch.dtype | None = None
) -> tuple[EntropyModel, TemporalNet | None]:
    """The exact path: in the fastest way that passes the self-test, int8, float32 or float64.

    Args:
        dtype: float32 or float64 to insist on one; None to choose.
    Returns:
        And the temporal context, of an inter model.
    Raises:
        ModelMismatchError: the self-test fails in every way tried.
    """
    expected, exact = int(tensors["selftest.hash"]), part(tensors, "exact.")
    insisted = None if dtype is None else [TensorSource(exact, dtype, device)]
    for source in insisted or TensorSource.of_each_type(exact, device):
        hyper, prior = read_hyper_net(source), read_prior_net(source)
        temporal = read_temporal_net(source) if "exact.temporal.bound" in tensors else None
        model = EntropyModel(hyper, prior, read_table(tensors, "z"), read_table(tensors, "y"))
        if self_test(hyper, prior, temporal) == expected:
            return model, temporal
    raise ModelMismatchError(
        f"the exact networks give other integers on {device} than when the model was made: files would not "
        "decode here; run with --device cpu, and report this torch version"
    )
