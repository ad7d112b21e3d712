"""VVenC: the user's own vvencapp; FFmpeg's decoder of VVC, which PyAV has."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import numpy as np
from av.codec import Codec

from ...errors import NotInstalledError
from ..colour import to_planes
from .base import VVC_QP, CodecOptions, Knob, Pixels
from .binaries import find_binary, run, version_of, write_planes
from .pyav import decode_still

_ADVICE = "build VVenC (https://github.com/fraunhoferhhi/vvenc) and give --vvenc its folder or program"
_DEPTH = 10
_SETTINGS = ("--preset", "slower", "--qpa", "0", "--threads", "1", "-f", "1", "-r", "25")


@dataclass(frozen=True)
class Vvenc:
    """The program. It codes 4:2:0 only, here of 10 bits, BT.709, full range."""

    encoder: Path
    label: str = "VVenC intra"
    suffix: str = ".vvc"
    knob: Knob = VVC_QP

    @property
    def settings(self) -> str:
        """Its options without files and knob."""
        return "4:2:0 BT.709 full range 10 bit, " + " ".join(_SETTINGS)

    @cached_property
    def versions(self) -> Mapping[str, str]:
        """What it says of itself."""
        return {"vvenc": version_of([str(self.encoder), "--version"]), "av": version("av")}

    def command(self, value: float) -> str:
        """The command line; IN is raw planes."""
        return " ".join(self._words("IN.yuv", "OUT.vvc", value, "WxH"))

    def prepare(self) -> None:
        """Nothing to load."""

    def encode(self, pixels: Pixels, value: float, path: Path) -> None:
        """Run the encoder on planes whose odd sides are padded."""
        padded = np.pad(pixels, ((0, pixels.shape[0] % 2), (0, pixels.shape[1] % 2), (0, 0)), mode="edge")
        with tempfile.TemporaryDirectory() as folder:
            raw = Path(folder) / "in.yuv"
            write_planes(raw, to_planes(padded, _DEPTH, halved=True), _DEPTH)
            run(self._words(str(raw), str(path), value, f"{padded.shape[1]}x{padded.shape[0]}"))

    def decode(self, path: Path, size: tuple[int, int]) -> Pixels:
        """Decode with FFmpeg's decoder and cut the padding off."""
        return decode_still(path, "vvc", _DEPTH, size)

    def _words(self, source: str, dest: str, value: float, size: str) -> list[str]:
        files = ["-i", source, "-s", size, "-c", "yuv420_10", "-o", dest, "-q", f"{value:g}"]
        return [str(self.encoder), *files, *_SETTINGS]


def make(name: str, variant: str, options: CodecOptions) -> Vvenc:
    """VVenC as the options find it.

    Raises:
        ValueError: there are no variants.
        NotInstalledError: no program, or a PyAV that cannot decode what it writes.
    """
    if variant:
        raise ValueError(f"{name} has no variant '{variant}'")
    try:
        Codec("vvc", "r")
    except ValueError as error:
        raise NotInstalledError("vvenc needs a PyAV that decodes VVC: pip install --upgrade av") from error
    return Vvenc(find_binary("vvencapp", options.vvenc, _ADVICE))
