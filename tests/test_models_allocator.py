"""A training process keeps freed memory: tensors do not fault their pages in again and again."""

import ctypes
import platform
import subprocess
import sys

import pytest

from linnet.models.allocator import keep_freed_memory

PROGRAM = """
import resource, sys
import torch
from linnet.models.allocator import keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for number in range(30):
    if number == 10:
        before = faults()
    torch.ones(1 << 24)  # 64 MiB
print(faults() - before)
"""


def faults(setting: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, setting], check=True, stdout=subprocess.PIPE, text=True
    )
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other allocators are left as they are")
def test_pages_of_freed_tensors_are_used_again() -> None:
    assert faults("keep") < faults("as it is") / 5


def test_another_allocator_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(_: None) -> ctypes.CDLL:
        raise OSError("no C library to open")

    monkeypatch.setattr(ctypes, "CDLL", without)
    assert not keep_freed_memory()
