"""Weights files as files: where they are, what their card says, whether they are the right ones. No torch."""

import hashlib
import json
from pathlib import Path

from ...bitstream.errors import ModelMismatchError
from ...models import zoo
from .console import JsonValue

MAX_CARD_BYTES = 2**24  # a safetensors header of more is damage, not a card


def weights_state(spec: zoo.ModelSpec) -> str:
    """Compare a weights file with its checksum: "ok", "missing", or what differs."""
    if not spec.path.is_file():
        return "missing"
    found = hashlib.sha256(spec.path.read_bytes()).hexdigest()
    return "ok" if found == spec.sha256 else f"damaged: SHA-256 is {found}, expected {spec.sha256}"


def read_card(path: Path) -> dict[str, JsonValue]:
    """Read the model card that a weights file carries in its header.

    Raises:
        ModelMismatchError: no weights, or no safetensors file with a card.
    Source: https://huggingface.co/docs/safetensors: u64 length, JSON with text in __metadata__.
    """
    if not path.is_file():
        raise ModelMismatchError(f"{path}: the weights are missing; install Linnet again")
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        header = stream.read(length) if length <= MAX_CARD_BYTES else b""
    try:
        card = json.loads(json.loads(header)["__metadata__"]["card"])
    except (ValueError, KeyError, TypeError):
        raise ModelMismatchError(f"{path}: no model file with a card; install Linnet again") from None
    return {str(name): value for name, value in card.items()}
