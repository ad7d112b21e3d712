"""Who does the jobs of a verb: this process, several of this machine, or actors of a Ray cluster."""

import os
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from .exits import UsageError

if TYPE_CHECKING:
    from ..workers.tasks import Crew


SPINS = 10_000  # turns of the loop in which a thread waits for work


class Executor(str, Enum):
    """Where the work is done."""

    LOCAL = "local"
    RAY = "ray"


@dataclass(frozen=True, slots=True)
class Team:
    """The options about who works, as given: `size` at once, address of the Ray cluster."""

    size: int = 1
    executor: Executor = Executor.LOCAL
    address: str | None = None

    @property
    def far(self) -> bool:
        """Whether the workers may be on machines that do not have our files."""
        return self.executor is Executor.RAY

    def check(self) -> None:
        """Raises UsageError: options that contradict each other."""
        if self.address and not self.far:
            raise UsageError("--address is that of a Ray cluster: add --executor ray")

    def hire(self, *, tasks: int | None = None, roles: int = 1, threads: int = 1) -> "Crew":
        """Start the workers, or make ready to.

        Args:
            tasks: how many there are, if known: more workers than that would be idle.
            roles: kinds of workers, of which `size` are at work together.
            threads: of torch in each process of this machine; an actor has one.
        Raises:
            NotInstalledError: there is no Ray. ConnectionError: no cluster at the address.
        """
        size = self.size if tasks is None else min(self.size, tasks)
        if self.far:
            from ..workers.cluster import RayCrew

            return RayCrew(size, self.address, roles)
        from ..workers.crew import LocalCrew

        return LocalCrew(size, threads)


def share_cores() -> None:
    """Before torch is loaded: threads that wait give their core back sooner. The user's own choice stands.

    GNU's OpenMP goes round its waiting loop 300,000 times before it sleeps. Where other programs want the
    cores too, that is time for the very thread that is waited for: benchmarks/results/contention.json.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", str(SPINS))


def threads_each(workers: int) -> int:
    """Torch's threads for each of several processes that share this machine; OMP_NUM_THREADS overrules."""
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    if wanted.isdecimal() and int(wanted) > 0:
        return int(wanted)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // workers)
