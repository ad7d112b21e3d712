"""The hyper-decoder of a checkpoint in integers, proven by the 2^53 certificate; no data is needed.

Float64 sums leave room for activations from -16384 to 16384 in steps of 2^-12: more than a hyper-decoder
whose outputs are scales up to 256 and means uses, so there are no ranges to calibrate.
"""

import torch
from torch import Tensor

from ...entropy.convolution import EXACT, MAX_SHIFT, MAX_WEIGHT, SLOPE_BITS
from ...entropy.hyperprior import BOUND, GRID_BITS, LAYERS
from ..hyperprior.transforms import NEGATIVE_SLOPE, HyperpriorConfig
from .checkpoint import State
from .errors import CheckpointError


def quantise(state: State, config: HyperpriorConfig, scales: list[float]) -> dict[str, Tensor]:
    """Integer tensors of the exact path, as entropy.hyperprior reads them.

    Raises:
        CheckpointError: weights that no integers of 16 bits can stand for within the certificate.
    """
    tensors: dict[str, Tensor] = {}
    leaky = round(NEGATIVE_SLOPE * 2**SLOPE_BITS)
    for number in range(LAYERS):
        weight = state[f"h_s.{2 * number}.weight"].double()
        weight = weight.transpose(0, 1) if weight.shape[2] == 5 else weight  # transposed ones: inputs first
        bias = state[f"h_s.{2 * number}.bias"].double()
        last = number == LAYERS - 1
        slope = 1 << SLOPE_BITS if config.means and last else leaky if config.means else 0
        name = f"hyper.layer{number}"
        fine = _finest(name, weight, bias)
        whole = torch.round(weight * 2.0 ** fine[:, None, None, None])
        tensors[f"{name}.weight"] = whole.to(torch.int16).contiguous()
        tensors[f"{name}.bias"] = torch.round(bias * 2.0 ** (fine + GRID_BITS)).to(torch.int64)
        tensors[f"{name}.shift"] = fine.to(torch.int16)
        tensors[f"{name}.slope"] = torch.tensor([slope], dtype=torch.int32)
    medians = state["entropy_bottleneck.quantiles"][:, 0, 1].double()
    tensors["hyper.median"] = torch.round(medians * 2**GRID_BITS).clamp(-BOUND, BOUND).to(torch.int32)
    thresholds = torch.tensor(scales[:-1], dtype=torch.float64)
    tensors["hyper.thresholds"] = torch.round(thresholds * 2**GRID_BITS).to(torch.int32)
    tensors["hyper.means"] = torch.tensor([int(config.means)], dtype=torch.int16)
    return tensors


def _finest(name: str, weight: Tensor, bias: Tensor) -> Tensor:
    """[out] float64: each channel's finest grid 2^-f of weights that 16 bits and the certificate allow."""
    fine = torch.full((len(bias),), float(MAX_SHIFT - 10), dtype=torch.float64)
    while True:
        whole = torch.round(weight * 2.0 ** fine[:, None, None, None]).abs()
        start = torch.round(bias * 2.0 ** (fine + GRID_BITS)).abs()
        worst = whole.sum((1, 2, 3)) * BOUND + start + torch.floor(2.0 ** (fine - 1))
        wide = (whole.amax((1, 2, 3)) > MAX_WEIGHT) | (worst >= EXACT) | (start >= EXACT / 2)
        if not wide.any():
            return fine
        fine -= wide.double()
        if (fine < 0).any():
            raise CheckpointError(f"{name}: weights are too large for the exact path: is this model trained?")
