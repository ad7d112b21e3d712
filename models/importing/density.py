"""Integer tables of the densities that a CompressAI checkpoint holds."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...entropy.distributions import pmf_table
from ...entropy.tables import CdfTable
from .checkpoint import FILTERS, State
from .errors import CheckpointError

REACH = 2000  # steps around a median that are looked at; hyper-latents beyond it escape
TAIL = 1e-6  # mass of a row's ends that is left to the escape
LEVELS, SMALLEST, LARGEST = 64, 0.11, 256.0  # of CompressAI's scale table, log-spaced
MAX_SCALE = 900.0  # a wider row would have too many symbols


def cumulative_logits(state: State, values: Tensor) -> Tensor:
    """Logits of the cumulative density of every hyper-latent channel, [Z, 1, n] float64 -> the same.

    Source: Balle et al. 2018, arXiv:1802.01436, appendix 6.1, as CompressAI's EntropyBottleneck has it.
    """
    logits = values.double()
    for number in range(len(FILTERS) - 1):
        matrix, bias = (
            state[f"entropy_bottleneck.{part}.{number}"].double() for part in ("matrices", "biases")
        )
        logits = torch.nn.functional.softplus(matrix) @ logits + bias
        if number < len(FILTERS) - 2:
            factor = state[f"entropy_bottleneck.factors.{number}"].double()
            logits = logits + torch.tanh(factor) * torch.tanh(logits)
    return logits


def hyper_table(state: State, medians: Tensor) -> CdfTable:
    """A row for each hyper-latent channel: the mass around median + s for every step s.

    Args:
        medians: [Z] float64, those that coding uses.
    """
    steps = torch.arange(-REACH, REACH + 2).double() - 0.5
    cumulative = torch.sigmoid(cumulative_logits(state, medians[:, None, None] + steps))[:, 0].numpy()
    return pmf_table([_row(np.diff(row)) for row in cumulative])


def _row(pmf: NDArray[np.float64]) -> tuple[int, NDArray[np.float64]]:
    kept = np.flatnonzero(pmf > TAIL)
    first, last = (int(kept[0]), int(kept[-1])) if len(kept) else (REACH, REACH)
    return first - REACH, np.maximum(pmf[first : last + 1], 0.0)


def scales_of(state: State) -> list[float]:
    """The scale table: the checkpoint's own, or the one that CompressAI's update() makes.

    Raises:
        CheckpointError: one that is no rising list of 2 to 254 usable scales.
    """
    found = state.get("gaussian_conditional.scale_table")
    if found is None or not found.numel():
        step = math.log(LARGEST / SMALLEST) / (LEVELS - 1)
        return [SMALLEST * math.exp(step * level) for level in range(LEVELS)]
    scales = [float(scale) for scale in found.flatten()]
    rising = scales == sorted(set(scales))
    if not (2 <= len(scales) <= 254 and rising and scales[0] > 0.01 and scales[-1] <= MAX_SCALE):
        raise CheckpointError(
            f"gaussian_conditional.scale_table must have 2 to 254 rising scales up to {MAX_SCALE:g}"
        )
    return scales
