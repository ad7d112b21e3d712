"""What the encoder of an image model does beyond its training, by quality; decoders never know.

A model file may bring it (see training.fit_encoder): it is measured on whole encodes, which rounding and the
choice of cheaper symbols make different from what training sees.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..bitstream.errors import FormatError
from ..entropy.quantise import ERROR_BITS
from .quality import LEVELS

PREFIX = "encoder."
BOUNDS = {"correction": (-1.0, 1.0), "error_bits": (0.0, 1e6)}


@dataclass(frozen=True, eq=False)
class EncoderTuning:
    """Two numbers for each whole level, [LEVELS] float64.

    correction: share of what latents lose on the way to a picture and back that is added to them.
    error_bits: what an error of one squared quantisation step weighs; see entropy.quantise.
    """

    correction: NDArray[np.float64]
    error_bits: NDArray[np.float64]

    def at(self, level: float) -> tuple[float, float]:
        """Correction and error bits of a level, also between two whole ones."""
        levels = np.arange(LEVELS)
        correction, error_bits = (np.interp(level, levels, t) for t in (self.correction, self.error_bits))
        return float(correction), float(error_bits)

    def tensors(self) -> dict[str, Tensor]:
        """As a model file stores it."""
        return {f"{PREFIX}{name}": torch.from_numpy(getattr(self, name)).float() for name in BOUNDS}


UNTUNED = EncoderTuning(np.zeros(LEVELS), np.full(LEVELS, ERROR_BITS))


def read_tuning(tensors: Mapping[str, Tensor]) -> EncoderTuning:
    """That of a model file; UNTUNED if it has none. Raises FormatError for one that cannot be meant."""
    found = {name: tensors.get(f"{PREFIX}{name}") for name in BOUNDS}
    if all(tensor is None for tensor in found.values()):
        return UNTUNED
    values: dict[str, NDArray[np.float64]] = {}
    for name, tensor in found.items():
        if tensor is None or tensor.shape != (LEVELS,):
            shape = None if tensor is None else list(tensor.shape)
            raise FormatError(
                f"the model file's {PREFIX}{name} must have the shape [{LEVELS}], found {shape}"
            )
        values[name] = tensor.double().numpy()
        low, high = BOUNDS[name]
        if not ((values[name] >= low) & (values[name] <= high)).all():
            least, most = values[name].min(), values[name].max()
            raise FormatError(
                f"the model file's {PREFIX}{name} must be {low:g} to {high:g}, found {least:g} to {most:g}"
            )
    return EncoderTuning(**values)
