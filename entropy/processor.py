"""What the processor says it can do."""

import os
from functools import lru_cache
from pathlib import Path

_LIMITS = {"ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"}  # the library heeds both names


@lru_cache(maxsize=1)
def cpu_flags() -> frozenset[str]:
    """The flags of /proc/cpuinfo; none on other systems, or where oneDNN is told to use an older ISA."""
    if not _LIMITS.isdisjoint(os.environ):
        return frozenset()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((line.split(":", 1)[1].split() for line in lines if line.startswith("flags")), []))
