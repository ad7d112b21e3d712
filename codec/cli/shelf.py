"""Weights files as files: where they are, what their card says, whether they are the right ones. No torch."""

import hashlib
from pathlib import Path

from ...bitstream.errors import FormatError, ModelMismatchError
from ...models import store
from ...models.spec import ModelSpec
from .console import JsonValue


def weights_state(spec: ModelSpec) -> str:
    """Compare a weights file with its checksum: "ok", "missing", or what differs."""
    if not spec.path.is_file():
        return "missing"
    found = hashlib.sha256(spec.path.read_bytes()).hexdigest()
    return "ok" if found == spec.sha256 else f"damaged: SHA-256 is {found}, expected {spec.sha256}"


def read_card(path: Path) -> dict[str, JsonValue]:
    """Read the model card that a weights file carries in its header.

    Raises:
        ModelMismatchError: no weights, or no safetensors file with a card.
    """
    if not path.is_file():
        raise ModelMismatchError(f"{path}: the weights are missing; install Linnet again")
    try:
        return store.read_card(path)
    except FormatError as error:
        raise ModelMismatchError(f"{error.message}; install it again") from None
