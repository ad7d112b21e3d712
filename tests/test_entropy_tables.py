"""Tables: their sums, their efficiency, the exact probabilities, and what is refused."""

import math

import numpy as np
import pytest
from numpy import typing as npt

from linnet.bitstream.errors import FormatError
from linnet.entropy.distributions import SIGMAS, gaussian_table, pmf_table
from linnet.entropy.tables import CdfTable

Arrays = tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int32]]


def _arrays() -> Arrays:
    cdf = np.array([[0, 10, 65536, 65536], [0, 1, 2, 65536]], dtype=np.int32)
    return cdf, np.array([2, 3], dtype=np.int32), np.array([-1, 5], dtype=np.int32)


def test_64_sigmas_run_from_0_11_to_64() -> None:
    assert len(SIGMAS) == 64
    assert math.isclose(SIGMAS[0], 0.11)
    assert math.isclose(SIGMAS[-1], 64)
    steps = np.diff(np.log(SIGMAS))
    assert np.allclose(steps, steps[0])


def test_weights_are_positive_and_sum_to_65536() -> None:
    table = gaussian_table()
    for row in range(table.rows):
        weights = table.weights(row)
        assert weights.min() >= 1
        assert weights.sum() == 65536
        assert np.abs(weights[:-1] - weights[-2::-1]).max() <= 1, "a Gaussian of mean 0 is symmetric"


def test_gaussian_rows_cost_at_most_a_ten_thousandth_of_a_bit_more_than_the_entropy() -> None:
    table = gaussian_table()
    for row in range(1, 64):
        values = np.arange(-700, 701)
        edges = np.array([math.erfc((v - 0.5) / (SIGMAS[row] * math.sqrt(2))) / 2 for v in range(702)])
        upper = edges[:-1] - edges[1:]
        mass = np.concatenate([upper[:0:-1], upper])
        inside = (values >= table.offset[row]) & (values < table.offset[row] + table.size[row] - 1)
        bits = -np.log2(table.probabilities(row) / 2**24)
        escaped = 1 - float(mass[inside].sum())
        cost = float(mass[inside] @ bits[:-1]) + escaped * (float(bits[-1]) + 12)
        known = mass[mass > 0]
        entropy = -float(known @ np.log2(known))
        assert cost - entropy < 0.0001 + 0.0003 * entropy, f"sigma {SIGMAS[row]}"


def test_probabilities_sum_to_2_to_the_24_and_none_is_zero() -> None:
    table = gaussian_table()
    for row in range(table.rows):
        probabilities = table.probabilities(row)
        assert probabilities.sum() == 2**24
        assert probabilities.min() >= 1


def test_probabilities_follow_the_documented_formula_in_python_integers() -> None:
    table = pmf_table([(0, [0.5, 0.25, 0.2]), (-3, [0.1] * 7)])
    for row in range(2):
        weights = [int(weight) for weight in table.weights(row)]
        n = len(weights)
        lower = [sum(weights[:s]) * (2**24 - n) // 2**16 + s for s in range(n + 1)]
        assert table.probabilities(row).tolist() == np.diff(lower).tolist()


def test_what_a_pmf_lacks_to_one_is_the_escape() -> None:
    table = pmf_table([(7, [0.5, 0.25])])
    assert table.offset.tolist() == [7]
    assert table.weights(0).tolist() == [32768, 16384, 16384]


def test_a_row_of_one_certain_symbol_still_has_an_escape() -> None:
    assert pmf_table([(0, [1.0])]).weights(0).tolist() == [65535, 1]


def test_many_tiny_probabilities_still_fit() -> None:
    weights = pmf_table([(0, [1e-9] * 4000 + [1 - 4e-6])]).weights(0)
    assert weights.sum() == 65536
    assert weights.min() == 1


@pytest.mark.parametrize("pmf", [[], [-0.1, 1.0], [0.7, 0.7], [float("nan")], [1e-4] * 8192])
def test_impossible_probabilities_are_the_callers_fault(pmf: list[float]) -> None:
    with pytest.raises(ValueError, match="probabilities"):
        pmf_table([(0, pmf)])


def test_a_sigma_of_zero_is_the_callers_fault() -> None:
    with pytest.raises(ValueError, match="sigma"):
        gaussian_table([1.0, 0.0])


def test_tables_are_read_only_copies() -> None:
    cdf, size, offset = _arrays()
    table = CdfTable(cdf, size, offset)
    cdf[0, 1] = 77
    assert table.cdf[0, 1] == 10
    with pytest.raises(ValueError, match="read-only"):
        table.cdf[0, 1] = 3


@pytest.mark.parametrize(
    ("array", "index", "value", "message"),
    [
        ("cdf", (0, 0), 1, "row 0 must go from 0"),
        ("cdf", (1, 3), 65535, "row 1 must go from 0"),
        ("cdf", (1, 2), 1, "row 1 must rise"),
        ("cdf", (1, 1), -5, "row 1 must rise"),
        ("cdf", (0, 2), 65535, "row 0 must rise"),
        ("size", (0,), 1, "row 0 must have 2 to 3"),
        ("size", (0,), 3, "row 0 must rise"),
        ("size", (1,), 4, "row 1 must have 2 to 3"),
        ("size", (1,), -(2**31), "row 1 must have 2 to 3"),
        ("offset", (1,), 2**20 + 1, "row 1 must start within"),
        ("offset", (0,), -(2**31), "row 0 must start within"),
    ],
)
def test_a_damaged_table_is_refused_with_its_row(
    array: str, index: tuple[int, ...], value: int, message: str
) -> None:
    cdf, size, offset = _arrays()
    {"cdf": cdf, "size": size, "offset": offset}[array][index] = value
    with pytest.raises(FormatError, match=message):
        CdfTable(cdf, size, offset)


def test_a_table_of_other_shapes_is_refused() -> None:
    cdf, size, offset = _arrays()
    with pytest.raises(FormatError, match="int32"):
        CdfTable(cdf[0], size, offset)
    with pytest.raises(FormatError, match="sizes"):
        CdfTable(cdf, size[:1], offset)
    with pytest.raises(FormatError, match="at most"):
        CdfTable(np.tile(cdf[:1], (4097, 1)), np.tile(size[:1], 4097), np.tile(offset[:1], 4097))
    with pytest.raises(FormatError, match="at most"):
        CdfTable(cdf[:, :2], size, offset)
    with pytest.raises(FormatError, match="precision"):
        CdfTable(cdf, size, offset, precision=15)
