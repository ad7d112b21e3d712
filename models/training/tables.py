"""Tables from what really happens: symbols counted on training pictures, over the model's own as a prior.

The networks are trained with noise in place of rounding and with Gaussians; the symbols of real files are
rounded, and thinned where they cost too much (entropy.quantise). Counting them per scale index gives the
distribution that the index stands for in practice, at no cost when decoding.
"""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from ...entropy.coder import SKIP
from ...entropy.distributions import pmf_table
from ...entropy.prior import EntropyModel
from ...entropy.quantise import ERROR_BITS
from ...entropy.tables import CdfTable, Int32
from ..quality import LEVELS
from .data import Pictures
from .objective import TrainingModel
from .validation import held_out_crop

PRIOR_PER_SYMBOL = 4.0  # counts that the model's own table stands for, per symbol of its row
ROUNDS = 2  # the encoder's choice depends on the tables: count, fit, count again
Counts = dict[int, NDArray[np.float64]]


class SymbolCounter:
    """A coder that only counts: `counts[table][row, symbol]`, escapes in the last place of a row."""

    def __init__(self) -> None:
        self.counts: Counts = {}

    def code(self, symbols: Int32 | None, rows: NDArray[np.uint8], table: CdfTable) -> Int32:
        """See entropy.coder.SymbolCoder; symbols must be given."""
        assert symbols is not None
        coded = rows != SKIP
        row = rows[coded].astype(np.int64)
        last = table.size[row] - 1
        place = symbols[coded] - table.offset[row]
        place = np.where((place < 0) | (place >= last), last, place)
        shape = table.rows, table.cdf.shape[1] - 1
        found = np.bincount(row * shape[1] + place, minlength=shape[0] * shape[1]).reshape(shape)
        self.counts[id(table)] = self.counts.get(id(table), np.zeros(shape)) + found
        return np.where(coded, symbols, 0).astype(np.int32)


def fitted(table: CdfTable, counts: NDArray[np.float64], symmetric: bool) -> CdfTable:
    """`table` with the counts [rows, symbols] added to it, each row as a distribution again."""
    rows: list[tuple[int, NDArray[np.float64]]] = []
    for row in range(table.rows):
        size = int(table.size[row])
        prior = table.weights(row) / 2.0**table.precision
        seen = counts[row, :size]
        if symmetric:
            seen = np.append((seen[:-1] + seen[-2::-1]) / 2, seen[-1])
        mixed = seen + PRIOR_PER_SYMBOL * size * prior
        rows.append((int(table.offset[row]), (mixed / mixed.sum())[:-1]))
    return pmf_table(rows)


@torch.no_grad()
def fit_tables(net: TrainingModel, exact: EntropyModel, pictures: Pictures, crops: int) -> EntropyModel:
    """The exact model with tables fitted to the symbols of `crops` pictures, each at three qualities."""
    priors = exact.z_table, exact.y_table
    current = replace(exact, error_bits=ERROR_BITS)
    for _ in range(ROUNDS):
        counter = SymbolCounter()
        for number in range(crops):
            picture = held_out_crop(pictures, number * 11 % len(pictures)) - 0.5
            for third in range(3):
                level = (number * 5 + third * 21) % LEVELS
                levels = torch.full((1,), float(level))
                y = net.latents(picture, levels)
                z = torch.round(net.model.hyper_analysis(y, levels))[0].permute(1, 2, 0).int().numpy()
                current.code(counter, (y.shape[2], y.shape[3]), level, (z, y[0].permute(1, 2, 0)))
        z_table = fitted(priors[0], counter.counts[id(current.z_table)], symmetric=False)
        y_table = fitted(priors[1], counter.counts[id(current.y_table)], symmetric=True)
        current = replace(current, z_table=z_table, y_table=y_table)
    return current
