"""Thread counts, instruction sets and float64 give the same symbols: each setting in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping

import pytest

PROGRAM = """
import hashlib
import numpy as np
import torch
from linnet.entropy.int8 import multiplies_int8
from linnet.entropy.arithmetic import exact_arithmetic
from linnet.entropy.depthwise import ExactDepthwise
from linnet.entropy.linear import ExactLinear

def numbers(step, largest, *shape):
    index = np.arange(np.prod(shape)).reshape(shape)
    return index * step % (2 * largest + 1) - largest

def layer(kind, channels, shape, name):
    arrays = numbers(7919, 127, *shape), numbers(104729, 20000, channels), 6 + numbers(5, 2, channels)
    return kind(*(torch.from_numpy(array) for array in arrays), -255, 255, name=name)

mix = layer(ExactLinear, 256, (256, 416), "mix")
spread = layer(ExactDepthwise, 256, (9, 256), "spread")
assert mix.certify(255) < 2**24 and spread.certify(mix.output_max) < 2**24
x = numbers(1299709, 255, 1, 48, 32, 416)

def digest(y):
    return hashlib.sha256(y.astype("<i4").tobytes()).hexdigest()

for threads, dtype in ((1, torch.float32), (2, torch.float32), (4, torch.float32), (2, torch.float64)):
    torch.set_num_threads(threads)
    with exact_arithmetic(), torch.inference_mode():
        y = spread.to(dtype)(mix.to(dtype)(torch.from_numpy(x).to(dtype)))
    print(digest(y.numpy()))

bytewise = mix.in_bytes(255) if multiplies_int8(torch.device("cpu")) else mix
with exact_arithmetic(), torch.inference_mode():
    print(digest(spread(bytewise(torch.from_numpy(x).float())).numpy()))

def requantise(layer, sums):
    shift = layer.shift.numpy()
    return (sums + layer.bias.numpy() + (1 << shift) // 2 >> shift).clip(-255, 255)

mixed = np.pad(requantise(mix, x @ mix.weight.numpy().T), ((0, 0), (1, 1), (1, 1), (0, 0)))
taps = [mixed[:, i // 3 : i // 3 + 48, i % 3 : i % 3 + 32] * spread.weight.numpy()[i] for i in range(9)]
print(digest(requantise(spread, sum(taps))))
"""

# Of the program's last line, which is int64 throughout; the others must not differ from it, on any machine.
EXPECTED = "cb5f4d6d746785bc98f6ccfa7a383f4f0908fb6a1d8b0155b7008b07a1c7e688"


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"ONEDNN_MAX_CPU_ISA": "SSE41"},
        {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"},
        {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"},
        {"DNNL_MAX_CPU_ISA": "AVX512_CORE"},
        {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE"},
        {"ONEDNN_DEFAULT_FPMATH_MODE": "BF16", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": "1"},
    ],
    ids=lambda settings: "-".join(settings.values()) or "unlimited",
)
def test_threads_and_instruction_sets_and_float64_give_the_same_integers(settings: Mapping[str, str]) -> None:
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == [EXPECTED] * 6
