"""Distributions as tables: probabilities in, integer frequencies out. At export only."""

import math
from collections.abc import Sequence

import numpy as np
from numpy import typing as npt

from .tables import MAX_ROW_SYMBOLS, PRECISION, CdfTable, Int64

SIGMAS: tuple[float, ...] = tuple(
    0.11 * (64 / 0.11) ** (i / 63) for i in range(64)
)  # log-spaced scale levels

# Of a Gaussian, what lies further out is left to the escape. Wider rows cost rate themselves, for each of
# their symbols takes at least one of 2**16 parts.
_TAIL_MASS = 2.0**-16


def gaussian_table(sigmas: Sequence[float] = SIGMAS) -> CdfTable:
    """Tabulate Gaussians of mean 0, integrated over each integer's interval: at export only.

    Floats may differ in the last bit between machines, so the table that files depend on is the one stored
    with the model, never one built anew.

    Args:
        sigmas: standard deviations in quantisation steps, each above 0.
    Returns:
        A row for each sigma, symmetric around 0 but for the escape.
    Source: Balle et al. 2018, arXiv:1802.01436, equation 11 without the uniform floor.
    """
    rows: list[tuple[int, list[float]]] = []
    for sigma in sigmas:
        if not sigma > 0:
            raise ValueError(f"sigma must be above 0, found {sigma}")
        half = 1
        while math.erfc((half + 0.5) / (sigma * math.sqrt(2))) > _TAIL_MASS:
            half += 1
        rows.append((-half, [_gaussian_mass(abs(s), sigma) for s in range(-half, half + 1)]))
    return pmf_table(rows)


def _gaussian_mass(symbol: int, sigma: float) -> float:
    # Differences of erfc, not erf: in the tail erf is 1 in every digit.
    inner, outer = ((symbol + edge) / (sigma * math.sqrt(2)) for edge in (-0.5, 0.5))
    return 0.5 * (math.erfc(inner) - math.erfc(outer))


def pmf_table(rows: Sequence[tuple[int, Sequence[float] | npt.NDArray[np.floating]]]) -> CdfTable:
    """Quantise probability mass functions to integer frequencies: at export only.

    Args:
        rows: for each row its smallest symbol and the probabilities of the symbols from there on. What they
            lack to 1 is the escape's.
    Returns:
        The table with sum 2**16 in each row, frequencies as near to the best code for the given probabilities
        as integers of at least 1 allow.
    Raises:
        ValueError: no row, or a row empty, too long, with a negative or not finite probability, or a sum
            above 1.
    """
    if not rows:
        raise ValueError("a table needs at least one row")
    weights = [_quantise(pmf) for _, pmf in rows]
    size = np.array([len(row) for row in weights], dtype=np.int32)
    cdf = np.full((len(rows), int(size.max()) + 1), 2**PRECISION, dtype=np.int32)
    for row, weight in enumerate(weights):
        cdf[row, 0] = 0
        cdf[row, 1 : len(weight) + 1] = np.cumsum(weight)
    return CdfTable(cdf, size, np.array([offset for offset, _ in rows], dtype=np.int32))


def _quantise(pmf: Sequence[float] | npt.NDArray[np.floating]) -> Int64:
    mass = np.asarray(pmf, dtype=np.float64)
    if mass.ndim != 1 or not 1 <= mass.size < MAX_ROW_SYMBOLS:
        raise ValueError(f"a row needs 1 to {MAX_ROW_SYMBOLS - 1} probabilities, found shape {mass.shape}")
    if not np.isfinite(mass).all() or mass.min() < 0 or mass.sum() > 1 + 1e-6:
        raise ValueError(f"probabilities must be 0 or more with sum 1, found sum {mass.sum()}")
    mass = np.append(mass, max(0.0, 1 - mass.sum()))  # the escape
    weights = np.maximum(np.rint(mass * 2**PRECISION), 1).astype(np.int64)
    # One part at a time to or from the symbol where it saves most or costs least: length is -mass *
    # log2(weight).
    while (missing := 2**PRECISION - int(weights.sum())) > 0:
        weights[np.argmax(mass * np.log1p(1 / weights))] += 1
    for _ in range(-missing):
        cost = np.full(mass.shape, np.inf)
        np.divide(mass, weights - 1, out=cost, where=weights > 1)
        weights[np.argmin(cost)] -= 1
    return weights
