"""Products of integers in int8: as exact as any, and several times as fast where the processor has them."""

from functools import lru_cache
from typing import Final

import torch
from torch import Tensor

from .processor import cpu_flags

ONE_BYTE: Final = 127  # weights up to here take two products, larger ones four
TWO_BYTES: Final = 2**15 - 129  # the largest input and weight: a signed upper byte and a signed lower one
SUMS_AT_ONCE: Final = 2**18  # of each thread: they stay in its cache

# Those of the VNNI family add up products in 32 bits. Older instructions add pairs of them in 16, which
# saturate: a processor without the flag never gets here.
_FLAGS: Final = {"avx512_vnni", "avx_vnni", "amx_int8"}


@lru_cache(maxsize=8)
def multiplies_int8(device: torch.device) -> bool:
    """Whether products on `device` are better made in int8; what comes out is the same either way."""
    return device.type == "cpu" and not _FLAGS.isdisjoint(cpu_flags()) and _has_products()


def _has_products() -> bool:
    """Whether torch has them on the CPU (2.4 is the first that does), by the library that knows the flags."""
    if not (torch.backends.mkldnn.is_available() and torch.backends.mkldnn.enabled):
        return False
    try:
        found = _multiplied(torch.ones(2, 8, dtype=torch.int8), torch.ones(8, 8, dtype=torch.int8))
    except (AttributeError, RuntimeError):
        return False
    return bool((found == 8).all())


def rows_at_once(columns: int) -> int:
    """Rows of a product with so many columns that are best made at a time."""
    return max(1, SUMS_AT_ONCE * torch.get_num_threads() // columns)


def bytes_of(whole: Tensor) -> tuple[Tensor, Tensor]:
    """int16 as int8 `lower` and `upper`: whole = 256 * upper + lower. `whole` is used up."""
    lower = whole.to(torch.int8)  # its lower byte, read with a sign
    return lower, whole.sub_(lower).bitwise_right_shift_(8).to(torch.int8)


def weights_of(weight: Tensor) -> tuple[Tensor, ...]:
    """Integers [k, n] up to +-TWO_BYTES as what `product` takes: one byte of each where that is enough."""
    if int(weight.abs().max()) <= ONE_BYTE:
        return (weight.to(torch.int8),)
    return bytes_of(weight.to(torch.int16, copy=True))


def product(x: Tensor, weight: tuple[Tensor, ...]) -> Tensor:
    """Multiply integers: x [m, k] float up to +-TWO_BYTES, a weight of `weights_of` -> [m, n] int32.

    The sums must be below 2^31; parts of them may wrap around on the way.
    """
    lower, upper = bytes_of(x.to(torch.int16))
    low, *high = weight
    rest = _multiplied(upper, low)
    for each in high:  # one, if any
        rest.add_(_multiplied(lower, each))
        rest.add_(_multiplied(upper, each), alpha=256)
    return _multiplied(lower, low).add_(rest, alpha=256)


def _multiplied(x: Tensor, weight: Tensor) -> Tensor:
    """int8 [m, k] and [k, n] -> int32 [m, n]."""
    return torch.ops.aten._int_mm(x, weight)
