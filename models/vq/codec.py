"""One loaded VQ model: pixels to tokens, tokens to symbols, and back."""

import json
from dataclasses import asdict, dataclass
from functools import lru_cache

import torch
from safetensors import safe_open
from torch import Tensor
from torch.nn import functional as F

from ...bitstream.errors import FormatError, ModelMismatchError
from ...entropy.coder import IndexCoder
from ...entropy.index_file import read_index_model
from ...entropy.indices import IndexModel
from ...entropy.tables import Int32
from ...entropy.tensor_source import TensorSource
from ..latent_coding import STRIDE
from ..precision import multiplies_bf16
from ..spec import ModelSpec
from ..transforms import ImageConfig
from ..weights import load_transforms, part, read_tensors
from .config import COARSE_PX, Stage, VqConfig
from .transforms import VqTransforms

# What a token depends on: the image analysis sees 40 px around a latent, each pair of blocks 2 places of
# its grid, the coarse grid twice (there and back). Back again: 64 px of the synthesis, 3 fine and 2 coarse
# blocks.
ANALYSIS_HALO = 224
SYNTHESIS_HALO = 192


@dataclass(frozen=True)
class VqCodec:
    """Float transforms and exact index model on one device; see models.codecs.StagedCodec."""

    spec: ModelSpec
    transforms: VqTransforms
    index_model: IndexModel
    device: torch.device
    bf16: bool  # of the transforms; the exact path never sees it
    alignment: int = COARSE_PX
    analysis_halo: int = ANALYSIS_HALO
    synthesis_halo: int = SYNTHESIS_HALO

    @property
    def strides(self) -> tuple[int, ...]:
        """Of each stage: pixels per index, each side."""
        return tuple(stage.stride for stage in self.transforms.config.stages)

    @property
    def codes(self) -> tuple[int, ...]:
        """Of each stage: how many indices there are."""
        return tuple(stage.codes for stage in self.transforms.config.stages)

    def stages_for(self, quality: float) -> int:
        """How many stages a quality has, 1 to all."""
        return self.transforms.config.stages_of(quality)

    @torch.inference_mode()
    def analyse(self, pixels: Tensor, quality: float) -> Tensor:
        """[3, H, W] float 0..1, sides multiples of 32 -> int32 tokens [H/16, W/16, stages] of all stages."""
        x = (pixels.to(self.device)[None] - 0.5).contiguous(memory_format=torch.channels_last)
        with self._precision():
            indices = self.transforms.encode(x, self.stages_for(quality))
        tokens = [
            (each[0] + 1).repeat_interleave(stride // STRIDE, 0).repeat_interleave(stride // STRIDE, 1)
            for each, stride in zip(indices, self.strides, strict=True)
        ]
        return torch.stack(tokens, -1).to(torch.int32)

    @torch.inference_mode()
    def synthesise(self, tokens: Int32, quality: float) -> Tensor:
        """Tokens [h, w, stages], 0 where not known -> [3, 16 h, 16 w] float 0..1 on the CPU, not clamped.

        At each place the stages before the first unknown one count.
        """
        height, width = tokens.shape[:2]
        given = torch.from_numpy(tokens).to(self.device, torch.float32).permute(2, 0, 1)[None]
        even = F.pad(given, (0, width % 2, 0, height % 2), mode="replicate").long()
        count = (even > 0).long().cumprod(1).sum(1)
        indices = tuple(
            (even[:, number, :: stride // STRIDE, :: stride // STRIDE] - 1).clamp_min(0)
            for number, stride in enumerate(self.strides)
        )
        with self._precision():
            picture = self.transforms.decode(indices, count)[0].float().cpu() + 0.5
        return picture[:, : STRIDE * height, : STRIDE * width]

    def code_stage(self, coder: IndexCoder, stage: int, known: Int32, given: Int32 | None = None) -> Int32:
        """Code one stage of a tile: see IndexModel.code."""
        return self.index_model.code(coder, stage, known, given)

    def fill(self, known: Int32, stages: int) -> Int32:
        """Tokens with the unknown ones of the first `stages` stages replaced: see IndexModel.fill."""
        return self.index_model.fill(known, stages)

    def _precision(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16)


def architecture_of(config: VqConfig) -> str:
    """The shape as a model file keeps it, JSON."""
    return json.dumps(asdict(config))


def read_architecture(text: str) -> VqConfig:
    """The inverse. Raises FormatError."""
    try:
        values = json.loads(text)
        stages = tuple(Stage(**stage) for stage in values.pop("stages"))
        return VqConfig(stages=stages, image=ImageConfig(**values.pop("image")), **values)
    except (ValueError, TypeError, KeyError) as error:
        raise FormatError(f"the model file names no architecture of a VQ model: {error}") from error


def build_index_model(tensors: dict[str, Tensor], device: torch.device) -> IndexModel:
    """The exact index model: in the fastest way that passes the self-test, int8, float32 or float64.

    Raises:
        ModelMismatchError: it fails in all of them.
    """
    expected = int(tensors["selftest.hash"])
    for source in TensorSource.of_each_type(part(tensors, "exact."), device):
        model = read_index_model(source)
        if model.self_test() == expected:
            return model
    raise ModelMismatchError(
        f"the index model gives other integers on {device} than when it was made: files would not decode "
        "here; run with --device cpu, and report this torch version"
    )


def other_decoder(spec: ModelSpec, tensors: dict[str, Tensor], tune: str) -> dict[str, Tensor]:
    """The tensors of decoder `tune` in place of those of fidelity. Raises ValueError: there is none."""
    found = part(tensors, f"{tune}.")
    if not found:
        known = {name.split(".")[0] for name in tensors} & {"perceptual"}
        raise ValueError(
            f"model '{spec.name}' has no decoder '{tune}': choose {' or '.join(['fidelity', *known])}"
        )
    steps = part(tensors, f"{tune}_step.")
    return {
        f"transform.{name}": changed(tensors[f"transform.{name}"], value, steps[name])
        if name in steps
        else value
        for name, value in found.items()
    }


def changed(value: Tensor, change: Tensor, step: Tensor) -> Tensor:
    """What another decoder has for `value`: int8 `change` counts the `step` [rows] of its row."""
    return value.float() + change * step.view(-1, *[1] * (value.ndim - 1))


def build(
    spec: ModelSpec, tensors: dict[str, Tensor], place: torch.device, tune: str = "fidelity"
) -> VqCodec:
    """A codec from the tensors of a model file (errors as load)."""
    with safe_open(spec.path, framework="np") as stored:
        config = read_architecture((stored.metadata() or {}).get("architecture", ""))
    if tune != "fidelity":
        tensors |= other_decoder(spec, tensors, tune)
    transforms = load_transforms(VqTransforms(config), tensors, place)
    return VqCodec(spec, transforms, build_index_model(tensors, place), place, multiplies_bf16(place))


@lru_cache(maxsize=2)
def load(spec: ModelSpec, device: str = "cpu", tune: str = "fidelity") -> VqCodec:
    """Load a model once per device and decoder.

    Args:
        tune: "fidelity", or "perceptual" for the decoder that was trained against a discriminator; the tokens
            are the same.
    Raises:
        ValueError: the model has no such decoder. FormatError or its child ModelMismatchError; OSError.
    """
    return build(spec, read_tensors(spec.path, spec.sha256), torch.device(device), tune)
