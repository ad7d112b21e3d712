"""How the system schedules this process: an encoder's wishes end with its own work."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def usual_scheduling() -> Iterator[None]:
    """Undo what a block does to the scheduling of this process.

    SVT-AV1, where root runs it, makes the process and its own threads real-time ones: to the end of the
    process they would stop whatever else the machine does.
    """
    if sys.platform != "linux":
        yield
        return
    process = os.getpid()
    before, priority = os.sched_getscheduler(process), os.sched_getparam(process)
    try:
        yield
    finally:
        if os.sched_getscheduler(process) != before:
            for thread in os.listdir("/proc/self/task"):
                with suppress(OSError):  # it has ended
                    os.sched_setscheduler(int(thread), before, priority)
