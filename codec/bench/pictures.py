"""The pictures of a benchmark: found in a folder, hashed, and loaded as every codec gets them."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import UnreadableImageError
from ..images import ImageSource, load_image
from .adapters.base import Pixels

CLIPS = frozenset({".mkv", ".mp4", ".mov", ".webm", ".avi", ".y4m", ".yuv"})


@dataclass(frozen=True, slots=True)
class Picture:
    """A file that can be read. name: inside the dataset; width, height: upright, in pixels."""

    name: str
    path: Path
    sha256: str
    width: int
    height: int


def load_rgb(source: ImageSource) -> Pixels:
    """[H, W, 3] uint8, upright; grey becomes RGB, 16 bits become 8, alpha is left out.

    Raises:
        UnreadableImageError, LimitExceededError, OSError: as load_image.
    """
    pixels = load_image(source).oriented().to_eight_bits().pixels.astype(np.uint8)
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


def find_files(dataset: Path, suffixes: frozenset[str]) -> list[tuple[str, Path]]:
    """The files to measure with their names: one picture, or all in a folder and below, sorted.

    Raises:
        FileNotFoundError: no such place.
        ValueError: a folder without any picture.
    """
    if dataset.is_file():
        return [(dataset.name, dataset)]
    if not dataset.is_dir():
        raise FileNotFoundError(2, "no such file or folder", str(dataset))
    files = sorted(path for path in dataset.rglob("*") if path.is_file())
    found = [path for path in files if path.suffix.lower() in suffixes]
    if not found:
        clips = any(path.suffix.lower() in CLIPS for path in files)
        more = "; clips cannot be measured yet" if clips else ""
        raise UnreadableImageError(f"{dataset}: no picture in this folder{more}")
    return [(path.relative_to(dataset).as_posix(), path) for path in found]


def open_pictures(files: list[tuple[str, Path]]) -> Iterator[tuple[str, Picture | Exception]]:
    """Read every file once: a picture, or why it is none."""
    for name, path in files:
        try:
            data = path.read_bytes()
            pixels = load_rgb(data)
        except (ValueError, OSError, MemoryError) as error:
            yield name, error
            continue
        digest = hashlib.sha256(data).hexdigest()
        yield name, Picture(name, path, digest, pixels.shape[1], pixels.shape[0])
