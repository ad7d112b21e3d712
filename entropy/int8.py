"""Products of integers in int8: as exact as any, and several times as fast where the processor has them."""

from functools import lru_cache
from typing import Final

import torch
from torch import Tensor

from .processor import cpu_flags

INPUT_MAX: Final = 2**15 - 129  # an input is two signed bytes
WEIGHT_MAX: Final = 127
SUMS_AT_ONCE: Final = 2**18  # of each thread: they stay in its cache

# Those of the VNNI family add up products in 32 bits. Older instructions add pairs of them in 16, which
# saturate: a processor without the flag never gets here.
_FLAGS: Final = {"avx512_vnni", "avx_vnni", "amx_int8"}


@lru_cache(maxsize=8)
def multiplies_int8(device: torch.device) -> bool:
    """Whether products on `device` are better made in int8; what comes out is the same either way."""
    return device.type == "cpu" and not _FLAGS.isdisjoint(cpu_flags()) and hasattr(torch, "_int_mm")


def rows_at_once(columns: int) -> int:
    """Rows of a product with so many columns that are best made at a time."""
    return max(1, SUMS_AT_ONCE * torch.get_num_threads() // columns)


def product(x: Tensor, weight: Tensor) -> Tensor:
    """Multiply integers: x [m, k] float up to +-INPUT_MAX, weight [k, n] int8 -> [m, n] int32.

    x = 256 * upper + lower with signed bytes: two products, whose sum is exact.
    """
    upper = x.to(torch.int16)
    lower = upper.to(torch.int8)  # the lower byte, read with a sign
    upper = upper.sub_(lower).bitwise_right_shift_(8).to(torch.int8)
    return torch._int_mm(lower, weight).add_(torch._int_mm(upper, weight), alpha=256)
