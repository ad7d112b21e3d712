"""The life of a worker: calls come in, what they come to goes out, and an end is told by a signal."""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import FrameType
from typing import Any

from .tasks import TaskError


def serve(pipe: "Connection[Any, Any]", threads: int) -> None:
    """A worker's life: a task comes in, its result or its TaskError goes out, until the pipe is closed."""
    ending = _Ending()
    signal.signal(signal.SIGTERM, ending)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # also where a library lets it through
    if hasattr(signal, "SIGHUP"):  # of the terminal to all its processes, as Ctrl-C: our parent tells us
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    use_threads(threads)
    with suppress(EOFError, OSError, SystemExit):  # whoever asked has gone, or says that it is over
        while not ending.told:
            function, arguments = pipe.recv()
            ending.working = True
            result = attempt(function, arguments)
            ending.working = False
            pipe.send(result)
    os._exit(0)  # all blocks are left: taking torch down in order would cost half a second more


def use_threads(count: int) -> None:
    """Before torch is loaded: workers share the cores among each other, and times are comparable."""
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(count)


def attempt(function: Callable[..., object], arguments: tuple[Any, ...]) -> object:
    """The result, or a TaskError of one line: not every exception can be pickled."""
    try:
        return function(*arguments)
    except Exception as error:
        text = " ".join(str(error).split())
        return TaskError(f"{type(error).__name__}: {text}" if text else type(error).__name__)


@dataclass
class _Ending:
    """What a worker does that is told to end: at once while it waits or imports, for that may turn any
    exception into another one; at work through all blocks, so that encoders are killed and temporary files
    removed.
    """

    told: bool = False
    working: bool = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.told = True
        if not self.working:
            os._exit(0)
        raise SystemExit
