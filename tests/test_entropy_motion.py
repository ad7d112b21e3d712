"""Motion fields: every one comes back, smooth ones are cheap, and damage is an error or another hash."""

import numpy as np
import pytest

from linnet.bitstream import CorruptFileError
from linnet.entropy.distributions import pmf_table
from linnet.entropy.motion import (
    MOTION_LIMIT,
    ROWS,
    STATES,
    STRIDES,
    Field,
    code_motion,
    expectation,
    first_rows,
    motion_hash,
    passes,
)
from linnet.entropy.range_coder import SymbolDecoder, SymbolEncoder
from linnet.entropy.rate import RateCounter
from linnet.entropy.tables import CdfTable, Int32
from linnet.models import zoo
from linnet.models.inter import codec as inter_codec

SIZES = [(1, 1), (2, 2), (1, 9), (7, 1), (5, 6), (13, 10), (16, 16), (17, 33)]
LAST_CLASS = first_rows(np.full(1, 2**20, np.int32), 1)[0]  # of an entry that nothing is known of
SKIPS = np.ones((3, 4), np.bool_)


def _table() -> CdfTable:
    """Two-sided exponentials, wider where the neighbours differ more."""
    values = np.arange(-24, 25)
    masses = [np.exp(-np.abs(values) / (0.25 * 2.1 ** (row // (STRIDES * STATES)))) for row in range(ROWS)]
    return pmf_table([(-24, 0.999 * mass / mass.sum()) for mass in masses])


TABLE = _table()


def encode(field: Field) -> bytes:
    coder = SymbolEncoder()
    again = code_motion(coder, (field.shape[1], field.shape[2]), TABLE, field)
    np.testing.assert_array_equal(again, field)
    return coder.finish()


def decode(payload: bytes, size: tuple[int, int]) -> Field:
    coder = SymbolDecoder(payload)
    field = code_motion(coder, size, TABLE)
    coder.finish()
    return field


def bits_of(field: Field) -> float:
    """With the tables that ship."""
    counter = RateCounter()
    table = inter_codec.load(zoo.find("video")).motion_table
    code_motion(counter, (field.shape[1], field.shape[2]), table, field)
    return counter.bits


def fields(size: tuple[int, int]) -> list[Field]:
    """None, a pan, a zoom, noise of all sizes, and both limits, alone and in turns."""
    random = np.random.default_rng(size[0] * 100 + size[1])
    down, right = np.indices(size)
    signs = np.where((down + right) % 2, 1, -1)
    pan = np.stack([np.full(size, 13), np.full(size, -6)])
    found = [np.zeros((2, *size)), pan, np.stack([right // 2, -down])]
    found += [random.integers(-reach, reach + 1, (2, *size)) for reach in (1, 5, 100, MOTION_LIMIT)]
    found += [sign * np.full((2, *size), MOTION_LIMIT) for sign in (1, -1)]
    found.append(MOTION_LIMIT * np.stack([signs, -signs]))
    return [field.astype(np.int32) for field in found]


@pytest.mark.parametrize("size", SIZES)
def test_every_field_comes_back(size: tuple[int, int]) -> None:
    for field in fields(size):
        np.testing.assert_array_equal(decode(encode(field), size), field)


@pytest.mark.parametrize("size", SIZES)
def test_each_entry_is_coded_once_and_its_neighbours_are_known(size: tuple[int, int]) -> None:
    known = np.zeros(size, np.int32)
    for stride, (rows, columns), directions in passes(*size):
        assert (np.diff(rows * size[1] + columns) > 0).all()
        assert not known[rows, columns].any()
        for below, right in directions:
            there = (rows + below * stride, columns + right * stride)
            inside = [(0 <= r < size[0]) and (0 <= c < size[1]) for r, c in zip(*there, strict=True)]
            assert known[there[0][inside], there[1][inside]].all()
        known[rows, columns] = 1
    assert known.all()


def neighbours_say(values: list[int]) -> tuple[int, int]:
    """Expectation and spread of a centre between four entries in which both components are alike."""
    field = np.zeros((2, 3, 3), np.int32)
    field[:, [0, 0, 2, 2], [0, 2, 0, 2]] = values
    places = np.array([1]), np.array([1])
    expected, spread = expectation(field, 1, places, ((-1, -1), (-1, 1), (1, -1), (1, 1)))
    assert expected[0, 0] == expected[1, 0]
    return int(expected[0, 0]), int(spread[0])


def test_outliers_do_not_count_and_halves_are_rounded_up() -> None:
    assert neighbours_say([4, 4, 900, 4]) == (4, 2 * 896)
    assert neighbours_say([0, 1, 2, 9]) == (2, 18)
    assert neighbours_say([0, -1, -2, -9]) == (-1, 18)
    assert neighbours_say([-3, -3, -3, -3]) == (-3, 0)
    assert neighbours_say([MOTION_LIMIT, -MOTION_LIMIT] * 2) == (0, 4 * MOTION_LIMIT)


def test_at_an_edge_three_neighbours_give_their_median_two_their_mean_and_one_itself() -> None:
    field = np.zeros((2, 2, 3), np.int32)
    field[:, 0] = 1, 5, 8
    field[:, 1] = -90, 0, 3
    along = ((-1, 0), (1, 0), (0, -1), (0, 1))
    for place, values in (((0, 1), [1, 8, 0]), ((0, 0), [5, -90]), ((1, 2), [8, 0])):
        expected, _ = expectation(field, 1, (np.array(place[:1]), np.array(place[1:])), along)
        wanted = sorted(values)[1] if len(values) == 3 else (sum(values) + 1) // 2
        assert expected[:, 0].tolist() == [wanted] * 2
    expected, spread = expectation(field[:, :, :1], 1, (np.array([1]), np.array([0])), along)
    assert (expected[:, 0].tolist(), spread[0]) == ([1, 1], 0)


def test_several_fields_are_looked_at_together_as_one_by_one() -> None:
    stack = np.stack(fields((5, 6)))
    for stride, places, directions in passes(5, 6):
        together = expectation(stack, stride, places, directions)
        for number, field in enumerate(stack):
            for part, alone in zip(together, expectation(field, stride, places, directions), strict=True):
                np.testing.assert_array_equal(part[number], alone)


def test_smooth_motion_costs_little() -> None:
    none, pan, zoom, noise, *_ = fields((34, 60))
    entries = none[0].size
    assert bits_of(none) < 0.12 * entries
    assert bits_of(pan) < bits_of(none) + 40
    assert bits_of(zoom) < 2.5 * entries < bits_of(noise)
    moving = none.copy()  # something that moves before what does not
    moving[:, 10:20, 20:40] = [[[9]], [[-4]]]
    assert bits_of(moving) < bits_of(none) + 0.9 * entries


@pytest.mark.parametrize("value", [MOTION_LIMIT + 1, -MOTION_LIMIT - 1, 2**31 - 1, -(2**31)])
@pytest.mark.parametrize("place", [(0, 0, 0), (1, 2, 1)])
def test_motion_beyond_the_limit_is_not_coded(value: int, place: tuple[int, int, int]) -> None:
    field = np.zeros((2, 3, 4), np.int32)
    field[place] = value
    with pytest.raises(ValueError, match="is beyond 16384"):
        encode(field)


@pytest.mark.parametrize(
    "field",
    [np.zeros((2, 3, 5), np.int32), np.zeros((2, 4, 4), np.int32), np.zeros((2, 3, 4), np.int64)],
    ids=["wide", "high", "int64"],
)
def test_a_field_of_another_shape_or_type_is_not_coded(field: Field) -> None:
    with pytest.raises(ValueError, match="must be int32"):
        code_motion(SymbolEncoder(), (3, 4), TABLE, field)


def symbols(*values: int) -> bytes:
    """A payload of one entry, right and down, whatever they are."""
    coder, row = SymbolEncoder(), LAST_CLASS
    for value in values:
        found: Int32 = coder.code(np.array([value], np.int32), np.array([row], np.uint8), TABLE)
        row = LAST_CLASS + (1 if found[0] == 0 else 2)
    return coder.finish()


@pytest.mark.parametrize("value", [MOTION_LIMIT + 1, -MOTION_LIMIT - 1, 2**23 - 30, 30 - 2**23])
def test_motion_beyond_the_limit_is_corrupt(value: int) -> None:
    assert decode(symbols(MOTION_LIMIT, -MOTION_LIMIT), (1, 1)).ravel().tolist() == [
        MOTION_LIMIT,
        -MOTION_LIMIT,
    ]
    for pair in ((value, 0), (0, value), (value, value)):
        with pytest.raises(CorruptFileError, match=f"motion of {abs(value)} is beyond"):
            decode(symbols(*pair), (1, 1))


def test_damaged_motion_is_an_error_or_has_another_hash() -> None:
    random = np.random.default_rng(3)
    refused = 0
    for field in fields((6, 7))[2:]:
        payload = encode(field)
        damaged = [payload[:-4], payload + bytes(4), payload + b"\1\0\0\0", b"", payload[4:], payload[::-1]]
        for bit in random.choice(8 * len(payload), min(16, 8 * len(payload)), replace=False).tolist():
            flipped = bytearray(payload)
            flipped[bit // 8] ^= 1 << bit % 8
            damaged.append(bytes(flipped))
        damaged += [random.bytes(4 * int(random.integers(1, 80))) for _ in range(4)]
        for data in damaged:
            try:
                assert motion_hash(decode(data, (6, 7)), SKIPS) != motion_hash(field, SKIPS)
            except CorruptFileError:
                refused += 1
    assert refused > 100


def test_the_hash_is_of_both_components_as_little_endian_integers_and_of_the_skip_map() -> None:
    field = np.array([[[1, -2]], [[3, 2**14]]], np.int32)
    assert motion_hash(field, np.array([[True]])) == 0xB6CA0E68
    assert motion_hash(field, np.array([[False]])) != 0xB6CA0E68
