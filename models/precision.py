"""Where the float transforms run in bfloat16: twice as fast where the processor has it, slow elsewhere."""

import torch

from ..entropy.processor import cpu_flags

CPU_FLAGS = {"avx512_bf16", "amx_bf16"}


def multiplies_bf16(device: torch.device) -> bool:
    """Whether `device` has instructions for bf16.

    The answer depends on the processor alone, not on a measurement: a machine decodes a file to the same
    pixels every time. An ISA limit set for oneDNN counts as a processor without them.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and not CPU_FLAGS.isdisjoint(cpu_flags())
