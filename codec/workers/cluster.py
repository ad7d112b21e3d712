"""A crew on a Ray cluster: actors in place of processes; each loads a model once."""

import os
import signal
import socket
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

from ..errors import NotInstalledError
from .tasks import Role, Task, TaskError, WorkerLostError
from .worker import attempt, use_threads

_ANSWER_S = 10.0  # for a cluster to be there
_PATIENCE_S = 30.0  # without any result, before workers that are idle make room


class Worker:
    """The actor: one process, one thread. Functions come by name, so its machine has the same Linnet."""

    def __init__(self) -> None:
        use_threads(1)

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
    if address:
        _check_answers(address)
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    ours = signal.getsignal(signal.SIGTERM)
    try:
        if address:
            ray.init(address=address, **quiet)
        else:
            ray.init(num_cpus=processors, include_dashboard=False, **quiet)
    finally:
        signal.signal(signal.SIGTERM, ours)  # Ray's ends the process before files are removed
    return ray


def _check_answers(address: str) -> None:
    """Ray itself would try for many minutes. Raises ConnectionError."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon:
        return  # "auto" and "local" are not places
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER_S).close()
    except (OSError, ValueError, OverflowError) as error:
        raise ConnectionError(f"no Ray cluster answers at {address}: {error}") from error


class RayCrew:
    """A Crew of actors.

    Args:
        size: how many are at work at a time.
        address: of the cluster; None starts one here.
        roles: how many there are: a pair of an encoder and a decoder, of which one works, shares a processor.
    """

    def __init__(self, size: int, address: str | None = None, roles: int = len(Role)) -> None:
        self._ray = connect(address, size)
        self._size = size
        self._actor = self._ray.remote(num_cpus=1 / roles, max_restarts=0)(Worker)
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
        ready, _ = self._ray.wait(list(self._running), num_returns=1, timeout=_PATIENCE_S)
        if not ready:
            self._dismiss_idle()
            ready, _ = self._ray.wait(list(self._running), num_returns=1)
        reference = ready[0]
        ticket, role, actor = self._running.pop(reference)
        try:
            result = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:  # what was sent cannot be read there
            result = TaskError(str(error).strip().splitlines()[-1])
        except self._ray.exceptions.RayError as error:
            first = (str(error).splitlines() or ["no reason given"])[0]
            return ticket, WorkerLostError(f"the worker died ({first})")
        self._idle[role].append(actor)
        return ticket, result

    def _dismiss_idle(self) -> None:
        """Give processors back: on a cluster of fewer than asked for, others may wait for them forever."""
        for idle in self._idle.values():
            while idle:
                self._ray.kill(idle.pop())

    def close(self) -> None:
        """See Crew."""
        self._ray.shutdown()
