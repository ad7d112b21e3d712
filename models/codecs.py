"""What the codec asks of a still-image model, and the loading of whichever kind a model is."""

from typing import Protocol

import torch
from torch import Tensor

from ..entropy.coder import IndexCoder, SymbolCoder
from ..entropy.latents import Latents
from ..entropy.tables import Int32
from . import image_codec
from .hyperprior import codec as hyperprior_codec
from .spec import ModelSpec
from .zoo import check_codes_pictures

STRIDE = image_codec.STRIDE  # pixels per latent or token, each side, in every kind


class LatentSource(Protocol):
    """The exact side of a model."""

    @property
    def latent(self) -> int:
        """Channels of the latents."""
        ...


class Codec(Protocol):
    """What all kinds share. `quality` is 0 to 100 and may mean nothing to a model."""

    @property
    def spec(self) -> ModelSpec:
        """Which weights."""
        ...

    @property
    def device(self) -> torch.device:
        """Where it runs."""
        ...

    @property
    def alignment(self) -> int:
        """Pixels: what windows of a picture begin at multiples of, and are padded to for the analysis."""
        ...

    @property
    def analysis_halo(self) -> int:
        """Pixels around a tile that its latents or tokens depend on, a multiple of `alignment`."""
        ...

    @property
    def synthesis_halo(self) -> int:
        """Pixels around a box whose latents or tokens its pixels depend on, a multiple of `alignment`."""
        ...

    def analyse(self, pixels: Tensor, quality: float) -> Tensor:
        """[3, H, W] float 0..1, sides multiples of `alignment` -> [H/16, W/16, channels].

        Of a StillCodec latents in steps, of a StagedCodec int32 tokens of all stages.
        """
        ...

    def synthesise(self, y_hat: Int32, quality: float, /) -> Tensor:
        """Decoded latents (on a grid of 2^-6) or tokens [h, w, channels], any h and w -> [3, 16 h, 16 w].

        Float 0..1 on the CPU, not clamped. Of tokens some may be 0, which is not known.
        """
        ...


class StillCodec(Codec, Protocol):
    """Pixels to latents to integers, and back."""

    @property
    def entropy(self) -> LatentSource:
        """The exact side."""
        ...

    def encode_latents(self, coder: SymbolCoder, y: Tensor, quality: float) -> Latents:
        """Code latents [h, w, latent]; returns the integers that a decoder will have."""
        ...

    def decode_latents(self, coder: SymbolCoder, size: tuple[int, int], quality: float) -> Latents:
        """The integers of a tile of (h, w) latents."""
        ...


class StagedCodec(Codec, Protocol):
    """Pixels to stages of codebook indices, and back: any number of stages from the first on is a picture.

    Token arrays are int32 [h, w, stages], for a picture of H x W pixels ceil(H/16) x ceil(W/16): a token is
    index + 1, or 0 where it is not known. A stage of a stride of 32 pixels repeats its token over 2 x 2
    places.
    """

    @property
    def strides(self) -> tuple[int, ...]:
        """Of each stage: pixels per index, each side, a multiple of 16 that divides `alignment`."""
        ...

    @property
    def codes(self) -> tuple[int, ...]:
        """Of each stage: how many indices there are, from 0 on."""
        ...

    def stages_for(self, quality: float) -> int:
        """How many stages a quality has, 1 to all."""
        ...

    def code_stage(self, coder: IndexCoder, stage: int, known: Int32, given: Int32 | None = None) -> Int32:
        """Code one stage of a tile, with what the stages before say about it.

        Args:
            coder: an encoder, a decoder or a rate counter.
            known: tokens [h, w, stages] of the tile; those of `stage` and later ones are not looked at.
            given: the indices [hs, ws] to encode, on the stage's own grid; None to decode.
        Returns:
            the indices [hs, ws].
        Raises:
            CorruptFileError: decoding, the payload is not one that an encoder writes.
        """
        ...

    def fill(self, known: Int32, stages: int) -> Int32:
        """Tokens [h, w, stages], the unknown ones of the first `stages` stages replaced by probable ones."""
        ...


def load(spec: ModelSpec, device: str = "cpu", dtype: torch.dtype | None = None) -> StillCodec:
    """Load a model once per device; `dtype` insists on a type of the built-in exact path (tests do)."""
    check_codes_pictures(spec)
    if spec.stages:
        raise ValueError(f"model '{spec.name}' codes pictures in stages, and no frames of clips")
    if spec.kind == "hyperprior":
        return hyperprior_codec.load(spec, device)
    return image_codec.load(spec, device, dtype)


def load_staged(spec: ModelSpec, device: str = "cpu", tune: str = "fidelity") -> StagedCodec:
    """Load a model of pictures in stages once per device and decoder.

    Raises ValueError for any other model, or for a decoder (`tune`) that it does not have.
    """
    if spec.kind != "vq":
        raise ValueError(f"model '{spec.name}' does not code pictures in stages")
    from .vq import codec as vq_codec  # only now: the other kinds need none of it

    return vq_codec.load(spec, device, tune)
