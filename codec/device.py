"""Where the networks run."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

import torch

Args = ParamSpec("Args")
Result = TypeVar("Result")


def device_name(device: str) -> str:
    """`auto` is the first CUDA device where there is one. Raises ValueError for one that is not there."""
    cuda = torch.cuda.is_available()
    if device == "auto":
        return "cuda:0" if cuda else "cpu"
    try:
        kind = torch.device(device)
    except RuntimeError as error:
        raise ValueError(f"no device is called '{device}': use auto, cpu or cuda:0") from error
    if kind.type not in ("cpu", "cuda") or (kind.type == "cuda" and not cuda):
        raise ValueError(f"device '{device}' is not available here: use auto or cpu")
    return device


@contextmanager
def cpu_by_default() -> Iterator[None]:
    """Make what names no device on the CPU, whatever this thread's program has set."""
    if torch.empty(0).device.type == "cpu":
        yield
        return
    with torch.device("cpu"):
        yield


def on_its_devices(work: Callable[Args, Result]) -> Callable[Args, Result]:
    """A function that makes tensors only where it says so."""

    @wraps(work)
    def inside(*args: Args.args, **words: Args.kwargs) -> Result:
        with cpu_by_default():
            return work(*args, **words)

    return inside
