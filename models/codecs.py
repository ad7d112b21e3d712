"""What the codec asks of a still-image model, and the loading of whichever kind a model is."""

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..entropy.coder import SymbolCoder
from ..entropy.prior import Latents
from . import image_codec
from .hyperprior import codec as hyperprior_codec
from .zoo import ModelSpec

STRIDE = image_codec.STRIDE  # pixels per latent, each side, in every kind


class LatentSource(Protocol):
    """The exact side of a model."""

    @property
    def latent(self) -> int:
        """Channels of the latents."""
        ...


class StillCodec(Protocol):
    """Pixels to latents to integers, and back; `quality` is 0 to 100 and may mean nothing to a model."""

    @property
    def spec(self) -> ModelSpec:
        """Which weights."""
        ...

    @property
    def entropy(self) -> LatentSource:
        """The exact side."""
        ...

    @property
    def device(self) -> torch.device:
        """Where it runs."""
        ...

    @property
    def analysis_halo(self) -> int:
        """Pixels around a tile that its latents depend on, a multiple of 16."""
        ...

    @property
    def synthesis_halo(self) -> int:
        """Pixels around a box whose latents its pixels depend on, a multiple of 16."""
        ...

    def analyse(self, pixels: Tensor, quality: float) -> Tensor:
        """[3, H, W] float 0..1, sides multiples of 16 -> latents [H/16, W/16, latent], in steps."""
        ...

    def encode_latents(self, coder: SymbolCoder, y: Tensor, quality: float) -> Latents:
        """Code latents [h, w, latent]; returns the integers that a decoder will have."""
        ...

    def decode_latents(self, coder: SymbolCoder, size: tuple[int, int], quality: float) -> Latents:
        """The integers of a tile of (h, w) latents."""
        ...

    def synthesise(self, y_hat: NDArray[np.int32], quality: float) -> Tensor:
        """Decoded latents [h, w, latent], grid 2^-6 -> [3, 16 h, 16 w] float 0..1 on the CPU, not clamped."""
        ...


def load(spec: ModelSpec, device: str = "cpu", dtype: torch.dtype | None = None) -> StillCodec:
    """Load a model once per device; `dtype` insists on a type of the built-in exact path (tests do)."""
    if spec.kind == "inter":
        raise ValueError(f"model '{spec.name}' codes frames of clips that are predicted, not pictures")
    if spec.kind == "hyperprior":
        return hyperprior_codec.load(spec, device)
    return image_codec.load(spec, device, dtype)
