"""Runs the real `linnet` command as a user's shell does."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

LINNET = str(Path(sys.executable).with_name("linnet"))
TIMEOUT_S = 120


@dataclass(frozen=True)
class Finished:
    """A process that has ended."""

    code: int
    out: bytes
    err: str

    @property
    def records(self) -> list[dict[str, object]]:
        """The JSON lines on stdout."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def complaint(self) -> str:
        """The one line on stderr that every failure comes with."""
        assert "Traceback" not in self.err
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        return lines[0]


def linnet(*words: str | Path, stdin: bytes = b"", cwd: Path | None = None) -> Finished:
    """Run `linnet WORDS` to its end."""
    command = [LINNET, *map(str, words)]
    done = subprocess.run(command, input=stdin, capture_output=True, cwd=cwd, timeout=TIMEOUT_S, check=False)
    return Finished(done.returncode, done.stdout, done.stderr.decode())


def linnet_at_terminal(*words: str | Path) -> Finished:
    """Run `linnet WORDS` with standard input and output connected to a terminal; `out` is what it shows."""
    with terminal() as (descriptor, shown):
        command = [LINNET, *map(str, words)]
        done = subprocess.run(
            command,
            stdin=descriptor,
            stdout=descriptor,
            stderr=subprocess.PIPE,
            timeout=TIMEOUT_S,
            check=False,
        )
    return Finished(done.returncode, bytes(shown), done.stderr.decode())


def linnet_watched(*words: str | Path) -> Finished:
    """Run `linnet WORDS` with standard error connected to a terminal; `err` is what it shows."""
    with terminal() as (descriptor, shown):
        command = [LINNET, *map(str, words)]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=descriptor, timeout=TIMEOUT_S, check=False
        )
    return Finished(done.returncode, done.stdout, shown.decode())


@contextmanager
def terminal() -> Iterator[tuple[int, bytearray]]:
    """A terminal: the descriptor that a process gets, and what has been shown once the block is left."""
    ours, theirs = pty.openpty()
    shown = bytearray()

    def read() -> None:
        with suppress(OSError):  # Linux says so when the last process has closed its end
            while part := os.read(ours, 65536):
                shown.extend(part)

    reader = Thread(target=read)
    reader.start()
    try:
        yield theirs, shown
    finally:
        os.close(theirs)
        reader.join()
        os.close(ours)
