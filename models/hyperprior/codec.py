"""One loaded hyperprior model: pixels to latents to integers, and back."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...bitstream.errors import FormatError, ModelMismatchError
from ...entropy.coder import SymbolCoder
from ...entropy.hyperprior import HyperpriorModel, read_hyper_decoder
from ...entropy.latents import MEAN_BITS, SYMBOL_LIMIT, Latents
from ...entropy.tensor_source import TensorSource
from ..latent_coding import STRIDE
from ..spec import ModelSpec
from ..store import read_card
from ..weights import part, read_table, read_tensors
from .transforms import HyperpriorConfig, HyperpriorTransforms

# Four 5x5 convolutions of stride 2: a latent sees 2 * (1 + 2 + 4 + 8) = 30 pixels to each side of its own
# corner. Back again a pixel sees 1.875 latents to each side. Both, rounded up to whole latents of 16 pixels:
HALO = 32


@dataclass(frozen=True)
class HyperpriorCodec:
    """Float transforms and exact entropy model on one device; see models.codecs.StillCodec.

    Such a model has one quality, so that the methods' `quality` changes nothing.
    """

    spec: ModelSpec
    transforms: HyperpriorTransforms
    entropy: HyperpriorModel
    device: torch.device

    @property
    def alignment(self) -> int:
        """Pixels: where windows of a picture may begin."""
        return STRIDE

    @property
    def analysis_halo(self) -> int:
        """Pixels around a tile that its latents depend on, a multiple of 16."""
        return HALO

    @property
    def synthesis_halo(self) -> int:
        """Pixels around a box whose latents its pixels depend on, a multiple of 16."""
        return HALO

    @torch.inference_mode()
    def analyse(self, pixels: Tensor, quality: float) -> Tensor:
        """[3, H, W] float 0..1, sides multiples of 16 -> latents [H/16, W/16, latent], in steps."""
        x = pixels.to(self.device)[None].contiguous(memory_format=torch.channels_last)
        return self.transforms.g_a(x)[0].permute(1, 2, 0)

    @torch.inference_mode()
    def hyper_latents(self, y: Tensor) -> NDArray[np.int32]:
        """Latents [h, w, latent] -> integers [ceil(h/4), ceil(w/4), hyper]: steps from the medians."""
        z = self.transforms.hyper_analysis(y.permute(2, 0, 1)[None])[0].permute(1, 2, 0)
        steps = torch.round(z.double() - self.entropy.hyper.medians)
        return steps.clamp(-SYMBOL_LIMIT, SYMBOL_LIMIT).to(torch.int32).cpu().numpy()

    def encode_latents(self, coder: SymbolCoder, y: Tensor, quality: float) -> Latents:
        """Code latents [h, w, latent]; returns the integers that a decoder will have."""
        return self.entropy.code(coder, (y.shape[0], y.shape[1]), (self.hyper_latents(y), y))

    def decode_latents(self, coder: SymbolCoder, size: tuple[int, int], quality: float) -> Latents:
        """The integers of a tile of (h, w) latents."""
        return self.entropy.code(coder, size)

    @torch.inference_mode()
    def synthesise(self, y_hat: NDArray[np.int32], quality: float) -> Tensor:
        """Decoded latents [h, w, latent], grid 2^-6 -> [3, 16 h, 16 w] float 0..1 on the CPU, not clamped."""
        y = torch.from_numpy(y_hat).to(self.device).permute(2, 0, 1)[None].float() * 2.0**-MEAN_BITS
        return self.transforms.g_s(y.contiguous(memory_format=torch.channels_last))[0].cpu()


def build(
    spec: ModelSpec, config: HyperpriorConfig, tensors: dict[str, Tensor], device: torch.device
) -> HyperpriorCodec:
    """A codec of a model file's tensors.

    Raises:
        FormatError: tensors are missing or do not fit. ModelMismatchError: the self-test fails.
    """
    transforms = HyperpriorTransforms(config).float()
    try:
        transforms.load_state_dict(part(tensors, "transform."))
    except RuntimeError as error:
        raise FormatError(f"the model file's transforms do not fit its architecture: {error}") from error
    hyper = read_hyper_decoder(TensorSource(part(tensors, "exact."), torch.float64, device))
    if hyper.latent != config.latent or len(hyper.median) != config.channels:
        raise FormatError("the model file's hyper-decoder does not fit its transforms: it is damaged")
    if "selftest.hash" not in tensors or hyper.self_test() != int(tensors["selftest.hash"]):
        raise ModelMismatchError(
            f"the exact networks give other integers on {device} than when the model was made: files would "
            "not decode here; run with --device cpu, and report this torch version"
        )
    transforms = transforms.to(device).to(memory_format=torch.channels_last).eval().requires_grad_(False)
    model = HyperpriorModel(hyper, read_table(tensors, "z"), read_table(tensors, "y"))
    return HyperpriorCodec(spec, transforms, model, device)


def config_of(card: Mapping[str, object]) -> HyperpriorConfig:
    """The architecture that a card names. Raises FormatError."""
    found = card.get("architecture")
    if isinstance(found, dict):
        channels, latent, means = (found.get(name) for name in ("channels", "latent", "means"))
        if isinstance(channels, int) and isinstance(latent, int) and isinstance(means, bool):
            return HyperpriorConfig(channels, latent, means)
    raise FormatError("the model file's card names no architecture: it is damaged")


@lru_cache(maxsize=4)
def load(spec: ModelSpec, device: str = "cpu") -> HyperpriorCodec:
    """Load a model once per device. Raises FormatError or its child ModelMismatchError; OSError."""
    tensors = read_tensors(spec.path, spec.sha256, "import it again with -f (linnet models import)")
    return build(spec, config_of(read_card(spec.path)), tensors, torch.device(device))
