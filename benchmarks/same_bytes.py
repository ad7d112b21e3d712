"""Files of one picture by several codecs, each as large as a budget of bytes allows."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
from PIL import Image

from linnet.codec.bench.adapters import find_adapter
from linnet.codec.bench.adapters.base import CodecOptions, PictureAdapter, Pixels
from linnet.codec.bench.adapters.pillow import PillowCodec

SCALES = (1, 2, 4)  # a picture may be reduced before it is coded, as people do who need very small files
SLOW_SPEED = 4  # of AVIF: five times the work of speed 6; files of speed 2 were as large, to 5 %
_PERCENT = tuple(range(96))
_LOW_QUALITIES = tuple(range(0, 41, 2))  # of Linnet's other models, whose smallest files are the question


@dataclass(frozen=True)
class Rival:
    """A codec to compare with, and the values of its knob from the smallest file to the largest."""

    adapter: PictureAdapter
    values: Sequence[float]

    @property
    def label(self) -> str:
        """Its name for people."""
        return self.adapter.label

    @property
    def key(self) -> str:
        """Another one for other settings or versions, fit for a folder."""
        said = json.dumps([self.label, self.adapter.settings, dict(self.adapter.versions)])
        return hashlib.sha256(said.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Candidate:
    """A file. scale: how far the picture was reduced. fits: whether it keeps the budget."""

    label: str
    path: Path
    scale: int
    value: float
    bytes: int
    fits: bool
    decode: Callable[[], Pixels]


def find_rivals(names: Sequence[str]) -> list[Rival]:
    """Adapters by name; `avif-slow` is AVIF at SLOW_SPEED.

    Raises:
        ValueError, NotInstalledError: no such codec, or it is not here.
    """
    return [_rival(name) for name in names]


def _rival(name: str) -> Rival:
    if name == "avif-slow":
        codec = find_adapter("avif", CodecOptions())
        assert isinstance(codec, PillowCodec)
        options: Mapping[str, object] = MappingProxyType({**codec.options, "speed": SLOW_SPEED})
        return Rival(replace(codec, label="AVIF slow", options=options), _PERCENT)
    codec = find_adapter(name, CodecOptions())
    return Rival(codec, _LOW_QUALITIES if name.startswith("linnet") else _PERCENT)


def largest_within(size_of: Callable[[int], int], count: int, budget: int) -> int | None:
    """The last of `count` settings whose file is not larger than the budget, by bisection.

    Args:
        size_of: bytes of the file at a setting, 0 to count - 1; taken to rise.
    Returns:
        the setting, or None if even the first is too large.
    """
    if size_of(0) > budget:
        return None
    # The budgets lie near the smallest files, so the step is doubled from there first.
    low, step = 0, 1
    while low + step < count and size_of(low + step) <= budget:
        low, step = low + step, step * 2
    high = min(low + step, count)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if size_of(middle) <= budget else (low, middle)
    return low


@dataclass(frozen=True)
class Contest:
    """The files of one rival for one picture; each is made once, whatever the budgets ask for, and kept."""

    rival: Rival
    original: Pixels
    folder: Path

    def candidates(self, budget: int) -> list[Candidate]:
        """The largest file within the budget at each scale; if there is none, the smallest of all files."""
        found = []
        for scale in SCALES:
            setting = largest_within(lambda at, scale=scale: self._size(scale, at), self._count, budget)
            if setting is not None:
                found.append(self._candidate(scale, setting, True))
        if found:
            return found
        smallest = min(SCALES, key=lambda scale: self._size(scale, 0))
        return [self._candidate(smallest, 0, False)]

    @property
    def _count(self) -> int:
        return len(self.rival.values)

    def _path(self, scale: int, setting: int) -> Path:
        return self.folder / f"{scale}_{setting}{self.rival.adapter.suffix}"

    def _size(self, scale: int, setting: int) -> int:
        path = self._path(scale, setting)
        if not path.exists():
            unfinished = path.with_name(f"new{path.suffix}")
            self.rival.adapter.encode(reduced(self.original, scale), self.rival.values[setting], unfinished)
            unfinished.rename(path)
        return path.stat().st_size

    def _candidate(self, scale: int, setting: int, fits: bool) -> Candidate:
        size, value = self._size(scale, setting), self.rival.values[setting]
        path, (height, width) = self._path(scale, setting), reduced_size(self.original, scale)

        def decode() -> Pixels:
            return enlarged(self.rival.adapter.decode(path, (width, height)), self.original.shape[:2])

        return Candidate(self.rival.label, path, scale, value, size, fits, decode)


def reduced_size(pixels: Pixels, scale: int) -> tuple[int, int]:
    """(height, width) of a picture reduced by a whole factor, rounded up."""
    return -(-pixels.shape[0] // scale), -(-pixels.shape[1] // scale)


def reduced(pixels: Pixels, scale: int) -> Pixels:
    """[H, W, 3] -> [ceil(H/scale), ceil(W/scale), 3] by Pillow's Lanczos filter."""
    if scale == 1:
        return pixels
    height, width = reduced_size(pixels, scale)
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS))


def enlarged(pixels: Pixels, size: tuple[int, ...]) -> Pixels:
    """[h, w, 3] -> [H, W, 3] for a size of (H, W), by Pillow's bicubic filter."""
    if pixels.shape[:2] == size:
        return pixels
    height, width = size
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC))
