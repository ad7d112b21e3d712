"""Skip maps: any map comes back, what is likely costs little, and damage is an error or another map."""

import numpy as np
import pytest

from linnet.bitstream import CorruptFileError
from linnet.entropy.motion import Field
from linnet.entropy.range_coder import SymbolDecoder, SymbolEncoder
from linnet.entropy.rate import RateCounter
from linnet.entropy.skips import ROWS, SkipMap, code_skips, is_moving, neighbour_class
from linnet.entropy.tables import CdfTable
from linnet.models import zoo
from linnet.models.inter import codec as inter_codec

ACROSS = ((-1, -1), (-1, 1), (1, -1), (1, 1))


@pytest.fixture(scope="module")
def table() -> CdfTable:
    return inter_codec.load(zoo.find("video")).skip_table


def still(shape: tuple[int, int]) -> Field:
    return np.zeros((2, 2 * shape[0], 2 * shape[1]), np.int32)


def encoded(table: CdfTable, skips: SkipMap, field: Field, before: SkipMap | None = None) -> bytes:
    coder = SymbolEncoder()
    assert np.array_equal(code_skips(coder, table, field, before, True, skips), skips)
    return coder.finish()


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (5, 1), (15, 26), (8, 8)])
def test_any_map_comes_back_whatever_was_before(table: CdfTable, shape: tuple[int, int]) -> None:
    random = np.random.default_rng(1)
    for share in (0.0, 0.1, 0.5, 1.0):
        field = random.integers(-1, 2, (2, 2 * shape[0], 2 * shape[1])).astype(np.int32)
        skips, before = random.random((2, *shape)) < share
        for known in (None, before):
            decoder = SymbolDecoder(encoded(table, skips, field, known))
            found = code_skips(decoder, table, field, known, True)
            decoder.finish()
            assert np.array_equal(found, skips)


def test_what_stands_still_is_cheap_to_skip_and_dear_to_code(table: CdfTable) -> None:
    shape = (20, 30)
    bits = []
    for share in (0.0, 1.0):
        counter = RateCounter()
        skips = np.full(shape, bool(share))
        code_skips(counter, table, still(shape), np.ones(shape, np.bool_), False, skips)
        bits.append(counter.bits)
    assert bits[1] < 0.25 * skips.size
    assert bits[1] < 0.5 * bits[0]


def test_the_class_is_what_the_known_neighbours_are() -> None:
    found = np.array([[1, 0, 0], [0, 0, 0], [1, 0, 1]], np.bool_)
    middle = (np.array([1]), np.array([1]))
    classes = []
    for last in (0, 1):
        for first in (0, 1):
            found[0, 0], found[0, 2] = first, last
            classes.append(int(neighbour_class(found, 1, middle, ACROSS)[0]))
    assert classes == [3, 4, 4, 5]
    assert neighbour_class(found, 1, middle, ())[0] == 0
    assert neighbour_class(np.zeros_like(found), 1, middle, ACROSS)[0] == 1
    corner = (np.array([0]), np.array([0]))  # one neighbour is inside
    assert neighbour_class(found, 2, corner, ACROSS)[0] == 5
    lone = np.eye(3, dtype=np.bool_)[:, ::-1] & np.array([[0], [0], [1]], np.bool_)
    assert neighbour_class(lone, 1, middle, ACROSS)[0] == 2


def test_a_place_moves_if_one_of_its_four_blocks_does() -> None:
    field = still((2, 3))
    field[1, 3, 4] = -1
    assert is_moving(field).tolist() == [[False] * 3, [False, False, True]]


def test_damage_is_an_error_or_another_map(table: CdfTable) -> None:
    random, shape = np.random.default_rng(5), (12, 20)
    skips = random.random(shape) < 0.3
    payload, refused = encoded(table, skips, still(shape)), 0
    for _ in range(300):
        data = random.bytes(4 * int(random.integers(0, 30)))
        try:
            decoder = SymbolDecoder(data)
            found = code_skips(decoder, table, still(shape), None, True)
            decoder.finish()
            assert data == payload or not np.array_equal(found, skips)
        except CorruptFileError:
            refused += 1
    assert refused > 200
    assert table.rows == ROWS


def test_a_map_of_another_size_is_the_callers_mistake(table: CdfTable) -> None:
    with pytest.raises(ValueError, match=r"must be \(2, 3\), found \(2, 2\)"):
        code_skips(SymbolEncoder(), table, still((2, 3)), None, False, np.zeros((2, 2), np.bool_))
