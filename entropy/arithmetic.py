"""float32 products that are what they say: the process's precision while exact layers run."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock

import torch


@contextmanager
def exact_arithmetic() -> Iterator[None]:
    """Keep float32 what it says for the time of a block: no autocast, no TF32, no bfloat16 inside products.

    The precision settings are the process's, so other threads share them while any such block is open. They
    come back as they were when the last one ends.
    """
    with ExitStack() as stack:
        for device in ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",):
            stack.enter_context(torch.autocast(device, enabled=False))
        stack.enter_context(_PRODUCTS.in_full())
        yield


# Products only: no exact layer is a library's convolution. Newer torch has a setting for each backend, and
# there the old one raises in a program that has used the new ones.
_BACKENDS = ("cuda", "mkldnn") if hasattr(torch.backends.cuda.matmul, "fp32_precision") else ()
_FULL = ("ieee",) * len(_BACKENDS) or ("highest",)


class _Products:
    """The process's precision of products: full while any block of any thread is open, then what it was."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._open = 0  # blocks, in all threads
        self._kept = _FULL

    @contextmanager
    def in_full(self) -> Iterator[None]:
        with self._lock:
            if not self._open:
                self._kept = _precision()
            _set_precision(_FULL)  # each time: the program may have set another one since
            self._open += 1
        try:
            yield
        finally:
            with self._lock:
                self._open -= 1
                if not self._open:
                    _set_precision(self._kept)


_PRODUCTS = _Products()


def _precision() -> tuple[str, ...]:
    if not _BACKENDS:
        return (torch.get_float32_matmul_precision(),)
    return tuple(getattr(torch.backends, name).matmul.fp32_precision for name in _BACKENDS)


def _set_precision(values: tuple[str, ...]) -> None:
    if not _BACKENDS:
        torch.set_float32_matmul_precision(values[0])
    for name, value in zip(_BACKENDS, values, strict=False):
        getattr(torch.backends, name).matmul.fp32_precision = value
