"""Where the float transforms run in bfloat16: twice as fast where the processor has it, slow elsewhere."""

import os
from functools import lru_cache
from pathlib import Path

import torch

CPU_FLAGS = {"avx512_bf16", "amx_bf16"}


@lru_cache(maxsize=8)
def multiplies_bf16(device: torch.device) -> bool:
    """Whether `device` has instructions for bf16.

    The answer depends on the processor alone, not on a measurement: a machine decodes a file to the same
    pixels every time. An ISA limit set for oneDNN counts as a processor without them.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu" or "ONEDNN_MAX_CPU_ISA" in os.environ:
        return False
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux: float32 is right everywhere
        return False
    flags = next((line.split(":", 1)[1].split() for line in lines if line.startswith("flags")), [])
    return not CPU_FLAGS.isdisjoint(flags)
