"""The models that the user has added: what each is by its card, and how to get one that a file needs."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..bitstream.errors import FormatError, ModelMismatchError
from . import store
from .spec import ModelSpec

# Ids of added models say what their weights were made from; the weights hash alone says which they are.
ADDED_IDS = range(1024, 2048)
IMPORTED = {  # (architecture, metric) of the checkpoints that `linnet models import` takes -> wire id
    ("bmshj2018-hyperprior", "mse"): 1024,
    ("bmshj2018-hyperprior", "ms-ssim"): 1025,
    ("mbt2018-mean", "mse"): 1026,
    ("mbt2018-mean", "ms-ssim"): 1027,
}
TRAINED_ID = 1028  # of the image and inter models that a user trained with Linnet


def added_specs() -> tuple[ModelSpec, ...]:
    """The models in the user's data directory; one whose card cannot be read is of kind "damaged"."""
    return tuple(_added(name, path) for name, path in store.stored_files())


def _added(name: str, path: Path) -> ModelSpec:
    try:
        return described(name, path)
    except (FormatError, OSError, KeyError, ValueError):
        return ModelSpec(ADDED_IDS.start, name, "damaged", path.name, path.stem, path.parent)


def described(name: str, path: Path) -> ModelSpec:
    """What the card of a model file says it is; the hash is taken from the file's name.

    Raises:
        FormatError, KeyError, ValueError: the card is none of Linnet's. OSError.
    """
    card = store.read_card(path)
    file = name, "", path.name, path.stem, path.absolute().parent
    if isinstance(stages := card.get("stages"), Sequence):
        return replace(ModelSpec(TRAINED_ID, *file), kind="vq", stages=len(stages))
    if "levels" in card:  # every quality
        return replace(ModelSpec(TRAINED_ID, *file), kind=str(card.get("kind", "image")))
    source = str(card["architecture_name"]), str(card["metric"])
    return replace(ModelSpec(IMPORTED[source], *file), kind="hyperprior", quality=float(str(card["quality"])))


def find_added(wire_id: int, weights_hash: bytes, quality: float) -> ModelSpec:
    """The added model that a file's header asks for. Raises ModelMismatchError saying how to get it."""
    for spec in added_specs():
        if spec.weights_hash == weights_hash:
            return spec
    needed = f"the file needs an added model (weights {weights_hash.hex()}) that is not here"
    if wire_id == TRAINED_ID:
        raise ModelMismatchError(f"{needed}: linnet models add FILE, with the weights that its writer used")
    for (architecture, metric), known in IMPORTED.items():
        if known == wire_id:
            raise ModelMismatchError(
                f"{needed}: linnet models import compressai:{architecture} --quality {quality:g} "
                f"--metric {metric} makes it (with --checkpoint and the same file, if its writer used one)"
            )
    raise ModelMismatchError(f"{needed}, of a source that this Linnet does not know: a newer one may")
