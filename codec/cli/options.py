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
