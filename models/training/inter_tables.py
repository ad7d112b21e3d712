"""The tables of an inter model: as they are before any count, and fitted to the symbols of chains."""

from dataclasses import replace

import numpy as np

from ...entropy import skips
from ...entropy.distributions import pmf_table
from ...entropy.motion import ROWS, SPREADS, STATES, STRIDES
from ...entropy.tables import CdfTable
from ..inter.codec import InterCodec
from .inter_chains import Measure
from .tables import ROUNDS, fitted

MOTION_REACH = 24  # quarters of a pixel from what is expected; beyond it escapes
LAPLACE = (0.3, 0.6, 1.2, 2.5, 5.0, 10.0)  # of each class of spreads: the table that fitting starts from


def start_table() -> CdfTable:
    """Motion tables before any count: a two-sided exponential for each class."""
    values = np.abs(np.arange(-MOTION_REACH, MOTION_REACH + 1))
    rows: list[tuple[int, list[float]]] = []
    for row in range(ROWS):
        mass = np.exp(-values / LAPLACE[row // (STRIDES * STATES)])
        rows.append((-MOTION_REACH, (0.999 * mass / mass.sum()).tolist()))
    assert len(LAPLACE) == len(SPREADS) + 1
    return pmf_table(rows)


def start_skips() -> CdfTable:
    """Skip tables before any count: as the neighbours are."""
    rows: list[tuple[int, list[float]]] = []
    for row in range(skips.ROWS):
        share = (0.3, 0.1, 0.3, 0.5, 0.7, 0.9)[row // skips.STATES]
        rows.append((0, [0.999 * (1 - share), 0.999 * share]))
    return pmf_table(rows)


def fit_tables(codec: InterCodec, measure: Measure, chains: int) -> InterCodec:
    """The codec with all tables fitted to the symbols of `chains` chains."""
    first = codec
    for _ in range(ROUNDS):
        counts = measure.count(codec, chains).counts
        entropy = replace(
            codec.entropy,
            z_table=fitted(first.entropy.z_table, counts[id(codec.entropy.z_table)], symmetric=False),
            y_table=fitted(first.entropy.y_table, counts[id(codec.entropy.y_table)], symmetric=True),
        )
        motion = fitted(first.motion_table, counts[id(codec.motion_table)], symmetric=True)
        skip_table = fitted(first.skip_table, counts[id(codec.skip_table)], symmetric=False)
        codec = replace(codec, entropy=entropy, motion_table=motion, skip_table=skip_table)
    return codec
