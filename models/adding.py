"""Model files that a user trained: checked as strictly as those that ship, then kept among the added ones."""

from pathlib import Path
from typing import Protocol

import safetensors.torch
import torch
from safetensors import SafetensorError

from ..bitstream.errors import FormatError, ModelMismatchError
from . import image_codec, store, zoo
from .added import described
from .importing.errors import CheckpointError
from .inter import codec as inter_codec
from .spec import ModelSpec
from .vq import codec as vq_codec


class Certified(Protocol):
    """An exact network."""

    def certify(self) -> int:
        """Prove every sum exact. Raises ValueError naming the layer that fails."""
        ...


def add_model(path: Path, name: str | None = None, overwrite: bool = False) -> ModelSpec:
    """Keep the model file that `linnet train --export` wrote, to encode and decode with by name.

    Args:
        name: to call it by; else the file's name.
        overwrite: replace an added model of this name.
    Raises:
        CheckpointError: no model file, not a whole one, or one whose layers are not exact everywhere.
        ModelMismatchError: its networks give other integers here than where it was made.
        ValueError: no name for a model. FileExistsError: there is one of this name. OSError.
    """
    name = name or path.stem
    store.check_name(name, {spec.name for spec in zoo.SPECS})
    data = path.read_bytes()
    try:
        nets = _networks(described(name, path), data)
    except ModelMismatchError:
        raise
    except (FormatError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} is no whole model file of linnet train: {error}") from error
    try:
        for net in nets:
            net.certify()
    except ValueError as error:
        raise CheckpointError(f"{path}: other machines would decode other symbols: {error}") from error
    store.store(name, data, overwrite)
    return zoo.find(name)


def _networks(spec: ModelSpec, data: bytes) -> list[Certified]:
    """The exact networks of a model file, all of which loads."""
    tensors, device = safetensors.torch.load(data), torch.device("cpu")
    for tensor_name, tensor in tensors.items():
        if not bool(torch.isfinite(tensor).all()):
            raise FormatError(f"{tensor_name} holds values that are not finite numbers")
    if spec.kind == "vq":
        decoders = ["fidelity", *({"perceptual"} & {name.split(".")[0] for name in tensors})]
        return [vq_codec.build(spec, tensors, device, tune).index_model for tune in decoders]
    if spec.kind == "inter":
        codec = inter_codec.build(spec, tensors, device)
        return [codec.entropy.hyper, codec.entropy.prior, codec.temporal]
    entropy = image_codec.build(spec, tensors, device).entropy
    return [entropy.hyper, entropy.prior]
