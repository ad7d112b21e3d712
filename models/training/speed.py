"""How fast a device multiplies, and how much of that a training step reaches."""

import time
from collections.abc import Callable
from functools import lru_cache

import torch
from torch.utils.flop_counter import FlopCounterMode

REPEATS = 5


@lru_cache(maxsize=8)
def matmul_flops(device: torch.device, dtype: torch.dtype) -> float:
    """Operations a second of a large square matrix product: the best of a few, measured once a process."""
    side = 8192 if device.type == "cuda" else 2048
    one = torch.randn(side, side, device=device, dtype=dtype)
    best = float("inf")
    for _ in range(REPEATS + 1):  # the first one warms up
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        started = time.perf_counter()
        torch.mm(one, one)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        best = min(best, time.perf_counter() - started)
    return 2 * side**3 / best


def bf16_is_faster(device: torch.device) -> bool:
    """Whether bf16 pays here: CPUs without AMX or AVX512-BF16 emulate it, slowly."""
    return matmul_flops(device, torch.bfloat16) > 1.3 * matmul_flops(device, torch.float32)


def count_flops(work: Callable[[], object]) -> int:
    """Operations of the convolutions and matrix products in `work`."""
    counter = FlopCounterMode(display=False)
    with counter:
        work()
    return counter.get_total_flops()
