"""`linnet demo`: a real photograph through Linnet, JPEG and WebP at one size."""

from pathlib import Path
from typing import Annotated

from typer import Exit, Option

from ..progress import Progress
from . import options
from .console import Console
from .jobs import Job
from .run import Outcome, run_jobs


def demo(
    output: Annotated[Path, Option("-o", "--output", metavar="DIR", help="Where the files go.")] = Path(
        "demo"
    ),
    quality: Annotated[
        float, Option("-q", "--quality", min=0, max=100, help="Of Linnet; the others follow.")
    ] = 30,
    device: options.Device = "auto",
    json: options.Json = False,
    verbose: options.Verbose = False,
) -> None:
    """Show a photograph beside JPEG and WebP of the same size. Needs the extra "bench"."""

    def work(job: Job, progress: Progress) -> Outcome:
        from ..demo import run_demo

        report = run_demo(output, quality=quality, device=device)
        return Outcome(report.fields(), report.table(), answer=True)

    console = Console("demo", json, verbose)
    raise Exit(run_jobs(console, lambda: [Job("demo")], work))
