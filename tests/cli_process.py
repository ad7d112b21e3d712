"""Runs the real `linnet` command as a user's shell does."""

import json
import os
import pty
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

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
    """Run `linnet WORDS` with standard input and output connected to a terminal."""
    ours, theirs = pty.openpty()
    command = [LINNET, *map(str, words)]
    done = subprocess.run(
        command, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, timeout=TIMEOUT_S, check=False
    )
    os.set_blocking(ours, False)
    try:
        shown = os.read(ours, 65536)
    except BlockingIOError:
        shown = b""
    os.close(ours)
    os.close(theirs)
    return Finished(done.returncode, shown, done.stderr.decode())
