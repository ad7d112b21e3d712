"""What a verb says: JSON lines and data to stdout, everything else to stderr, progress only to a terminal."""

import json
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

from ...bitstream.errors import LimitExceededError
from ..progress import Progress
from .exits import ExitCode, describe, exit_code
from .stdout import OutputLostError, standard_output

SCHEMA = 1  # of the JSON lines: fields are added, never changed or removed

JsonValue: TypeAlias = bool | int | float | str | Sequence["JsonValue"] | Mapping[str, "JsonValue"] | None


@dataclass(frozen=True, slots=True)
class Console:
    """How a verb talks; the same for all its inputs."""

    verb: str
    json: bool = False
    verbose: bool = False
    quiet: bool = False
    takes_size_limit: bool = False  # the verb has --size-limit

    def result(self, fields: Mapping[str, JsonValue], line: str) -> None:
        """Report on work done: JSON to stdout, or a line for people to stderr."""
        if self.json:
            self._emit("result", fields)
        else:
            self.note(line)

    def answer(self, fields: Mapping[str, JsonValue], text: str) -> None:
        """Report what was asked for, which is data: to stdout in either form."""
        if self.json:
            self._emit("result", fields)
        elif not self.quiet:
            with standard_output():
                print(text)

    def note(self, line: str) -> None:
        """Say a line on stderr."""
        if not self.quiet:
            print(line, file=sys.stderr)

    def error(self, error: BaseException, fields: Mapping[str, JsonValue]) -> ExitCode:
        """Report an error, with its traceback if verbose, and return its exit code."""
        if self.verbose:
            traceback.print_exception(error)
        code = exit_code(error)
        message = describe(error)
        if self.takes_size_limit and _is_of_size(error):
            message += ": --size-limit allows more"
        lost = isinstance(error, OutputLostError)
        if not (lost and error.expected):
            place = "" if lost else _sentence_start(fields.get("input"), message)
            print(f"linnet: {place}{message}", file=sys.stderr)
        if self.json and not lost:
            details: dict[str, JsonValue] = {
                "exit_code": int(code),
                "error": type(error).__name__,
                "message": message,
                "chunk": getattr(error, "chunk", None),
                "offset": getattr(error, "offset", None),
            }
            self._emit("error", {**fields, **details})
        return code

    def summary(self, fields: Mapping[str, JsonValue], line: str) -> None:
        """Close a run: always in JSON, in words only where there was more than one input."""
        if self.json:
            self._emit("summary", fields)
        elif line:
            self.note(line)

    @contextmanager
    def progress(self, label: str) -> Iterator[Progress]:
        """Give a function (done, total) that moves a bar on stderr, or does nothing where nobody looks."""
        shared = self.json and sys.stdout.isatty()  # the bar would cut the JSON lines in two
        if self.quiet or shared or not sys.stderr.isatty():
            yield lambda done, total: None
            return
        from rich.console import Console as Terminal
        from rich.progress import Progress as Bar
        from rich.progress import ProgressColumn, Task
        from rich.text import Text

        class Speed(ProgressColumn):
            """Steps a second: tiles of a picture, frames of a clip, or files."""

            def render(self, task: Task) -> Text:
                return Text("" if task.speed is None else f"{task.speed:.1f}/s")

        # stdout is left alone: it may be the pipe that takes the picture.
        terminal = Terminal(stderr=True)
        with Bar(
            *Bar.get_default_columns(), Speed(), console=terminal, transient=True, redirect_stdout=False
        ) as bar:
            task = bar.add_task(label, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total or None)

    def _emit(self, kind: str, fields: Mapping[str, JsonValue]) -> None:
        record = {"schema": SCHEMA, "type": kind, "verb": self.verb, **fields}
        with standard_output():
            # ASCII: names of files that are no text keep their bytes in it, as lone surrogates.
            print(json.dumps(record, allow_nan=False))


def _is_of_size(error: BaseException) -> bool:
    """Whether it says that a picture is above what --size-limit sets."""
    sets = ("Limits.max_pixels", "Limits.max_side")
    return isinstance(error, LimitExceededError) and any(name in str(error) for name in sets)


def _sentence_start(source: JsonValue, message: str) -> str:
    """Name the input before the message, unless the message does."""
    return f"{source}: " if isinstance(source, str) and source not in message else ""
