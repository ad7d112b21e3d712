"""Model files that a user trained: checked as strictly as those that ship, then kept among the added ones."""

from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError

from ..bitstream.errors import FormatError, ModelMismatchError
from . import store, zoo
from .importing.errors import CheckpointError
from .inter import codec as inter_codec
from .weights import build_entropy_model, build_transforms, read_card


def add_model(path: Path, name: str | None = None, overwrite: bool = False) -> zoo.ModelSpec:
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
        if "stages" in store.read_card(path):
            raise ValueError("it codes in stages, and only the model that ships can do that yet")
        config, card = read_card(path)
        kind, tensors, device = card.get("kind", "image"), safetensors.torch.load(data), torch.device("cpu")
        if kind == "inter":
            spec = zoo.ModelSpec(zoo.TRAINED_ID, name, kind, path.name, "", path.resolve().parent)
            codec = inter_codec.build(spec, tensors, device)
            nets = [codec.entropy.hyper, codec.entropy.prior, codec.temporal]
        else:
            build_transforms(config, tensors, device)
            entropy = build_entropy_model(tensors, device)
            nets = [entropy.hyper, entropy.prior]
    except ModelMismatchError:
        raise
    except (FormatError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} is no whole model file of linnet train --export: {error}") from error
    try:
        for net in nets:
            net.certify()
    except ValueError as error:
        raise CheckpointError(f"{path}: other machines would decode other symbols: {error}") from error
    store.store(name, data, overwrite)
    return zoo.find(name)
