"""Linnet itself on clips: encode_video and VideoReader, whole files."""

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from ....models import zoo
from ..footage import ClipFrame, Footage
from .base import CodecOptions, Knob
from .linnet import SOURCES, digest_of_sources

_QUALITY = Knob("quality", (30, 48, 66, 83, 100), step=0.01)
_SOURCES = (*SOURCES, "models/inter/*.py", "codec/video/*.py")
_INTER = [spec.sha256 for spec in zoo.SPECS if spec.kind == "inter"]  # of frames between key frames
# Of encode_video, what a benchmark sets itself or has no use for.
_SET_HERE = {
    "source",
    "dest",
    "quality",
    "target_bitrate",
    "target_size",
    "model",
    "device",
    "metadata",
    "overwrite",
}
_OURS = _SET_HERE | {"limits", "allow_partial", "progress"}


@dataclass(frozen=True)
class LinnetClips:
    """One of Linnet's models through the library. choices: further arguments of encode_video by name."""

    spec: zoo.ModelSpec
    device: str
    choices: tuple[tuple[str, int | float | str], ...] = ()
    suffix: str = ".lnt"
    knob: Knob = _QUALITY

    @property
    def label(self) -> str:
        """Its name and what is chosen."""
        return ", ".join([f"Linnet {self.spec.name}", *(f"{name} {value}" for name, value in self.choices)])

    @property
    def settings(self) -> str:
        """Model, device and what is chosen."""
        chosen = "".join(f", {name}={value}" for name, value in self.choices)
        return f"model={self.spec.name}, device={self.device}{chosen}"

    @cached_property
    def versions(self) -> Mapping[str, str]:
        """Of torch, the weights and the code: a changed line makes its old files old."""
        return {
            "linnet": digest_of_sources(_SOURCES),
            "weights": "+".join(sha256[:16] for sha256 in [self.spec.sha256, *_INTER]),
            "torch": version("torch"),
            "constriction": version("constriction"),
            "av": version("av"),
        }

    def command(self, value: float) -> str:
        """The command line that does the same."""
        chosen = "".join(f" --{name.replace('_', '-')} {word}" for name, word in self.choices)
        return f"linnet encode IN -o OUT.lnt -q {value:g} -m {self.spec.name} --device {self.device}{chosen}"

    def prepare(self) -> None:
        """Load the model, and let it code a small clip both ways."""
        import io

        from ...video.reader import VideoReader
        from ...video.writer import VideoWriter

        stream = io.BytesIO()
        with VideoWriter(stream, rate=Fraction(25), model=self.spec.name, device=self.device) as writer:
            for level in (120, 128):
                writer.write(np.full((64, 64, 3), level, np.uint8))
        with VideoReader(stream.getvalue(), device=self.device) as reader:
            assert len(list(reader)) == 2

    def encode(self, source: Footage, value: float, path: Path) -> None:
        """Encode the file, without its tags."""
        from ...video.encode import encode_video

        choices: dict[str, Any] = dict(self.choices)  # of arguments that may come and go
        model, device = self.spec.name, self.device
        encode_video(source.path, path, quality=value, model=model, device=device, metadata="none", **choices)

    def decode(self, path: Path) -> Iterator[ClipFrame]:
        """The frames as RGB, which is what the model decodes to."""
        from ...video.reader import VideoReader

        with VideoReader(path, device=self.device) as reader:
            for frame in reader:
                yield frame.pixels.astype(np.uint8, copy=False)  # 8 bits and colour: the source is 4:2:0


def make_clip_codec(name: str, variant: str, options: CodecOptions) -> LinnetClips:
    """The model that "fast" or "fast:gop=32" names: a model, and arguments of encode_video behind colons.

    Raises:
        ValueError: no such model, or encode_video has no such argument.
    """
    model, *words = variant.split(":")
    return LinnetClips(zoo.find(model or "fast"), options.device, tuple(_choice(word) for word in words))


def _choice(word: str) -> tuple[str, int | float | str]:
    from ...video.encode import encode_video

    name, _, text = word.partition("=")
    name = name.replace("-", "_")
    known = [each for each in inspect.signature(encode_video).parameters if each not in _OURS]
    if name not in known or not text:
        offered = f"NAME=VALUE with NAME of {', '.join(known)}" if known else "nothing behind the model"
        raise ValueError(f"linnet has no variant '{word}' of a model: expected {offered}")
    for kind in (int, float):
        try:
            return name, kind(text)
        except ValueError:
            continue
    return name, text
