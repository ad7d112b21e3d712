"""Options that several verbs share, each defined once."""

from dataclasses import dataclass
from typing import Annotated

from typer import Argument, BadParameter, Option

from .team import Executor


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle of a picture."""

    box: tuple[int, int, int, int]  # left, top, width, height in pixels


def parse_region(text: str) -> Region:
    """Read X,Y,W,H in pixels.

    Raises:
        BadParameter: not four integers, a negative corner, or an empty rectangle.
    """
    try:
        x, y, width, height = (int(part) for part in text.split(","))
    except ValueError:
        raise BadParameter(f"{text!r} is not X,Y,W,H: four whole numbers, such as 0,0,256,256") from None
    if x < 0 or y < 0 or width < 1 or height < 1:
        raise BadParameter(f"{text!r}: X and Y must be at least 0, W and H at least 1")
    return Region((x, y, width, height))


def parse_number(text: str) -> int:
    """40000, 40k or 1.5M (powers of 1000). Raises ValueError, OverflowError."""
    units = {"k": 1000, "m": 1000**2, "g": 1000**3}
    digits, factor = (text[:-1], units[text[-1:].lower()]) if text[-1:].lower() in units else (text, 1)
    return round(float(digits) * factor)


def parse_size(text: str) -> int:
    """Bytes of 40000, 40k or 1.5M. Raises BadParameter for anything else."""
    try:
        size = parse_number(text)
    except (ValueError, OverflowError):
        raise BadParameter(f"{text!r} is no size: write bytes, such as 40000, 40k or 1.5M") from None
    if size < 1:
        raise BadParameter(f"{text!r}: a file has at least one byte")
    return size


Output = Annotated[
    str | None, Option("-o", "--output", metavar="OUT|DIR|-", help="File, folder (ends in /) or - (pipe).")
]
Recursive = Annotated[bool, Option("-r", "--recursive", help="Take the files in folders and below.")]
Jobs = Annotated[int, Option("-j", "--jobs", min=1, help="Files to work on at once.")]
ExecutorChoice = Annotated[Executor, Option("--executor", help="Where the work is done.")]
Address = Annotated[
    str | None,
    Option("--address", metavar="HOST:PORT", help="Of a Ray cluster; without it one is started here."),
]
Device = Annotated[str, Option("--device", metavar="auto|cpu|cuda:0", help="Where the networks run.")]
Force = Annotated[bool, Option("-f", "--force", help="Replace outputs that exist.")]
SkipExisting = Annotated[bool, Option("--skip-existing", help="Leave inputs alone whose output exists.")]
DryRun = Annotated[bool, Option("-n", "--dry-run", help="Say what would be done, write nothing.")]
SizeLimit = Annotated[
    int | None, Option("--size-limit", metavar="PX", min=1, help="Refuse pictures of more pixels (2^28).")
]
Json = Annotated[bool, Option("--json", help="Print one JSON object a line.")]
Verbose = Annotated[bool, Option("-v", "--verbose", help="Show the traceback of errors.")]
Quiet = Annotated[bool, Option("--quiet", help="Print errors only.")]
Files = Annotated[list[str], Argument(metavar="FILE...", help=".lnt files; - reads standard input.")]
