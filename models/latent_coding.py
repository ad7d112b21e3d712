"""What the codecs of Linnet's own models share: latents in, integers and hyper-latents out."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ..entropy.coder import SymbolCoder
from ..entropy.latents import HYPER_STRIDE, MEAN_BITS, Latents
from ..entropy.prior import EntropyModel
from .spec import ModelSpec

STRIDE = 16  # pixels per latent, each side
Z_LIMIT = 127  # hyper-latents are clamped here by the encoder


class HyperAnalyser(Protocol):
    """The float part that both kinds of transforms have."""

    def hyper_analysis(self, y: Tensor, level: Tensor) -> Tensor:
        """Latents [N, latent, h, w] -> hyper-latents [N, hyper, h/4, w/4]."""
        ...


@dataclass(frozen=True)
class LatentCodec(ABC):
    """The exact entropy model and the device of a loaded model."""

    spec: ModelSpec
    entropy: EntropyModel
    device: torch.device
    bf16: bool  # of the transforms; the exact path never sees it

    @property
    def alignment(self) -> int:
        """Pixels: where windows of a picture may begin."""
        return STRIDE

    @property
    @abstractmethod
    def hyper_analyser(self) -> HyperAnalyser:
        """The float transforms."""
        ...

    @torch.inference_mode()
    def hyper_latents(self, y: Tensor, quality: float) -> NDArray[np.int32]:
        """Latents [h, w, latent] -> integers [ceil(h/4), ceil(w/4), hyper]."""
        padding = (0, -y.shape[1] % HYPER_STRIDE, 0, -y.shape[0] % HYPER_STRIDE)
        padded = F.pad(y.permute(2, 0, 1)[None], padding, mode="replicate")
        z = self.hyper_analyser.hyper_analysis(padded, self.level(quality))
        return torch.round(z[0]).clamp(-Z_LIMIT, Z_LIMIT).permute(1, 2, 0).to(torch.int32).cpu().numpy()

    def encode_latents(
        self,
        coder: SymbolCoder,
        y: Tensor,
        quality: float,
        context: Tensor | None = None,
        skips: NDArray[np.bool_] | None = None,
    ) -> Latents:
        """Code latents [h, w, latent]; returns the integers that a decoder will have.

        Context and skips are those of inter frames; see EntropyModel.code.
        """
        given, size = (self.hyper_latents(y, quality), y), (y.shape[0], y.shape[1])
        return self.encoder(quality).code(coder, size, whole_level(quality), given, context, skips)

    def encoder(self, quality: float) -> EntropyModel:
        """The entropy model that chooses symbols at this quality."""
        return self.entropy

    def decode_latents(
        self,
        coder: SymbolCoder,
        size: tuple[int, int],
        quality: float,
        context: Tensor | None = None,
        skips: NDArray[np.bool_] | None = None,
    ) -> Latents:
        """The integers of a tile of (h, w) latents."""
        return self.entropy.code(coder, size, whole_level(quality), None, context, skips)

    def steps(self, y_hat: NDArray[np.int32]) -> Tensor:
        """Decoded latents [h, w, latent], grid 2^-6 -> [1, latent, h, w] float."""
        y = torch.from_numpy(y_hat).to(self.device).permute(2, 0, 1)[None].float() * 2.0**-MEAN_BITS
        return y.contiguous(memory_format=torch.channels_last)

    def precision(self) -> torch.autocast:
        """In which the transforms run."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16)

    def level(self, quality: float) -> Tensor:
        """[1] the fractional level of a quality."""
        return torch.full((1,), quality * 63 / 100, dtype=torch.float32, device=self.device)


def whole_level(quality: float) -> int:
    """The level whose bias the exact path adds: from quality in hundredths, rounded half up in integers."""
    return (round(quality * 100) * 63 + 5000) // 10000
