"""One loaded inter model: a frame and the one decoded before it to motion and latents, and back."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...bitstream.errors import FormatError
from ...entropy import motion, skips
from ...entropy.arithmetic import exact_arithmetic
from ...entropy.coder import SymbolCoder
from ...entropy.motion import MOTION_LIMIT, Field, code_motion
from ...entropy.skips import SkipMap, code_skips
from ...entropy.tables import CdfTable
from ...entropy.temporal_net import TemporalNet
from ..latent_coding import HyperAnalyser, LatentCodec, whole_level
from ..precision import multiplies_bf16
from ..spec import ModelSpec
from ..weights import build_exact, load_transforms, read_card, read_table, read_tensors
from .model import motion_features
from .prediction import predict_twice
from .search import find_motion
from .skipping import choose_skips, spread_out
from .transforms import InterTransforms

TABLE_ROWS = {"motion": motion.ROWS, "skip": skips.ROWS}


@dataclass(frozen=True, slots=True)
class Past:
    """What is known when a frame is coded; behind a key frame, its pixels alone."""

    reference: Tensor | None  # the frame before, [3, H, W] in 0..1; None without pixels
    older: Tensor | None = None  # the frame before that
    motion: Field | None = None  # of the frame before
    y_hat: NDArray[np.int32] | None = None  # of the frame before, [h, w, latent], grid 2^-6
    quality: float = 0.0  # of the frame before
    skips: SkipMap | None = None  # of the frame before

    @property
    def field(self) -> Tensor | None:
        """The motion as a tensor."""
        return None if self.motion is None else torch.from_numpy(self.motion)

    def then(
        self,
        reference: Tensor | None,
        motion: Field,
        y_hat: NDArray[np.int32],
        quality: float,
        skips: SkipMap,
    ) -> "Past":
        """The past of the next frame."""
        return Past(reference, self.reference, motion, y_hat, quality, skips)


@dataclass(frozen=True)
class InterCodec(LatentCodec):
    """Float transforms, exact entropy model and motion table on one device.

    Frames are [3, H, W] float 0..1 on the CPU, sides multiples of 16; a field is [2, H/8, W/8] int32.
    """

    transforms: InterTransforms
    temporal: TemporalNet
    motion_table: CdfTable
    skip_table: CdfTable

    @property
    def hyper_analyser(self) -> HyperAnalyser:
        return self.transforms

    @torch.inference_mode()
    def find_motion(
        self, frame: Tensor, reference: Tensor, quality: float, before: Field | None = None
    ) -> Field:
        """The encoder's choice of motion, in quarters of a pixel; `before` is that of the reference."""
        new, old = frame.to(self.device)[None], reference.to(self.device)[None]
        known = None if before is None else torch.from_numpy(before).to(self.device)[None]
        motion = find_motion(new, old, self.level(quality), known)[0].clamp(-MOTION_LIMIT, MOTION_LIMIT)
        return motion.to(torch.int32).cpu().numpy()

    def code_motion(self, coder: SymbolCoder, size: tuple[int, int], given: Field | None = None) -> Field:
        """Code the field of a frame of (H, W) pixels."""
        return code_motion(coder, (size[0] // 8, size[1] // 8), self.motion_table, given)

    def code_skips(
        self, coder: SymbolCoder, past: Past, motion: Field, quality: float, given: SkipMap | None = None
    ) -> SkipMap:
        """Code which blocks are shown as predicted."""
        better = past.y_hat is not None and quality > past.quality
        return code_skips(coder, self.skip_table, motion, past.skips, better, given)

    @torch.inference_mode()
    def choose_skips(self, frame: Tensor, predicted: Tensor, y: Tensor, quality: float) -> SkipMap:
        """The encoder's choice: where coding the latents `y` of a frame gains less than it costs."""
        level, planes = self.level(quality), self._planes(predicted)
        rounded = torch.round(y).permute(2, 0, 1)[None]
        with self.precision():
            decoded = self.transforms.synthesise(rounded, planes, level).float()
        return choose_skips(self._planes(frame), planes[:, :3], decoded, rounded, level)[0, 0].cpu().numpy()

    @torch.inference_mode()
    def predict(self, past: Past, motion: Field) -> Tensor:
        """The predictions [6, H, W], on the CPU."""
        assert past.reference is not None, "only integers were decoded"
        older, before = (None if each is None else self._batch(each) for each in (past.older, past.field))
        field = self._batch(torch.from_numpy(motion))
        return predict_twice(self._batch(past.reference), older, field, before)[0].cpu()

    def _batch(self, each: Tensor) -> Tensor:
        return each.to(self.device)[None].float()

    @torch.inference_mode()
    def context(self, past: Past, motion: Field) -> Tensor:
        """What is known before a frame's latents are decoded, exact: [H/16, W/16, prior]."""
        device, dtype = self.temporal.octaves.device, self.temporal.octaves.dtype
        with exact_arithmetic():
            features = motion_features(torch.from_numpy(motion).to(device, dtype)[None]).permute(0, 2, 3, 1)
            shape = *features.shape[:3], self.entropy.latent
            y_hat, level = torch.zeros(shape, device=device, dtype=dtype), 0
            if past.y_hat is not None:
                y_hat = torch.from_numpy(past.y_hat).to(device, dtype)[None]
                level = whole_level(past.quality)
            return self.temporal(y_hat, level, features)[0]

    @torch.inference_mode()
    def analyse(self, frame: Tensor, predicted: Tensor, quality: float) -> Tensor:
        """Latents [H/16, W/16, latent], in steps."""
        x, seen = (self._planes(each) for each in (frame, predicted))
        with self.precision():
            return self.transforms.analyse(x, seen, self.level(quality))[0].float().permute(1, 2, 0)

    @torch.inference_mode()
    def synthesise(
        self, y_hat: NDArray[np.int32], skips: SkipMap, predicted: Tensor, quality: float
    ) -> Tensor:
        """Decoded latents [h, w, latent], grid 2^-6 -> [3, H, W] float on the CPU, not clamped."""
        seen = self._planes(predicted)
        with self.precision():
            decoded = self.transforms.synthesise(self.steps(y_hat), seen, self.level(quality)).float()
        skipped = spread_out(torch.from_numpy(skips).to(self.device)[None, None])
        return torch.where(skipped, seen[:, :3], decoded)[0].cpu()

    def _planes(self, frame: Tensor) -> Tensor:
        return frame.to(self.device)[None].contiguous(memory_format=torch.channels_last)


def build(
    spec: ModelSpec, tensors: dict[str, Tensor], device: torch.device, dtype: torch.dtype | None = None
) -> InterCodec:
    """A codec from the tensors of a model file.

    Raises:
        FormatError, ModelMismatchError: as weights.build_entropy_model; motion tables of another number.
    """
    config, _ = read_card(spec.path)
    entropy, temporal = build_exact(tensors, device, dtype)
    if temporal is None:
        raise FormatError(f"{spec.path} has no temporal context: it is no inter model, or damaged")
    transforms = load_transforms(InterTransforms(config), tensors, device)
    motion_table, skip_table = (_table(tensors, name, rows) for name, rows in TABLE_ROWS.items())
    return InterCodec(
        spec,
        entropy,
        device,
        multiplies_bf16(device),
        transforms,
        temporal,
        motion_table,
        skip_table,
    )


def _table(tensors: dict[str, Tensor], name: str, rows: int) -> CdfTable:
    table = read_table(tensors, name)
    if table.rows != rows:
        raise FormatError(f"the model file has {table.rows} {name} tables, needed are {rows}")
    return table


@lru_cache(maxsize=4)
def load(spec: ModelSpec, device: str = "cpu", dtype: torch.dtype | None = None) -> InterCodec:
    """Load a model once per device; `dtype` insists on a type of the exact path (tests do)."""
    return build(spec, read_tensors(spec.path, spec.sha256), torch.device(device), dtype)
