"""Arrays in one `.npz`, to carry to a machine that trains: written whole or not at all, read or refused."""

import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..whole_file import whole_file

SUFFIX = ".npz"


def check_packed(path: Path) -> None:
    """Raises ValueError for a name that numpy would change."""
    if path.suffix != SUFFIX:
        raise ValueError(f"{path}: what is packed is one file that ends in {SUFFIX}")


def write_arrays(target: Path, arrays: Mapping[str, NDArray[np.generic]]) -> None:
    """Write arrays by name. Raises OSError: what was there before stays."""
    with whole_file(target) as stream:
        np.savez(stream, **arrays)


def read_arrays(source: Path, names: Sequence[str]) -> dict[str, NDArray[np.generic]]:
    """Read arrays by name.

    Raises:
        ValueError: damaged, or without one of them. OSError.
    """
    try:
        with np.load(source, allow_pickle=False) as packed:
            return {name: packed[name] for name in names}
    except KeyError as error:
        raise ValueError(f"{source} holds something else than packed pictures: {error}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, AttributeError) as error:
        raise ValueError(f"{source} is no whole {SUFFIX} file: {error}") from error
