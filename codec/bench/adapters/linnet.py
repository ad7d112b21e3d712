"""Linnet itself."""

import hashlib
import inspect
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from ....models import zoo
from ....models.spec import ModelSpec
from .base import CodecOptions, Knob, Pixels

_QUALITY = Knob("quality", (0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100), step=0.01)
_ROOT = Path(__file__).parents[3]
# The code that the files of pictures, and their decoded pixels, depend on.
SOURCES = (
    *("bitstream/*.py", "entropy/*.py"),
    *("codec/*.py", "codec/still/*.py", "codec/image/*.py", "codec/files/*.py"),
    *("models/*.py", "models/vq/**/*.py", "models/hyperprior/*.py"),
)
Choices: TypeAlias = tuple[tuple[str, int | float | str], ...]
_OFFERED = {"effort", "resampling", "tile"}  # of the arguments of encode


@dataclass(frozen=True)
class LinnetCodec:
    """One of Linnet's models through the library; metadata is none, since no codec here gets any.

    choices: further arguments of encode by name.
    """

    spec: ModelSpec
    device: str
    choices: Choices = ()
    suffix: str = ".lnt"
    knob: Knob = _QUALITY

    @property
    def label(self) -> str:
        """Its name and what is chosen."""
        return ", ".join([f"Linnet {self.spec.name}", *listed(self.choices, " ")])

    @property
    def settings(self) -> str:
        """Model, device and what is chosen."""
        return ", ".join([f"model={self.spec.name}, device={self.device}", *listed(self.choices, "=")])

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
        words = ["linnet encode IN -o OUT -q", f"{value:g} -m {self.spec.name} --device {self.device}"]
        return " ".join([*words, *options_of(self.choices)])

    def prepare(self) -> None:
        """Load the model, and let it code a small picture both ways."""
        from ...decode import decode
        from ...encode import encode

        small = encode(np.full((64, 64, 3), 128, np.uint8), model=self.spec.name, device=self.device)
        decode(small.data or b"", device=self.device)

    def encode(self, pixels: Pixels, value: float, path: Path) -> None:
        """Encode an array, so that no metadata is written."""
        from ...encode import encode

        choices: dict[str, Any] = dict(self.choices)
        model, device = self.spec.name, self.device
        encode(pixels, path, quality=value, model=model, device=device, overwrite=True, **choices)

    def decode(self, path: Path, size: tuple[int, int]) -> Pixels:
        """Decode; grey pictures come back with three equal channels."""
        from ...decode import decode

        pixels = decode(path, device=self.device).to_eight_bits().pixels.astype(np.uint8)
        return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


def make(name: str, variant: str, options: CodecOptions) -> LinnetCodec:
    """The model that "fast" or "fast:effort=3" names: a model, and arguments of encode behind colons.

    Raises:
        ValueError: no such model, or encode has no such argument.
    """
    from ...encode import encode

    held_back = inspect.signature(encode).parameters.keys() - _OFFERED
    model, choices = model_and_choices(variant, encode, held_back)
    return LinnetCodec(zoo.find(model), options.device, choices)


def listed(choices: Choices, between: str) -> list[str]:
    """What is chosen, each as name and value."""
    return [f"{name}{between}{value}" for name, value in choices]


def options_of(choices: Choices) -> list[str]:
    """What is chosen, as on the command line."""
    return [f"--{name.replace('_', '-')} {value}" for name, value in choices]


def model_and_choices(
    variant: str, encode: Callable[..., object], held_back: Set[str]
) -> tuple[str, Choices]:
    """The model and the arguments of `encode` that a variant such as "fast:gop=32" names; "fast" without one.

    Raises:
        ValueError: `encode` has no such argument, or it is held back.
    """
    model, *words = variant.split(":")
    known = [each for each in inspect.signature(encode).parameters if each not in held_back]
    return model or "fast", tuple(_choice(word, known) for word in words)


def _choice(word: str, known: list[str]) -> tuple[str, int | float | str]:
    name, _, text = word.partition("=")
    name = name.replace("-", "_")
    if name not in known or not text:
        raise ValueError(
            f"linnet has no variant '{word}' of a model: expected NAME=VALUE with NAME of {', '.join(known)}"
        )
    for kind in (int, float):
        try:
            return name, kind(text)
        except ValueError:
            continue
    return name, text


@lru_cache
def digest_of_sources(patterns: tuple[str, ...]) -> str:
    """A hash of the files of the package that match."""
    files = sorted(path for pattern in patterns for path in _ROOT.glob(pattern))
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.relative_to(_ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
