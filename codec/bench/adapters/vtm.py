"""VTM, the reference encoder of VVC, all-intra: the user's own EncoderAppStatic and DecoderAppStatic."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ...errors import NotInstalledError
from ..colour import to_planes, to_rgb
from .base import VVC_QP, CodecOptions, Knob, Pixels
from .binaries import find_binary, read_planes, run, version_of, write_planes

_ADVICE = "build VTM (https://vcgit.hhi.fraunhofer.de/jvet/VVCSoftware_VTM) and give --vtm its folder"
_CONFIG = "encoder_intra_vtm.cfg"


@dataclass(frozen=True)
class Vtm:
    """Both programs and the configuration that comes with them; RGB goes in as 4:4:4 BT.709 of 8 bits."""

    encoder: Path
    decoder: Path
    config: Path
    label: str = "VTM"
    suffix: str = ".vvc"
    knob: Knob = VVC_QP

    @property
    def settings(self) -> str:
        """The configuration's name and what overrides it."""
        return f"{self.config.name}, 4:4:4 BT.709 full range 8 bit, " + " ".join(_OVERRIDES)

    @cached_property
    def versions(self) -> Mapping[str, str]:
        """What the encoder says of itself."""
        return {"vtm": version_of([str(self.encoder), "--help"])}

    def command(self, value: float) -> str:
        """The encoder's command line; IN is raw planes."""
        return " ".join(self._words("IN.yuv", "OUT.vvc", value, "W", "H"))

    def prepare(self) -> None:
        """Nothing to load."""

    def encode(self, pixels: Pixels, value: float, path: Path) -> None:
        """Run the encoder. It pads odd sizes itself, and the file says what to cut (conformance window)."""
        height, width = pixels.shape[:2]
        with tempfile.TemporaryDirectory() as folder:
            raw = Path(folder) / "in.yuv"
            write_planes(raw, to_planes(pixels), 8)
            run(self._words(str(raw), str(path), value, str(width), str(height)))

    def decode(self, path: Path, size: tuple[int, int]) -> Pixels:
        """Run the decoder."""
        with tempfile.TemporaryDirectory() as folder:
            raw = Path(folder) / "out.yuv"
            run([str(self.decoder), "-b", str(path), "-o", str(raw), "-d", "8"])
            return to_rgb(read_planes(raw, size, 8))

    def _words(self, source: str, dest: str, value: float, width: str, height: str) -> list[str]:
        files = ["-i", source, "-c", str(self.config), "-q", f"{value:g}", "-o", "/dev/null", "-b", dest]
        return [str(self.encoder), *files, "-wdt", width, "-hgt", height, *_OVERRIDES]


_OVERRIDES = (
    "-fr",
    "1",
    "-f",
    "1",
    "--InputChromaFormat=444",
    "--InputBitDepth=8",
    "--ConformanceWindowMode=1",
)


def make(name: str, variant: str, options: CodecOptions) -> Vtm:
    """VTM as the options find it.

    Raises:
        ValueError: there are no variants.
        NotInstalledError: a program or the configuration is missing.
    """
    if variant:
        raise ValueError(f"{name} has no variant '{variant}'")
    encoder = find_binary("EncoderAppStatic", options.vtm, _ADVICE)
    decoder = find_binary("DecoderAppStatic", str(encoder.parent), _ADVICE)
    places = [folder / _CONFIG for folder in (encoder.parent, *(p / "cfg" for p in encoder.parents[:3]))]
    config = next((place for place in places if place.is_file()), None)
    if config is None:
        raise NotInstalledError(f"no {_CONFIG} beside or above {encoder}: {_ADVICE}")
    return Vtm(encoder, decoder, config)
