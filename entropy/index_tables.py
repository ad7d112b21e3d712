"""From integer logits to integer frequencies, and the order in which the places of a grid are coded."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .tables import PRECISION, Int32, Int64

LOGIT_BITS = 4  # logits lie on a grid of 2^-4 nat
EXP_BITS = 20  # of the largest entry of the table of powers
STEPS = 2  # of a stage

Places = tuple[NDArray[np.intp], NDArray[np.intp]]  # rows and columns of a grid


def exp_table() -> Int32:
    """round(2^20 * exp(-d / 16)) for d = 0, 1, ... up to the first 0: made once, stored in a model file.

    A decoder takes it from there: libraries differ in the last digits of exp.
    """
    last = math.ceil(math.log(2.0 ** (EXP_BITS + 1)) * 2**LOGIT_BITS)
    return np.rint(2.0**EXP_BITS * np.exp(-np.arange(last + 1) / 2**LOGIT_BITS)).astype(np.int32)


def weights_of(logits: Int32, table: Int32) -> Int32:
    """Frequencies that sum to 2^16 in each row, none of them 0, by integer arithmetic.

    Args:
        logits: int32 [n, K], in sixteenths of a nat; at most 2^24 in magnitude, K at most 8192.
        table: int32, table[d] is the share, up to 2^20, of a symbol d below the most probable one. Beyond its
            end it goes on with the last entry.
    Returns:
        int32 [n, K].
    """
    below = np.minimum(logits.max(1, keepdims=True) - logits, len(table) - 1)
    return frequencies(table[below].astype(np.int64))


def frequencies(shares: Int64) -> Int32:
    """Weights [n, K] of any sum below 2^40, at least one above 0 in each row -> the same with sum 2^16."""
    sums = np.zeros((shares.shape[0], shares.shape[1] + 1), np.int64)
    np.cumsum(shares, 1, out=sums[:, 1:])
    # One part for each symbol, the rest by share. Differences of running sums, so that rounding never
    # changes the total.
    scaled = sums * ((1 << PRECISION) - shares.shape[1]) // sums[:, -1:]
    return (np.diff(scaled, axis=1) + 1).astype(np.int32)


def steps(height: int, width: int) -> Iterator[Places]:
    """Places of each step, in raster order: first those whose row and column add up to an even number."""
    odd = np.indices((height, width)).sum(0) % STEPS
    for step in range(STEPS):
        rows, columns = np.nonzero(odd == step)
        if rows.size:  # a grid of one place has one step
            yield rows, columns
