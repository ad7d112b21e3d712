"""JPEG, WebP, AVIF, JPEG 2000 and JPEG XL through Pillow."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from PIL import Image, features

from ...errors import NotInstalledError
from .base import PERCENT_GRID, CodecOptions, Knob, Pixels

_QUALITY = Knob("quality", PERCENT_GRID)
_BPP = Knob("bpp", (0.05, 0.08, 0.12, 0.2, 0.3, 0.45, 0.6, 0.8, 1.1, 1.5, 2.0), step=0.001)
_BITS = 24  # of an RGB pixel: OpenJPEG is told a compression ratio


@dataclass(frozen=True)
class PillowCodec:
    """One format with fixed options of Image.save; library: how PIL.features calls what does the work."""

    label: str
    format: str
    suffix: str
    library: str
    options: Mapping[str, Any]
    knob: Knob = _QUALITY

    @property
    def settings(self) -> str:
        """The options."""
        return ", ".join(f"{name}={value!r}" for name, value in self.options.items())

    @property
    def versions(self) -> Mapping[str, str]:
        """Of Pillow, and of the library inside it."""
        if self.library == "pillow-jxl-plugin":
            return {"pillow": version("pillow"), self.library: version(self.library)}
        return {"pillow": version("pillow"), self.library: features.version(self.library) or "unknown"}

    def command(self, value: float) -> str:
        """The call of Pillow."""
        name, set_to = self._size_option(value)
        return f"PIL.Image.save(OUT, {self.format!r}, {name}={set_to}, {self.settings})"

    def prepare(self) -> None:
        """Nothing to load."""

    def encode(self, pixels: Pixels, value: float, path: Path) -> None:
        """Save."""
        name, set_to = self._size_option(value)
        Image.fromarray(pixels).save(path, self.format, **{name: set_to}, **self.options)

    def decode(self, path: Path, size: tuple[int, int]) -> Pixels:
        """Open and load."""
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))

    def _size_option(self, value: float) -> tuple[str, int | float | list[float]]:
        if self.knob.name == "bpp":
            return "quality_layers", [_BITS / value]
        return "quality", int(value) if value == int(value) else value


def make(name: str, variant: str, options: CodecOptions) -> PillowCodec:
    """One of the formats; variants choose the chroma of JPEG and AVIF.

    Raises:
        ValueError: no such variant.
        NotInstalledError: not in this Pillow.
    """
    spec = f"{name}:{variant}" if variant else name
    if spec not in _CODECS:
        known = ", ".join(each for each in _CODECS if each.partition(":")[0] == name)
        raise ValueError(f"no codec is called '{spec}'; known: {known}")
    codec = _CODECS[spec]
    if name == "jxl":
        try:
            import_module("pillow_jxl")  # it registers its format
        except ImportError as error:
            raise NotInstalledError("jxl needs JPEG XL for Pillow: pip install pillow-jxl-plugin") from error
    elif not features.check(codec.library):
        raise NotInstalledError(f"{name} is not in this Pillow: pip install --upgrade pillow")
    return codec


def _avif(label: str, subsampling: str, **more: Any) -> PillowCodec:
    options = {"subsampling": subsampling, "speed": 6, "max_threads": 1, **more}
    return PillowCodec(label, "AVIF", ".avif", "avif", MappingProxyType(options))


def _jpeg(label: str, subsampling: str) -> PillowCodec:
    options = {"subsampling": subsampling, "optimize": True}
    return PillowCodec(label, "JPEG", ".jpg", "libjpeg_turbo", MappingProxyType(options))


_CODECS = {
    "jpeg": _jpeg("JPEG", "4:2:0"),
    "jpeg:444": _jpeg("JPEG 4:4:4", "4:4:4"),
    "webp": PillowCodec("WebP", "WEBP", ".webp", "webp", MappingProxyType({"method": 6})),
    "avif": _avif("AVIF", "4:2:0"),
    "avif:444": _avif("AVIF 4:4:4", "4:4:4"),
    "avif:444-psnr": _avif("AVIF 4:4:4, PSNR", "4:4:4", advanced={"tune": "psnr"}),
    # mct: without the colour transform, Pillow's default, it loses 2 to 4 dB.
    "jpeg2000": PillowCodec(
        "JPEG 2000",
        "JPEG2000",
        ".j2k",
        "jpg_2000",
        MappingProxyType({"quality_mode": "rates", "irreversible": True, "mct": 1, "no_jp2": True}),
        _BPP,
    ),
    "jxl": PillowCodec(
        "JPEG XL",
        "JXL",
        ".jxl",
        "pillow-jxl-plugin",
        MappingProxyType({"effort": 7, "num_threads": 1}),
        Knob("quality", PERCENT_GRID, step=0.1),
    ),
}
