"""Models of CompressAI's zoo, with the checkpoints that CompressAI publishes, through CompressAI itself."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Protocol, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ...errors import NotInstalledError
from .base import CodecOptions, Knob, Pixels

_STRIDE = 64  # sides are padded to a multiple of it
_HEAD = struct.Struct("<HHHHB")  # width, height, rows and columns of z, number of strings
_LENGTH = struct.Struct("<I")
_ADVICE = "download its checkpoints (compressai.zoo.image.model_urls) and name their folder: --checkpoints"


class _Model(Protocol):
    def compress(self, x: Tensor) -> dict[str, list[list[bytes]] | tuple[int, int]]: ...
    def decompress(self, strings: list[list[bytes]], shape: tuple[int, int]) -> dict[str, Tensor]: ...


@dataclass(frozen=True)
class ZooCodec:
    """One architecture; the knob chooses among its checkpoints. files: of each quality."""

    architecture: str
    files: Mapping[int, Path]
    device: str
    suffix: str = ".cai"

    @property
    def label(self) -> str:
        """The architecture's name."""
        return self.architecture

    @property
    def settings(self) -> str:
        """Architecture, metric, device."""
        return f"architecture={self.architecture}, metric=mse, device={self.device}"

    @property
    def knob(self) -> Knob:
        """The qualities whose checkpoints are here."""
        return Knob("quality", tuple(sorted(self.files)))

    @property
    def versions(self) -> Mapping[str, str]:
        """Of the libraries and of the checkpoints, whose names end in their hash."""
        names = " ".join(self.files[quality].name for quality in sorted(self.files))
        return {"compressai": version("compressai"), "torch": version("torch"), "checkpoints": names}

    def command(self, value: float) -> str:
        """The call of CompressAI."""
        return f"compressai.zoo.{self.architecture.replace('-', '_')}(quality={value:g}).compress(x)"

    def prepare(self) -> None:
        """Load the checkpoints."""
        for quality in self.files:
            self._model(quality)

    def encode(self, pixels: Pixels, value: float, path: Path) -> None:
        """Write the strings behind their lengths and the sizes."""
        height, width = pixels.shape[:2]
        x = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float().div(255).to(self.device)
        padded = F.pad(x, (0, -width % _STRIDE, 0, -height % _STRIDE), mode="replicate")
        with torch.inference_mode():
            out = self._model(value).compress(padded)
        strings = [string[0] for string in cast(list[list[bytes]], out["strings"])]
        rows, columns = cast(tuple[int, int], tuple(out["shape"]))
        parts = [_HEAD.pack(width, height, rows, columns, len(strings))]
        parts += [_LENGTH.pack(len(string)) + string for string in strings]
        path.write_bytes(struct.pack("<B", int(value)) + b"".join(parts))

    def decode(self, path: Path, size: tuple[int, int]) -> Pixels:
        """Read them back."""
        data = path.read_bytes()
        width, height, rows, columns, count = _HEAD.unpack_from(data, 1)
        place, strings = 1 + _HEAD.size, list[list[bytes]]()
        for _ in range(count):
            (length,) = _LENGTH.unpack_from(data, place)
            place += _LENGTH.size + length
            strings.append([data[place - length : place]])
        with torch.inference_mode():
            x = self._model(data[0]).decompress(strings, (rows, columns))["x_hat"]
        pixels = x[0, :, :height, :width].clamp(0, 1).mul(255).round().byte()
        return np.ascontiguousarray(pixels.permute(1, 2, 0).cpu().numpy())

    def _model(self, value: float) -> _Model:
        return _load(self.architecture, self.files[int(value)], self.device)


@cache
def _load(architecture: str, file: Path, device: str) -> _Model:
    from compressai.zoo.image import model_architectures
    from compressai.zoo.pretrained import load_pretrained

    state = load_pretrained(torch.load(file, map_location="cpu", weights_only=True))
    model = model_architectures[architecture].from_state_dict(state).eval()
    model.update(force=True)
    return model.to(device)


def make(name: str, variant: str, options: CodecOptions) -> ZooCodec:
    """The architecture that the variant names.

    Raises:
        ValueError: no such architecture.
        NotInstalledError: no CompressAI, or none of the checkpoints.
    """
    try:
        from compressai.zoo.image import model_urls
    except ImportError as error:
        raise NotInstalledError("compressai is not installed: pip install 'linnet[train]'") from error
    if variant not in model_urls:
        raise ValueError(f"CompressAI has no model '{variant}'; known: {', '.join(sorted(model_urls))}")
    folder = Path(options.checkpoints or Path(torch.hub.get_dir()) / "checkpoints").expanduser()
    named = {quality: folder / PurePosixPath(url).name for quality, url in model_urls[variant]["mse"].items()}
    files = {quality: path for quality, path in named.items() if path.is_file()}
    if not files:
        raise NotInstalledError(f"no checkpoint of {variant} in {folder}: {_ADVICE}")
    return ZooCodec(variant, files, options.device)
