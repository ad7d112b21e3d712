"""Fitted tables: what is counted is what is coded, and a fitted table codes it in fewer bits."""

import numpy as np

from linnet.entropy.coder import SKIP
from linnet.entropy.distributions import gaussian_table
from linnet.entropy.rate import RateCounter
from linnet.models.training.tables import SymbolCounter, fitted


def laplacian(count: int) -> np.ndarray:
    """Symbols with a sharper peak and longer tails than any Gaussian."""
    return np.random.default_rng(3).laplace(0, 1.5, count).round().astype(np.int32)


def test_a_fitted_table_codes_other_symbols_of_the_same_source_in_fewer_bits() -> None:
    table = gaussian_table((2.1, 9.0))
    symbols = laplacian(40000)
    seen, other = symbols[:20000], symbols[20000:]
    rows = np.zeros(20000, np.uint8)
    counter = SymbolCounter()
    counter.code(seen, rows, table)
    better = fitted(table, counter.counts[id(table)], symmetric=True)
    bits = []
    for each in (table, better):
        rate = RateCounter()
        rate.code(other, rows, each)
        bits.append(rate.bits)
    assert bits[1] < 0.98 * bits[0]


def test_rows_that_were_never_seen_stay_as_they_were() -> None:
    table = gaussian_table((2.1, 9.0))
    counter = SymbolCounter()
    counter.code(laplacian(5000), np.zeros(5000, np.uint8), table)
    better = fitted(table, counter.counts[id(table)], symmetric=True)
    assert np.abs(better.weights(1) - table.weights(1)).max() <= 1


def test_escapes_and_skipped_symbols_are_counted_as_such() -> None:
    table = gaussian_table((0.5,))
    counter = SymbolCounter()
    symbols = np.array([0, 1, 5000, -5000, 3], np.int32)
    rows = np.array([0, 0, 0, 0, SKIP], np.uint8)
    returned = counter.code(symbols, rows, table)
    np.testing.assert_array_equal(returned, [0, 1, 5000, -5000, 0])
    counts = counter.counts[id(table)][0]
    assert counts.sum() == 4
    assert counts[int(table.size[0]) - 1] == 2


def test_a_symmetric_fit_is_symmetric() -> None:
    table = gaussian_table((2.1,))
    counter = SymbolCounter()
    counter.code(np.abs(laplacian(5000)), np.zeros(5000, np.uint8), table)
    weights = fitted(table, counter.counts[id(table)], symmetric=True).weights(0)[:-1]
    assert np.abs(weights - weights[::-1]).max() <= 1
