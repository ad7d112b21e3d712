"""One loaded image model: pixels to latents to integers, and back."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ..entropy.coder import SymbolCoder
from ..entropy.networks import MEAN_BITS
from ..entropy.prior import HYPER_STRIDE, EntropyModel, Latents
from .precision import multiplies_bf16
from .transforms import Transforms
from .weights import build_entropy_model, build_transforms, read_card, read_tensors
from .zoo import ModelSpec

STRIDE = 16  # pixels per latent, each side
Z_LIMIT = 127  # hyper-latents are clamped here by the encoder


@dataclass(frozen=True)
class ImageCodec:
    """Float transforms and exact entropy model on one device."""

    spec: ModelSpec
    transforms: Transforms
    entropy: EntropyModel
    device: torch.device
    bf16: bool  # of the transforms; the exact path never sees it

    @property
    def analysis_halo(self) -> int:
        """Pixels around a tile that its latents depend on, a multiple of 16."""
        return -(-8 * (self.transforms.config.analysis_blocks + 1) // STRIDE) * STRIDE

    @property
    def synthesis_halo(self) -> int:
        """Pixels around a box whose latents its pixels depend on, a multiple of 16."""
        return -(-8 * self.transforms.config.synthesis_blocks // STRIDE) * STRIDE

    @torch.inference_mode()
    def analyse(self, pixels: Tensor, quality: float) -> Tensor:
        """[3, H, W] float 0..1, sides multiples of 16 -> latents [H/16, W/16, latent], in steps."""
        x = (pixels.to(self.device)[None] - 0.5).contiguous(memory_format=torch.channels_last)
        with self._precision():
            return self.transforms.analyse(x, self._level(quality))[0].float().permute(1, 2, 0)

    @torch.inference_mode()
    def hyper_latents(self, y: Tensor, quality: float) -> NDArray[np.int32]:
        """Latents [h, w, latent] -> integers [ceil(h/4), ceil(w/4), hyper]."""
        padding = (0, -y.shape[1] % HYPER_STRIDE, 0, -y.shape[0] % HYPER_STRIDE)
        z = self.transforms.hyper_analysis(
            F.pad(y.permute(2, 0, 1)[None], padding, mode="replicate"), self._level(quality)
        )
        return torch.round(z[0]).clamp(-Z_LIMIT, Z_LIMIT).permute(1, 2, 0).to(torch.int32).cpu().numpy()

    def encode_latents(self, coder: SymbolCoder, y: Tensor, quality: float) -> Latents:
        """Code latents [h, w, latent]; returns the integers that a decoder will have."""
        given = self.hyper_latents(y, quality), y
        return self.entropy.code(coder, (y.shape[0], y.shape[1]), whole_level(quality), given)

    def decode_latents(self, coder: SymbolCoder, size: tuple[int, int], quality: float) -> Latents:
        """The integers of a tile of (h, w) latents."""
        return self.entropy.code(coder, size, whole_level(quality))

    @torch.inference_mode()
    def synthesise(self, y_hat: NDArray[np.int32], quality: float) -> Tensor:
        """Decoded latents [h, w, latent], grid 2^-6 -> [3, 16 h, 16 w] float 0..1 on the CPU, not clamped."""
        y = torch.from_numpy(y_hat).to(self.device).permute(2, 0, 1)[None].float() * 2.0**-MEAN_BITS
        y = y.contiguous(memory_format=torch.channels_last)
        with self._precision():
            return self.transforms.synthesise(y, self._level(quality))[0].float().cpu() + 0.5

    def _precision(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16)

    def _level(self, quality: float) -> Tensor:
        return torch.full((1,), quality * 63 / 100, device=self.device)


def whole_level(quality: float) -> int:
    """The level whose bias the exact path adds: from quality in hundredths, rounded half up in integers."""
    return (round(quality * 100) * 63 + 5000) // 10000


@lru_cache(maxsize=4)
def load(spec: ModelSpec, device: str = "cpu", dtype: torch.dtype | None = None) -> ImageCodec:
    """Load a model once per device; `dtype` insists on a type of the exact path (tests do)."""
    place = torch.device(device)
    tensors = read_tensors(spec.path, spec.sha256)
    config, _ = read_card(spec.path)
    transforms, entropy = build_transforms(config, tensors, place), build_entropy_model(tensors, place, dtype)
    return ImageCodec(spec, transforms, entropy, place, multiplies_bf16(place))
