"""The models that a user has added: a folder for each, in the data directory. Standard library only.

`MODELS/NAME/SHA256.safetensors`: the name of the file is the hash of its bytes, so that a file's header finds
its model without reading any, and a damaged one shows.
"""

import errno
import hashlib
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from ..bitstream.errors import FormatError
from .whole_file import whole_file

Json: TypeAlias = bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"] | None
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HASHED = re.compile(r"[0-9a-f]{64}\.safetensors")
_MAX_HEADER_BYTES = 2**24  # more is damage


def models_folder() -> Path:
    """Where added models are: $LINNET_MODELS, else `linnet/models` in the platform's data directory."""
    if given := os.environ.get("LINNET_MODELS"):
        return Path(given)
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "linnet" / "models"


def stored_files() -> list[tuple[str, Path]]:
    """Name and file of every added model, sorted."""
    try:
        folders = [folder for folder in models_folder().iterdir() if NAME.fullmatch(folder.name)]
        files = [(folder.name, path) for folder in folders if folder.is_dir() for path in folder.iterdir()]
    except (OSError, RuntimeError):  # no folder, not ours to read, or no home to look in: no models
        return []
    return sorted((name, path) for name, path in files if _HASHED.fullmatch(path.name))


def read_card(path: Path) -> dict[str, Json]:
    """The model card in a model file's header.

    Raises:
        FormatError: no model file. OSError.
    Source: https://huggingface.co/docs/safetensors: u64 length, JSON with text in __metadata__.
    """
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        header = stream.read(length) if length <= _MAX_HEADER_BYTES else b""
    try:
        return dict(json.loads(json.loads(header)["__metadata__"]["card"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise FormatError(f"{path} is no model file with a card") from None


def check_name(name: str, taken: set[str]) -> None:
    """Raises ValueError for a name that is none, or that a built-in model has."""
    if not NAME.fullmatch(name):
        raise ValueError(f"'{name}' is no name for a model: letters, digits, '.', '_' and '-', at most 64")
    if name in taken:
        raise ValueError(f"'{name}' is the name of a built-in model: choose another one")


def check_free(name: str) -> None:
    """Raises FileExistsError where a model of this name exists."""
    for other, path in stored_files():
        if other == name:
            raise FileExistsError(errno.EEXIST, "exists already (-f replaces it)", str(path))


def store(name: str, data: bytes, overwrite: bool) -> Path:
    """Keep a model file under a name, in place of one that had it if `overwrite`; returns where.

    Raises:
        FileExistsError: there is one, and it is to be kept. OSError.
    """
    if not overwrite:
        check_free(name)
    folder = models_folder() / name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{hashlib.sha256(data).hexdigest()}.safetensors"
    with whole_file(path) as stream:
        stream.write(data)
    for other, old in stored_files():
        if other == name and old != path:
            old.unlink()
    return path
