"""Dense exact convolutions: they are the integer formula of FORMAT.md, and their sums are proven."""

import pytest
import torch
from torch import Tensor

from linnet.bitstream import FormatError
from linnet.entropy.convolution import ExactConvolution

LEAKY = 10486  # 0.01 in steps of 2**-20


def layer(kernel: int, slope: int = LEAKY, bound: int = 2**26 - 1) -> ExactConvolution:
    torch.manual_seed(kernel)
    weight = torch.randint(-(2**15) + 1, 2**15, (6, 5, kernel, kernel))
    return ExactConvolution(weight, torch.randint(-(2**30), 2**30, (6,)), torch.arange(6) * 3, bound, slope)


def inputs(height: int, width: int) -> Tensor:
    return torch.randint(-(2**26), 2**26, (2, height, width, 5), dtype=torch.int64)


def by_the_formula(layer: ExactConvolution, x: Tensor) -> Tensor:
    """FORMAT.md section 10 in int64, one tap after the other."""
    n, height, width, _ = x.shape
    padded = torch.nn.functional.pad(x, (0, 0, 1, 1, 1, 1))
    scale = 2 if layer.doubles else 1
    sums = torch.zeros(n, scale * height, scale * width, len(layer.bias), dtype=torch.int64)
    for a in range(scale):
        for b in range(scale):
            for d in (-1, 0, 1):
                for e in (-1, 0, 1):
                    row, column = (a + 2 - 2 * d, b + 2 - 2 * e) if layer.doubles else (d + 1, e + 1)
                    if not (0 <= row < layer.weight.shape[2] and 0 <= column < layer.weight.shape[3]):
                        continue
                    window = padded[:, 1 + d : 1 + d + height, 1 + e : 1 + e + width]
                    products = window[..., None, :] * layer.weight[:, :, row, column]
                    sums[:, a::scale, b::scale] += products.sum(-1)
    rounding = (torch.ones_like(layer.shift) << layer.shift) >> 1
    v = ((sums + layer.bias + rounding) >> layer.shift).clamp(-layer.bound, layer.bound)
    return torch.where(v >= 0, v, (v * layer.slope + 2**19) >> 20)


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("slope", [0, LEAKY, 2**20])
def test_a_layer_is_the_integer_formula(kernel: int, slope: int) -> None:
    tested, x = layer(kernel, slope), inputs(7, 4)
    assert torch.equal(tested(x.double()).long(), by_the_formula(tested, x))


def test_a_doubling_layer_is_a_transposed_convolution() -> None:
    tested, x = layer(5, slope=2**20), inputs(4, 3) >> 20  # small, so that the library's sums are exact too
    transposed = torch.nn.functional.conv_transpose2d(
        x.permute(0, 3, 1, 2).double(),
        tested.weight.transpose(0, 1).double(),
        tested.bias.double(),
        stride=2,
        padding=2,
        output_padding=1,
    )
    scale = 2.0 ** -tested.shift.double()
    expected = torch.floor(transposed.permute(0, 2, 3, 1) * scale + 0.5 * (tested.shift > 0))
    assert torch.equal(tested(x.double()), expected.clamp(-tested.bound, tested.bound))


def test_the_certificate_is_the_largest_sum_that_can_happen() -> None:
    tested = layer(3)
    worst = tested.weight.abs().sum((1, 2, 3)) * 1000 + tested.bias.abs() + 2**tested.shift // 2
    assert tested.certify(1000) == int(worst.max())


def test_sums_that_could_reach_2_to_53_are_refused() -> None:
    weight = torch.full((2, 500, 3, 3), 2**15 - 1)
    weight[0] = 1
    wide = ExactConvolution(weight, torch.zeros(2), torch.zeros(2), 2**27, 0, name="wide")
    with pytest.raises(ValueError, match=r"wide: output channel 1 .* below 2\*\*53"):
        wide.certify(2**27)
    assert wide.certify(2**25) < 2**53


@pytest.mark.parametrize(
    "changes",
    [
        {"weight": torch.zeros(6, 5, 4, 4)},
        {"weight": torch.full((6, 5, 3, 3), 0.5)},
        {"bias": torch.zeros(5)},
        {"shift": torch.full((6,), 41)},
        {"slope": 2**20 + 1},
        {"bound": 0},
    ],
)
def test_tensors_that_are_no_layer_are_refused(changes: dict[str, Tensor | int]) -> None:
    given = layer(3)
    parts = {name: getattr(given, name) for name in ("weight", "bias", "shift", "bound", "slope")}
    with pytest.raises(FormatError):
        ExactConvolution(**{**parts, **changes})
