"""A crew on a Ray cluster: actors in place of processes; each loads a model once."""

import os
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

from .adapters.base import NotInstalledError
from .crew import Role, Task, WorkerLostError, attempt, use_one_thread


class Worker:
    """The actor: one process, one thread. Functions come by name, so its machine has the same Linnet."""

    def __init__(self) -> None:
        use_one_thread()

    def run(self, function: Callable[..., object], arguments: tuple[Any, ...]) -> object:
        """The result, or a TaskError."""
        return attempt(function, arguments)


def connect(address: str | None, processors: int) -> ModuleType:
    """Join the cluster at an address ("auto": the one of this machine), or start one here without an address.

    Args:
        processors: that a cluster started here offers.
    Returns:
        the package ray.
    Raises:
        NotInstalledError: there is no Ray. ConnectionError: nobody answers at the address.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would report its use over the network
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        ray = import_module("ray")
    except ImportError as error:
        raise NotInstalledError("the executor ray needs Ray: pip install 'linnet[ray]'") from error
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    if address:
        ray.init(address=address, **quiet)
    else:
        ray.init(num_cpus=processors, include_dashboard=False, **quiet)
    return ray


class RayCrew:
    """A Crew of actors; those of one role share a processor with those of the other."""

    def __init__(self, size: int, address: str | None = None) -> None:
        self._ray = connect(address, size)
        self._size = size
        # At most `size` of them are at work, so a pair of an encoder and a decoder needs one processor.
        self._actor = self._ray.remote(num_cpus=0.5, max_restarts=0)(Worker)
        self._idle: dict[Role, list[Any]] = {role: [] for role in Role}
        self._running: dict[Any, tuple[int, Role, Any]] = {}  # by the reference of the result

    @property
    def size(self) -> int:
        """See Crew."""
        return self._size

    def submit(self, ticket: int, task: Task) -> None:
        """See Crew."""
        idle = self._idle[task.role]
        actor = idle.pop() if idle else self._actor.remote()
        reference = actor.run.remote(task.function, task.arguments)
        self._running[reference] = (ticket, task.role, actor)

    def next(self) -> tuple[int, object]:
        """See Crew."""
        (reference,), _ = self._ray.wait(list(self._running), num_returns=1)
        ticket, role, actor = self._running.pop(reference)
        try:
            result = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            first = (str(error).splitlines() or ["no reason given"])[0]
            return ticket, WorkerLostError(f"the worker died ({first})")
        self._idle[role].append(actor)
        return ticket, result

    def close(self) -> None:
        """See Crew."""
        self._ray.shutdown()
