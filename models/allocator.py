"""How freed memory is kept: on Linux each large tensor is mapped and cleared anew otherwise."""

import ctypes

TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = -1, -2, -4  # of glibc's malloc.h
NEVER, KEPT_BYTES = -1, 64 << 20


def keep_freed_memory() -> bool:
    """Let this process keep what tensors give back, for the next ones; whether glibc took it.

    A process holds the most that it ever used, so this is for programs, not for a library to ask of its user.
    Other allocators (musl's, tcmalloc, macOS, Windows) are left as they are.
    Source: https://man7.org/linux/man-pages/man3/mallopt.3.html
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    settings = (MMAP_MAX, 0), (TRIM_THRESHOLD, NEVER), (TOP_PAD, KEPT_BYTES)
    return all(mallopt(which, value) == 1 for which, value in settings)
