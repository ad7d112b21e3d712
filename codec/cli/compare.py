"""`linnet compare`: how near pictures or clips are to one of them, in figures and by eye."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Exit, Option

from ..progress import Progress
from . import options
from .bench import METRICS_HELP
from .console import Console
from .exits import UnreadableInputError
from .jobs import Job, check_not_same_file, check_readable
from .run import Outcome, run_jobs
from .writing import check_replaceable, limits_of

if TYPE_CHECKING:
    from ..bench.compare import Comparison
    from ..bench.page import Version


def compare(
    reference: Annotated[Path, Argument(metavar="REF", help="The picture or clip to compare with.")],
    distorted: Annotated[
        list[str], Argument(metavar="DIST...", help="Pictures, or clips, of its size and length; .lnt too.")
    ],
    metrics: Annotated[str, Option(metavar="LIST", help=METRICS_HELP)] = "",
    html: Annotated[
        Path | None,
        Option(metavar="PAGE", help="Write a page with a slider over the pictures, or the middle frames."),
    ] = None,
    force: options.Force = False,
    size_limit: options.SizeLimit = None,
    json: options.Json = False,
    verbose: options.Verbose = False,
) -> None:
    """Measure pictures or clips against another.

    All have the same size and, of clips, the same length.
    """
    console = Console("compare", json, verbose, takes_size_limit=True)
    read: list[Comparison] = []
    versions: list[Version] = []

    def plan() -> list[Job]:
        from ..bench.compare import open_comparison

        check_readable(str(reference))
        if html is not None:
            for name in (str(reference), *distorted):
                check_not_same_file(name, str(html))
            check_replaceable(str(html), force)  # before minutes of work
        read.append(open_comparison(reference, metrics.split(",") if metrics else (), limits_of(size_limit)))
        page = [] if html is None else [Job(str(reference), str(html))]
        return [*(Job(name) for name in distorted), *page]

    def work(job: Job, progress: Progress) -> Outcome:
        if job.dest:
            return _write_page(Path(job.dest), read[0], versions, force)
        check_readable(job.source)
        compared = read[0].measure(Path(job.source))
        version, figures = compared.version, compared.version.metrics or {}
        versions.append(version)
        shown = [f"{m.label} {_figure(m.key, figures[m.key])}" for m in read[0].metrics]
        line = f"{job.source}  {version.bytes} bytes  {version.bpp:.4f} bpp  {'  '.join(shown)}"
        fields = {"reference": str(reference), "bytes": version.bytes, "bpp": version.bpp, "metrics": figures}
        return Outcome({**fields, **compared.fields}, line, answer=True)

    raise Exit(run_jobs(console, plan, work))


def _figure(key: str, value: float | None) -> str:
    """A ratio of signal to noise has none without noise; others are not defined for small pictures."""
    if value is None:
        return "equal" if "psnr" in key else "not defined"
    return f"{value:.4f}"


def _write_page(dest: Path, comparison: "Comparison", versions: "list[Version]", force: bool) -> Outcome:
    from ..files.atomic import atomic_write

    if not versions:
        raise UnreadableInputError(f"{dest}: not written, since nothing could be compared")
    with atomic_write(dest, overwrite=force) as stream:
        stream.write(comparison.page(versions).html().encode())
    return Outcome({"pictures": len(versions) + 1}, f"{dest}", gathered=True)
