"""Linnet itself on clips: encode_video and VideoReader, whole files."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from ....models import zoo
from ....models.spec import ModelSpec
from ..footage import ClipFrame, Footage
from .base import CodecOptions, Knob
from .linnet import SOURCES, Choices, digest_of_sources, listed, model_and_choices, options_of

_QUALITY = Knob("quality", (30, 48, 66, 83, 100), step=0.01)
_SOURCES = (*SOURCES, "models/inter/*.py", "codec/video/*.py")
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

    @property
    def _inter(self) -> ModelSpec:
        """Of frames between key frames."""
        name = dict(self.choices).get("inter_model")
        return zoo.find_inter(None if name is None else str(name))

    @cached_property
    def versions(self) -> Mapping[str, str]:
        """Of torch, the weights and the code: a changed line makes its old files old."""
        return {
            "linnet": digest_of_sources(_SOURCES),
            "weights": "+".join(spec.sha256[:16] for spec in (self.spec, self._inter)),
            "torch": version("torch"),
            "constriction": version("constriction"),
            "av": version("av"),
        }

    def command(self, value: float) -> str:
        """The command line that does the same."""
        words = ["linnet encode IN -o OUT.lnt -q", f"{value:g} -m {self.spec.name} --device {self.device}"]
        return " ".join([*words, *options_of(self.choices)])

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
    from ...video.encode import encode_video

    model, choices = model_and_choices(variant, encode_video, _OURS)
    return LinnetClips(zoo.find(model), options.device, choices)
