"""Files of tokens, .npz or .safetensors: the indices of many pictures as plain integer arrays.

    stage0, stage1, ...      uint16 [n, h, w]: the grids of all pictures, where all have one size
    stage0/0, stage0/1, ...  uint16 [h, w]: the grids of each picture, where sizes differ
    width, height            int32 [n], in pixels
    orientation              uint8 [n], EXIF meaning: how the decoded picture is to be turned
    about                    JSON: the names of the pictures, model, weights_hash, strides and codes of the
                             stages (an index is 0 to codes - 1), and `linnet_tokens`, the version of this
                             layout; a string array in .npz, metadata in .safetensors

Reading one needs numpy or safetensors only: `np.load("tokens.npz")["stage0"]`.
"""

import io
import json
import os
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from operator import index
from pathlib import Path
from typing import SupportsIndex, cast

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as save_safetensors

from ...bitstream.errors import CorruptFileError, UnsupportedVersionError
from ...models.vq.config import Stage
from ..files.atomic import atomic_write
from .tokens import Tokens

VERSION = 1
SUFFIXES = (".npz", ".safetensors")
_ABOUT = "about"
_UNREADABLE = (
    SafetensorError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    IndexError,
    TypeError,
    ValueError,
    ArithmeticError,
    AttributeError,
    MemoryError,
    NotImplementedError,  # zipfile's, of a method of compression that it does not have
    RecursionError,
)
Arrays = dict[str, NDArray[np.generic]]


def check_suffix(dest: str | os.PathLike[str]) -> str:
    """The suffix of a file of tokens. Raises ValueError for any other."""
    suffix = Path(dest).suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"{os.fspath(dest)}: tokens are written as {' or '.join(SUFFIXES)}")
    return suffix


def save_tokens(tokens: Sequence[Tokens], dest: str | os.PathLike[str], *, overwrite: bool = False) -> int:
    """Write the tokens of pictures into one file, whole or not at all; returns its bytes.

    Args:
        dest: a path that ends in .npz (compressed) or .safetensors (raw).
    Raises:
        ValueError: another suffix, no pictures, or pictures of other weights or numbers of stages.
        FileExistsError, OSError: the destination.
    """
    suffix = check_suffix(dest)
    about, arrays = json.dumps(_about(tokens)), _arrays(tokens)
    if suffix == ".npz":
        stream = io.BytesIO()
        np.savez_compressed(stream, **{_ABOUT: np.array(about)}, **arrays)
        data = stream.getvalue()
    else:
        data = save_safetensors(arrays, {_ABOUT: about})
    with atomic_write(dest, overwrite) as file:
        file.write(data)
    return len(data)


def _about(tokens: Sequence[Tokens]) -> dict[str, object]:
    """What the arrays mean."""
    if not tokens:
        raise ValueError("there are no tokens to write")
    first = tokens[0]
    for each in tokens:
        if each.weights_hash != first.weights_hash:
            raise ValueError(
                f"'{each.name}' has tokens of weights {each.weights_hash}, '{first.name}' of "
                f"{first.weights_hash}: their indices mean different things and need a file each"
            )
        if each.stages != first.stages:
            raise ValueError(
                f"'{each.name}' has {len(each.stages)} stages and '{first.name}' {len(first.stages)}: "
                f"ask for {min(len(each.stages), len(first.stages))} of all"
            )
    return {
        "linnet_tokens": VERSION,
        "model": first.model,
        "weights_hash": first.weights_hash,
        "strides": [stage.stride for stage in first.stages],
        "codes": [stage.codes for stage in first.stages],
        "names": [each.name for each in tokens],
    }


def _arrays(tokens: Sequence[Tokens]) -> Arrays:
    arrays: Arrays = {
        "width": np.array([each.width for each in tokens], np.int32),
        "height": np.array([each.height for each in tokens], np.int32),
        "orientation": np.array([each.orientation for each in tokens], np.uint8),
    }
    one_size = len({(each.width, each.height) for each in tokens}) == 1
    for stage in range(len(tokens[0].stages)):
        grids = [each.grids[stage] for each in tokens]
        if one_size:
            arrays[f"stage{stage}"] = np.stack(grids)
        else:
            arrays |= {f"stage{stage}/{number}": grid for number, grid in enumerate(grids)}
    return arrays


def load_tokens(source: str | os.PathLike[str]) -> list[Tokens]:
    """Read a file of tokens, every picture in it.

    Raises:
        ValueError: another suffix. UnsupportedVersionError: a newer layout.
        CorruptFileError: not such a file, or its arrays do not fit what it says of them. OSError.
    """
    name = os.fspath(source)
    reader = _read_npz if check_suffix(source) == ".npz" else _read_safetensors
    try:
        about, arrays = reader(Path(source))
        found = json.loads(about)
        if found["linnet_tokens"] > VERSION:
            raise UnsupportedVersionError(
                f"{name}: tokens of layout {found['linnet_tokens']} need a newer Linnet, this one reads "
                f"layout {VERSION}"
            )
        return _pictures(found, arrays)
    except _UNREADABLE as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else error
        raise CorruptFileError(f"{name} cannot be read as tokens: {reason}") from error


def _read_npz(path: Path) -> tuple[str, Arrays]:
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    return str(arrays.pop(_ABOUT)), arrays


def _read_safetensors(path: Path) -> tuple[str, Arrays]:
    with safe_open(path, "numpy") as file:
        names = list(file.keys())
        return (file.metadata() or {})[_ABOUT], {name: file.get_tensor(name) for name in names}


def _pictures(about: Mapping[str, Sequence[int]], arrays: Arrays) -> list[Tokens]:
    stages = tuple(Stage(*pair) for pair in zip(about["strides"], about["codes"], strict=True))
    return [
        Tokens(
            grids=tuple(_grid(arrays, stage, number) for stage in range(len(stages))),
            stages=stages,
            width=_whole(arrays["width"][number]),
            height=_whole(arrays["height"][number]),
            model=str(about["model"]),
            weights_hash=str(about["weights_hash"]),
            name=str(name),
            orientation=_whole(arrays["orientation"][number]),
        )
        for number, name in enumerate(about["names"])
    ]


def _whole(value: np.generic) -> int:
    """Raises TypeError: a number that is not whole, or none."""
    return index(cast(SupportsIndex, value))


def _grid(arrays: Arrays, stage: int, number: int) -> NDArray[np.uint16]:
    stacked = arrays.get(f"stage{stage}")
    grid = arrays[f"stage{stage}/{number}"] if stacked is None else stacked[number]
    return grid.astype(np.uint16, casting="safe", copy=False)
