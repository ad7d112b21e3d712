"""When an output may be written, for the verbs that write."""

import errno
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ...bitstream.limits import Limits
from .exits import UsageError
from .jobs import PIPE, Job, check_readable
from .run import Outcome
from .stdout import check_takes_binary
from .streams import standard_input


@dataclass(frozen=True, slots=True)
class Writing:
    """The options about outputs, as given."""

    force: bool
    skip_existing: bool
    dry_run: bool
    json: bool

    def checked(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """Return the jobs, unless the options contradict each other.

        Raises:
            UsageError
        """
        if self.force and self.skip_existing:
            raise UsageError("-f replaces outputs that exist, --skip-existing keeps them: choose one")
        if self.json and any(job.dest == PIPE for job in jobs):
            raise UsageError("--json and the picture cannot share standard output: give -o a file")
        return jobs

    def prepare(self, job: Job) -> Outcome | None:
        """Check input and output of a job and make its folder.

        Returns:
            the outcome if there is nothing more to do, else None.
        Raises:
            FileExistsError: the output exists and is to be kept.
            UnreadableInputError, UsageError, OSError.
        """
        check_readable(job.source, advice=" (-r takes the files in it)")
        if job.dest == PIPE:
            check_takes_binary()
        elif self._exists(job.dest):
            return Outcome({"skipped": True}, f"{job.dest}: exists, skipped", skipped=True)
        if self.dry_run:
            return Outcome({"dry_run": True}, f"{job.label} (dry run)")
        if job.folder is not None:
            Path(job.dest).parent.mkdir(parents=True, exist_ok=True)
        return None

    def _exists(self, dest: str) -> bool:
        if not self.skip_existing:
            check_replaceable(dest, self.force)
        return not self.force and _would_be_lost(dest)


def check_replaceable(dest: str, force: bool) -> None:
    """Raises FileExistsError: something stands there that would be lost, and nobody forces it."""
    if not force and _would_be_lost(dest):
        raise FileExistsError(errno.EEXIST, "exists already (-f replaces it)", dest)


def _would_be_lost(dest: str) -> bool:
    """A device or a named pipe has nothing to lose."""
    return os.path.lexists(dest) and (not os.path.exists(dest) or stat.S_ISREG(os.stat(dest).st_mode))


def limits_of(size_limit: int | None) -> Limits:
    """The limits with --size-limit in place of the default; it also lifts the limit on the sides."""
    return Limits() if size_limit is None else Limits(max_pixels=size_limit, max_side=max(65535, size_limit))


def open_source(source: str) -> Path | BinaryIO:
    """The input as the API takes it."""
    return standard_input() if source == PIPE else Path(source)
