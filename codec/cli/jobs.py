"""From arguments to jobs: which file is read, where the result goes, and what must not happen."""

import os
import stat
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..video.kind import is_sequence
from .exits import UnreadableInputError, UsageError

PIPE = "-"


@dataclass(frozen=True, slots=True)
class Job:
    """One input and its output, as paths or PIPE."""

    source: str
    dest: str = ""  # empty for verbs that only read
    folder: str | None = None  # the output folder that dest is in, to be made where it is missing

    @property
    def label(self) -> str:
        """The job in words: photo.png -> photo.lnt."""
        return f"{self.source} -> {self.dest}" if self.dest else self.source

    @property
    def fields(self) -> dict[str, str]:
        """The job in JSON."""
        return {"input": self.source} | ({"output": self.dest} if self.dest else {})


@dataclass(frozen=True, slots=True)
class Placement:
    """Where outputs go, from the arguments as given."""

    output: str | None  # file, folder, PIPE, or None: beside the input
    suffix: str  # of outputs that are named after their input, such as ".lnt"
    recursive: bool
    takes: frozenset[str]  # suffixes of the files to take from folders, lower case

    def jobs(self, names: Sequence[str]) -> list[Job]:
        """Make a job of each input; folders give one for each file in them where recursive.

        Raises:
            UsageError: outputs that collide, or arguments that contradict each other.
            UnreadableInputError: a folder without any file to take.
        """
        if "" in names or self.output == "":
            raise UsageError("a name is empty: a variable that is not set?")
        self._check_meant(names)
        found = [pair for name in names for pair in self.inputs(name)]
        folder = self._folder(many=len(found) > 1 or self.recursive)
        jobs = [Job(source, self._dest(source, inside, folder), folder) for source, inside in found]
        _check_jobs(jobs)
        return jobs

    def _check_meant(self, names: Sequence[str]) -> None:
        """Refuse the habit of other tools to name the output behind the input."""
        if self.output is None and len(names) == 2 and names[1] != PIPE:
            second = Path(names[1])
            if second.suffix and second.suffix.lower() not in self.takes and not os.path.lexists(second):
                raise UsageError(f"{second} does not exist; if it is to be written: -o {second}")

    def inputs(self, name: str) -> list[tuple[str, str]]:
        """The files an argument stands for, each with its path inside the output folder.

        Raises:
            UnreadableInputError: a folder without any file to take.
        """
        if name == PIPE or not (self.recursive and Path(name).is_dir()):
            return [(name, Path(name).name)]
        root = Path(name)
        closed: list[Path] = []  # folders that cannot be looked into: jobs that will fail and say so
        below = os.walk(root, onerror=lambda error: closed.append(Path(error.filename)))
        check_readable_folder(name)
        every = (Path(folder, file) for folder, _, files in below for file in files)
        paths = sorted([path for path in every if self._is_taken(path)] + closed)
        if not paths:
            wanted = " ".join(sorted(self.takes))
            raise UnreadableInputError(f"{name}: no file to take in this folder (looked for {wanted})")
        return [(str(path), str(path.relative_to(root))) for path in paths]

    def _is_taken(self, path: Path) -> bool:
        """Also of a link to nowhere: its job will say so."""
        return path.suffix.lower() in self.takes and (path.is_file() or not path.exists())

    def _folder(self, many: bool) -> str | None:
        """The folder that -o names: it is one, ends like one, or several outputs have to fit; else None."""
        if self.output is None:
            return None
        if self.output == PIPE:
            if many:
                raise UsageError("several outputs cannot share one pipe: give -o a folder")
            return None
        if many and Path(self.output).is_file():
            raise UsageError(f"{self.output} is a file: several outputs need a folder")
        named = self.output.endswith(("/", os.sep)) or Path(self.output).is_dir()
        return self.output if many or named else None

    def _dest(self, source: str, inside: str, folder: str | None) -> str:
        if folder is not None:
            if source == PIPE:
                raise UsageError("standard input has no name: give -o a file or -")
            return str(Path(folder) / self._renamed(Path(inside)))
        if self.output is not None:
            return self.output
        return PIPE if source == PIPE else str(self._renamed(Path(source)))

    def _renamed(self, path: Path) -> Path:
        """Exchange a known suffix; only add to any other: "v1.2" is no suffix to lose."""
        if path.suffix.lower() in self.takes:
            return path.with_suffix(self.suffix)
        return path.with_name(path.name + self.suffix)


def _check_jobs(jobs: Sequence[Job]) -> None:
    """Refuse what would lose data, before anything is written."""
    by_dest: dict[str, str] = {}
    inputs = {_identity(job.source) for job in jobs if job.source != PIPE} - {None}
    for job in jobs:
        if job.dest not in ("", PIPE):
            key = os.path.abspath(job.dest)
            if key in by_dest:
                raise UsageError(
                    f"{by_dest[key]} and {job.source} would both be written to {job.dest}: rename one of "
                    "them, or take it alone and give -o another name"
                )
            by_dest[key] = job.source
            check_not_same_file(job.source, job.dest)
            if _identity(job.dest) in inputs:
                raise UsageError(
                    f"{job.source} would be written to {job.dest}, which is an input too: "
                    "give -o another folder, or leave that input out"
                )
    if [job.source for job in jobs].count(PIPE) > 1:
        raise UsageError("standard input (-) can be read only once")


def _identity(path: str) -> tuple[int, int] | None:
    """The same of all names and links of a file; None where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def check_not_same_file(source: str, dest: str) -> None:
    """Refuse to write over the input, also through links.

    Raises:
        UsageError: both are the same file.
    """
    if source != PIPE and os.path.exists(source) and os.path.exists(dest) and os.path.samefile(source, dest):
        raise UsageError(f"{source}: input and output are the same file")


def check_readable(source: str, advice: str = "") -> None:
    """Say what is wrong with an input before any network is loaded for it.

    Args:
        source: path or PIPE.
        advice: what to do about a folder.
    Raises:
        UnreadableInputError: missing, a folder, empty, or not permitted.
        UsageError: standard input is a terminal.
    """
    if is_sequence(source):
        return  # numbered pictures: FFmpeg finds them
    if source == PIPE:
        if sys.stdin.isatty():
            raise UsageError("standard input is a terminal: name a file, or pipe one in")
        return
    try:
        status = os.stat(source)
    except OSError as error:
        raise UnreadableInputError(f"{source}: {error.strerror}") from error
    if stat.S_ISDIR(status.st_mode):
        check_readable_folder(source)
        raise UnreadableInputError(f"{source}: is a folder{advice}")
    if stat.S_ISREG(status.st_mode) and status.st_size == 0:
        raise UnreadableInputError(f"{source}: the file is empty")
    if not os.access(source, os.R_OK):
        raise UnreadableInputError(f"{source}: permission denied")


def check_readable_folder(folder: str) -> None:
    """Raises UnreadableInputError where what is in a folder cannot be seen."""
    if not os.access(folder, os.R_OK | os.X_OK):
        raise UnreadableInputError(f"{folder}: permission denied")


def read_only_jobs(names: Sequence[str]) -> list[Job]:
    """Make a job of each input of a verb that writes nothing.

    Raises:
        UsageError: standard input more than once.
    """
    jobs = [Job(name) for name in names]
    _check_jobs(jobs)
    return jobs
