"""The `linnet` command: all verbs, and what surrounds every run."""

import os
import signal
import sys
import warnings
from types import FrameType
from typing import Annotated, NoReturn

from typer import Exit, Option, Typer

from ... import __version__
from ..video.ahead import any_left_behind
from .bench import bench
from .compare import compare
from .cut import cut
from .decode import decode
from .demo import demo
from .encode import encode
from .exits import ExitCode, describe, exit_code
from .info import info
from .models import models_app
from .stdout import close_standard_output
from .streams import open_standard_streams
from .team import share_cores
from .tokens import tokens
from .train import train
from .verify import verify

app = Typer(
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(encode)
app.command()(decode)
app.command()(info)
app.command()(verify)
app.command()(cut)
app.command()(tokens)
app.command()(compare)
app.command()(bench)
app.add_typer(models_app, name="models")
# The trainer has its own parser: all words go through to it, --help too.
app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
)(train)
app.command()(demo)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"linnet {__version__}")
        raise Exit()


@app.callback()
def linnet(
    version: Annotated[
        bool, Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """A neural image codec: photos in files far smaller than JPEG, decoded identically on every machine.

    Exit codes: 0 ok, 1 other, 2 usage, 3 unreadable input, 4 unsupported version or missing model, 5 corrupt,
    6 limit exceeded, 7 target out of reach, 8 output exists, 9 some of many failed or a part was lost,
    130 interrupted.
    """


def main() -> NoReturn:
    """Run the command line on sys.argv and exit with its code."""
    open_standard_streams()  # before any file is opened
    share_cores()
    # As Ctrl-C, so that every block on the way out removes its unfinished file.
    signal.signal(signal.SIGTERM, _interrupt)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # by nohup
        signal.signal(signal.SIGHUP, _interrupt)
    warnings.showwarning = _show_warning
    code: str | int | None = ExitCode.OK
    try:
        app(prog_name="linnet")
    except SystemExit as done:
        code = done.code
    except (Exception, KeyboardInterrupt) as error:
        print(f"linnet: {describe(error)}", file=sys.stderr)
        code = exit_code(error)
    code = close_standard_output(code)
    if any_left_behind():  # Python would abort: such a thread holds the lock of standard input
        os._exit(code if isinstance(code, int) else int(code is not None))
    sys.exit(code)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: object = None,
    line: str | None = None,
) -> None:
    """Say a warning as a line, without the place in the source that Python adds."""
    if issubclass(category, UserWarning):
        print(f"linnet: warning: {message}", file=sys.stderr)
