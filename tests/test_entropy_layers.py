"""Exact layers: against integers of 64 bits, at the certificate's edge and beyond it."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import numpy as np
import pytest
import torch
from numpy import typing as npt
from torch import Tensor

from linnet.bitstream.errors import FormatError
from linnet.entropy import int8
from linnet.entropy.arithmetic import exact_arithmetic
from linnet.entropy.depthwise import ExactDepthwise
from linnet.entropy.int8 import multiplies_int8
from linnet.entropy.integers import EXACT, exact_add, exact_rescale, upsample
from linnet.entropy.linear import ExactLinear

Int64 = npt.NDArray[np.int64]
LOW, HIGH = -2048, 2047
HAS_INT8 = multiplies_int8(torch.device("cpu"))  # else torch's own loop stands in, which does not saturate


def requantise(accumulator: Int64, shift: Int64, low: int = LOW, high: int = HIGH) -> Int64:
    return np.clip((accumulator + (1 << shift) // 2) >> shift, low, high)


def linear_oracle(layer: ExactLinear, x: Int64) -> Int64:
    sums = x @ layer.weight.numpy().T + layer.bias.numpy()
    return requantise(sums, layer.shift.numpy(), layer.low, layer.high)


def depthwise_oracle(layer: ExactDepthwise, x: Int64) -> Int64:
    height, width = x.shape[1:3]
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    sums = np.broadcast_to(layer.bias.numpy(), x.shape).copy()
    for tap in range(9):
        window = padded[:, tap // 3 : tap // 3 + height, tap % 3 : tap % 3 + width]
        sums += window * layer.weight.numpy()[tap]
    return requantise(sums, layer.shift.numpy(), layer.low, layer.high)


def edge_linear(inputs: int, outputs: int, seed: int, input_max: int = 2047) -> ExactLinear:
    """A layer whose every channel may reach 2**24 - 1 exactly: the bias takes what the weights leave."""
    generator = np.random.default_rng(seed)
    largest = min(127, (EXACT - 2**12) // (input_max * inputs))
    weight = generator.integers(-largest, largest + 1, (outputs, inputs))
    shift = generator.integers(0, 13, outputs)
    room = EXACT - 1 - np.abs(weight).sum(axis=1) * input_max - (1 << shift) // 2
    bias = room * generator.choice([-1, 1], outputs)
    tensors = (torch.from_numpy(array) for array in (weight, bias, shift))
    return ExactLinear(*tensors, low=1 - EXACT, high=EXACT - 1, name="edge")


def extreme_inputs(shape: tuple[int, ...], seed: int, largest: int = 2047) -> Int64:
    """Only the largest magnitudes, zeros and ones."""
    return np.random.default_rng(seed).choice(
        [-largest, -1, 0, 1, largest], shape, p=[0.4, 0.1, 0.1, 0.1, 0.3]
    )


def run(layer: ExactLinear | ExactDepthwise, x: Int64, dtype: torch.dtype = torch.float32) -> Int64:
    return run_as_it_is(layer.to(dtype), x)


def run_as_it_is(layer: ExactLinear | ExactDepthwise, x: Int64) -> Int64:
    with exact_arithmetic(), torch.inference_mode():
        return layer(torch.from_numpy(x).to(layer.dtype)).to(torch.int64).numpy()


@pytest.mark.parametrize("heaviest", [1, 127, 128, 2047])
@pytest.mark.parametrize("largest", [0, 1, 127, 2047, int8.TWO_BYTES])
def test_int8_products_equal_int64_at_the_edges_of_the_bytes(largest: int, heaviest: int) -> None:
    edges = [largest, 255, 256, 128, 127, 129, 384, 1, 0]
    inputs = np.array([value for edge in edges for value in (edge, -edge) if edge <= largest])
    generator = np.random.default_rng(largest)
    x = np.concatenate([generator.choice(inputs, (40, 30)), np.repeat(inputs[:, None], 30, 1)])
    weight = generator.choice([-heaviest, -1, 0, heaviest // 2, heaviest], (30, 24))
    weight[:, 0], weight[:, 1] = heaviest, -heaviest
    weights = int8.weights_of(torch.from_numpy(weight))
    with torch.backends.mkldnn.flags(enabled=HAS_INT8):
        found = int8.product(torch.from_numpy(x).float(), weights)
    assert len(weights) == (1 if heaviest <= 127 else 2)
    assert found.dtype == torch.int32
    assert np.array_equal(found.numpy(), x @ weight)


@pytest.mark.parametrize("input_max", [2047, 100])
def test_a_linear_layer_in_bytes_equals_int64_whatever_its_size(input_max: int) -> None:
    layer = edge_linear(32, 600, seed=5, input_max=input_max).in_bytes(input_max)
    assert layer.bytewise
    rows = int8.rows_at_once(600)
    for count in (1, rows - 1, rows, 2 * rows + 3):
        x = extreme_inputs((1, count, 1, 32), seed=count, largest=input_max)
        with torch.backends.mkldnn.flags(enabled=HAS_INT8):
            assert np.array_equal(run_as_it_is(layer, x), linear_oracle(layer, x))


def test_a_layer_that_int8_does_not_hold_stays_as_it_is() -> None:
    layer = edge_linear(8, 8, seed=1)
    assert layer.in_bytes(int8.TWO_BYTES).bytewise
    assert not layer.in_bytes(int8.TWO_BYTES + 1).bytewise
    assert not layer.to(torch.float64).in_bytes(2047).bytewise
    heavy = ExactLinear(torch.full((2, 2), int8.TWO_BYTES + 1), torch.zeros(2), torch.zeros(2), LOW, HIGH)
    assert not heavy.in_bytes(2047).bytewise
    assert not layer.in_bytes(2047).to(torch.float64).bytewise
    assert not edge_linear(1, 3, seed=1).in_bytes(2047).bytewise


def test_a_torch_without_int8_products_is_no_reason_to_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError("Could not run 'aten::_int_mm' with arguments from the 'CPU' backend")

    monkeypatch.setattr("linnet.entropy.int8._multiplied", missing)
    multiplies_int8.cache_clear()
    assert not multiplies_int8(torch.device("cpu"))
    multiplies_int8.cache_clear()


@pytest.mark.parametrize(("inputs", "outputs"), [(1, 1), (7, 5), (416, 256), (96, 384)])
def test_linear_equals_int64_at_the_certificates_edge(inputs: int, outputs: int) -> None:
    layer = edge_linear(inputs, outputs, seed=inputs)
    assert layer.certify(2047) == EXACT - 1
    x = extreme_inputs((2, 9, 11, inputs), seed=outputs)
    # The inputs that reach the bound: each has the signs of one channel's weights and bias.
    signs = np.sign(layer.weight.numpy() * np.sign(layer.bias.numpy())[:, None])
    worst = (2047 * signs)[None, None]
    for batch in (x, worst, -worst):
        expected = linear_oracle(layer, batch)
        assert np.array_equal(run(layer, batch), expected)
        assert np.array_equal(run(layer, batch, torch.float64), expected)


def test_depthwise_equals_int64_at_the_certificates_edge() -> None:
    generator = np.random.default_rng(5)
    weight = generator.integers(-910, 911, (9, 48))
    shift = generator.integers(0, 16, 48)
    bias = EXACT - 1 - np.abs(weight).sum(axis=0) * 2047 - (1 << shift) // 2
    layer = ExactDepthwise(
        *(torch.from_numpy(a) for a in (weight, bias, shift)), low=-EXACT + 1, high=EXACT - 1
    )
    assert layer.certify(2047) == EXACT - 1
    worst = np.zeros((1, 3, 3, 48), dtype=np.int64)
    worst[0] = 2047 * np.sign(weight).reshape(3, 3, 48)
    for shape in ((1, 1, 1, 48), (1, 1, 5, 48), (2, 17, 13, 48)):
        for batch in (extreme_inputs(shape, seed=shape[2]), worst, -worst):
            expected = depthwise_oracle(layer, batch)
            assert np.array_equal(run(layer, batch), expected)
            assert np.array_equal(run(layer, batch, torch.float64), expected)


def test_beyond_the_certificate_float32_gives_other_numbers() -> None:
    generator = np.random.default_rng(6)
    weight, shift = generator.integers(90, 128, (64, 416)), np.ones(64, dtype=np.int64)
    layer = ExactLinear(*(torch.from_numpy(a) for a in (weight, shift, shift)), low=1 - EXACT, high=EXACT - 1)
    with pytest.raises(ValueError, match="2\\*\\*24"):
        layer.certify(511)
    x = generator.integers(400, 512, (1, 8, 8, 416))
    expected = linear_oracle(layer, x)
    assert expected.max() < EXACT, "the results themselves fit, only the sums do not"
    assert not np.array_equal(run(layer, x), expected)
    assert np.array_equal(run(layer, x, torch.float64), expected)


def test_certify_names_layer_channel_and_bound() -> None:
    weight = torch.tensor([[1, 1], [100, -27]])
    layer = ExactLinear(weight, torch.tensor([5, -7]), torch.tensor([0, 3]), 0, 10, name="prior.mix")
    assert layer.certify(1000) == 127 * 1000 + 7 + 4
    assert layer.certify([10, 20]) == 100 * 10 + 27 * 20 + 7 + 4
    assert layer.certify(np.array([0, 0])) == 7 + 4
    limit = (EXACT - 1 - 7 - 4) // 127
    assert layer.certify(limit) < EXACT
    message = f"prior.mix: output channel 1 can reach {127 * (limit + 1) + 11}"
    with pytest.raises(ValueError, match=message):
        layer.certify(limit + 1)


def test_certify_refuses_inputs_that_fit_no_layer() -> None:
    layer = ExactLinear(torch.ones(2, 3), torch.zeros(2), torch.zeros(2), 0, 10)
    for wrong in ([1, 2], -1, EXACT):
        with pytest.raises(ValueError, match="input_max"):
            layer.certify(wrong)


def test_memory_layout_does_not_matter() -> None:
    linear = edge_linear(48, 64, seed=8)
    depthwise = ExactDepthwise(torch.ones(9, 48), torch.zeros(48), torch.ones(48), LOW, HIGH)
    x = extreme_inputs((2, 10, 12, 48), seed=9)
    base = torch.from_numpy(x).float()
    planes = base.permute(0, 3, 1, 2).contiguous()  # NCHW in memory
    wide = torch.zeros(2, 20, 12, 96)
    wide[:, ::2, :, ::2] = base
    layouts = [
        planes.permute(0, 2, 3, 1),
        wide[:, ::2, :, ::2],
        base.contiguous(memory_format=torch.channels_last),
    ]
    for layer, oracle in ((linear, linear_oracle(linear, x)), (depthwise, depthwise_oracle(depthwise, x))):
        for layout in layouts:
            assert np.array_equal(layer(layout).to(torch.int64).numpy(), oracle)


def test_layers_leave_their_input_alone() -> None:
    x = torch.full((1, 4, 4, 8), 100.0)
    ExactLinear(torch.ones(8, 8), torch.zeros(8), torch.ones(8), LOW, HIGH)(x)
    ExactDepthwise(torch.ones(9, 8), torch.zeros(8), torch.ones(8), LOW, HIGH)(x)
    exact_add(x, x, -5, 5)
    exact_rescale(x, 2, -5, 5)
    assert bool((x == 100).all())


def test_rounding_goes_to_the_nearest_and_halves_up() -> None:
    x = np.arange(-20, 21)
    for shift in range(5):
        expected = requantise(x, np.int64(shift) + np.zeros_like(x), -100, 100)
        rescaled = exact_rescale(torch.from_numpy(x).float(), shift, -100, 100)
        assert np.array_equal(rescaled.to(torch.int64).numpy(), expected)
    assert exact_rescale(torch.tensor([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0]), 2, -9, 9).tolist() == [
        -1,
        0,
        0,
        0,
        1,
        1,
    ]


def test_adding_clamps() -> None:
    x, y = torch.tensor([3.0, 2000.0, -2000.0]), torch.tensor([-5.0, 2000.0, -2000.0])
    assert exact_add(x, y, LOW, HIGH).tolist() == [-2, HIGH, LOW]


def test_upsampling_is_pixel_shuffle() -> None:
    x = torch.arange(2 * 3 * 5 * 24).reshape(2, 3, 5, 24).float()
    expected = torch.nn.functional.pixel_shuffle(x.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)
    assert torch.equal(upsample(x), expected)
    assert torch.equal(upsample(x.permute(0, 2, 1, 3)), upsample(x.permute(0, 2, 1, 3).contiguous()))
    with pytest.raises(ValueError, match="multiple of 4"):
        upsample(x[..., :6])


def test_autocast_cannot_reach_the_layers() -> None:
    layer = edge_linear(416, 32, seed=10)
    x = extreme_inputs((1, 4, 4, 416), seed=11)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert not np.array_equal(layer(torch.from_numpy(x).float()).long().numpy(), linear_oracle(layer, x))
        assert np.array_equal(run(layer, x), linear_oracle(layer, x))


@pytest.mark.parametrize("precision", ["highest", "high", "medium"])
def test_matmul_precision_is_highest_inside_and_restored_after(precision: str) -> None:
    layer = edge_linear(416, 32, seed=12)
    x = extreme_inputs((1, 4, 4, 416), seed=13)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        assert np.array_equal(run(layer, x), linear_oracle(layer, x))
        with pytest.raises(RuntimeError, match="inside"), exact_arithmetic():
            raise RuntimeError("inside")
        assert torch.get_float32_matmul_precision() == precision
    finally:
        torch.set_float32_matmul_precision(before)


def precisions() -> list[str]:
    """What products of float32 are made in, as the installed torch tells it."""
    if not hasattr(torch.backends.cuda.matmul, "fp32_precision"):
        return [torch.get_float32_matmul_precision()]
    return [getattr(torch.backends, name).matmul.fp32_precision for name in ("cuda", "mkldnn")]


@pytest.mark.parametrize("precision", ["high", "medium"])
def test_blocks_that_overlap_keep_full_precision_until_the_last_one_ends(precision: str) -> None:
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    told = precisions()
    try:
        with ThreadPoolExecutor(1) as other, ExitStack() as ours:
            theirs = exact_arithmetic()
            other.submit(theirs.__enter__).result()
            full = precisions()
            ours.enter_context(exact_arithmetic())
            other.submit(theirs.__exit__, None, None, None).result()
            assert precisions() == full != told
        assert precisions() == told
    finally:
        torch.set_float32_matmul_precision(before)


def test_a_precision_set_while_a_block_is_open_does_not_reach_the_next_one() -> None:
    before = torch.get_float32_matmul_precision()
    try:
        with exact_arithmetic():
            full = precisions()
            torch.set_float32_matmul_precision("medium")
            with exact_arithmetic():
                assert precisions() == full
    finally:
        torch.set_float32_matmul_precision(before)


ONES = torch.ones(4, dtype=torch.int32)


@pytest.mark.parametrize(
    ("weight", "bias", "shift", "message"),
    [
        (torch.full((4, 4), 0.5), ONES, ONES, "weight must hold integers"),
        (torch.full((4, 4), float("nan")), ONES, ONES, "weight must hold integers"),
        (torch.full((4, 4), float("inf")), ONES, ONES, "weight must lie in"),
        (torch.full((4, 4), 40000), ONES, ONES, "weight must lie in"),
        (torch.ones(4), ONES, ONES, "weight must hold numbers on 2 axes"),
        (torch.ones(4, 0), ONES, ONES, "weight must hold numbers on 2 axes"),
        (torch.ones(4, 4), torch.full((4,), EXACT), ONES, "bias must lie in"),
        (torch.ones(4, 4), torch.ones(4, 1), ONES, "bias must hold numbers on 1 axes"),
        (torch.ones(4, 4), torch.ones(5), ONES, ".*needs bias and shift of 4 channels"),
        (torch.ones(4, 4), ONES, torch.ones(3), ".*needs bias and shift of 4 channels"),
        (torch.ones(4, 4), ONES, -ONES, "shift must lie in"),
        (torch.ones(4, 4), ONES, ONES * 24, "shift must lie in"),
        (torch.ones(4, 4), ONES, ONES.bool(), "shift must hold numbers"),
    ],
)
def test_tensors_that_are_no_exact_layer_are_the_files_fault(
    weight: Tensor, bias: Tensor, shift: Tensor, message: str
) -> None:
    with pytest.raises(FormatError, match=f"mix: {message}"):
        ExactLinear(weight, bias, shift, 0, 10, name="mix")


def test_a_depthwise_layer_without_nine_taps_is_the_files_fault() -> None:
    with pytest.raises(FormatError, match="9 taps"):
        ExactDepthwise(torch.ones(8, 4), ONES, ONES, 0, 10)


@pytest.mark.parametrize(("low", "high"), [(1, 0), (-EXACT, 0), (0, EXACT)])
def test_a_clamp_that_is_empty_or_too_wide_is_the_files_fault(low: int, high: int) -> None:
    with pytest.raises(FormatError, match="clamp"):
        ExactLinear(torch.ones(4, 4), ONES, ONES, low, high)


def test_exact_layers_run_in_no_other_precision() -> None:
    with pytest.raises(ValueError, match="float32 or float64"):
        ExactLinear(torch.ones(4, 4), ONES, ONES, 0, 10).to(torch.bfloat16)
