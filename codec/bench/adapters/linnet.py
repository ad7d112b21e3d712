"""Linnet itself."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.metadata import version
from pathlib import Path

import numpy as np

from ....models import zoo
from .base import CodecOptions, Knob, Pixels

_QUALITY = Knob("quality", (0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100), step=0.01)
_ROOT = Path(__file__).parents[3]
# The code that the files of pictures, and their decoded pixels, depend on.
SOURCES = ("bitstream/*.py", "entropy/*.py", "models/*.py", "codec/*.py")


@dataclass(frozen=True)
class LinnetCodec:
    """One of Linnet's models through the library; metadata is none, since no codec here gets any."""

    spec: zoo.ModelSpec
    device: str
    suffix: str = ".lnt"
    knob: Knob = _QUALITY

    @property
    def label(self) -> str:
        """Its name."""
        return f"Linnet {self.spec.name}"

    @property
    def settings(self) -> str:
        """Model and device."""
        return f"model={self.spec.name}, device={self.device}"

    @cached_property
    def versions(self) -> Mapping[str, str]:
        """Of torch, the weights and the code: a changed line makes its old files old."""
        return {
            "linnet": digest_of_sources(SOURCES),
            "weights": self.spec.sha256[:16],
            "torch": version("torch"),
            "constriction": version("constriction"),
        }

    def command(self, value: float) -> str:
        """The command line that does the same."""
        return f"linnet encode IN -o OUT -q {value:g} -m {self.spec.name} --device {self.device}"

    def prepare(self) -> None:
        """Load the model, and let it code a small picture both ways."""
        from ...api import decode, encode

        small = encode(np.full((64, 64, 3), 128, np.uint8), model=self.spec.name, device=self.device)
        decode(small.data or b"", device=self.device)

    def encode(self, pixels: Pixels, value: float, path: Path) -> None:
        """Encode an array, so that no metadata is written."""
        from ...api import encode

        encode(pixels, path, quality=value, model=self.spec.name, device=self.device, overwrite=True)

    def decode(self, path: Path, size: tuple[int, int]) -> Pixels:
        """Decode; grey pictures come back with three equal channels."""
        from ...api import decode

        pixels = decode(path, device=self.device).to_eight_bits().pixels.astype(np.uint8)
        return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


def make(name: str, variant: str, options: CodecOptions) -> LinnetCodec:
    """The model that the variant names, "fast" without one. Raises ValueError: no such model."""
    return LinnetCodec(zoo.find(variant or "fast"), options.device)


@lru_cache
def digest_of_sources(patterns: tuple[str, ...]) -> str:
    """A hash of the files of the package that match."""
    files = sorted(path for pattern in patterns for path in _ROOT.glob(pattern))
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
