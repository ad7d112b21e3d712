"""`linnet compare`: how near pictures are to one picture, in figures and by eye."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Exit, Option

from . import options
from .console import Console, Progress
from .exits import UnreadableInputError
from .jobs import Job, check_not_same_file, check_readable
from .run import Outcome, run_jobs

if TYPE_CHECKING:
    from ..bench.compare import Reference
    from ..bench.page import Version


def compare(
    reference: Annotated[Path, Argument(metavar="REF", help="The picture to compare with.")],
    distorted: Annotated[list[str], Argument(metavar="DIST...", help="Pictures of its size; .lnt too.")],
    metrics: Annotated[
        str, Option(metavar="LIST", help="Of psnr, psnr_y, ms_ssim, xpsnr_y, vmaf, lpips, ssimulacra2.")
    ] = "psnr,psnr_y,ms_ssim",
    html: Annotated[
        Path | None, Option(metavar="PAGE", help="Write a page with a slider over the pictures.")
    ] = None,
    force: options.Force = False,
    json: options.Json = False,
    verbose: options.Verbose = False,
) -> None:
    """Measure pictures against one of the same size. Clips cannot be compared yet."""
    console = Console("compare", json, verbose)
    read: list[Reference] = []
    versions: list[Version] = []

    def plan() -> list[Job]:
        from ..bench.compare import Reference, read_picture
        from ..bench.metrics import check_metric, find_metrics

        check_readable(str(reference))
        for metric in find_metrics(metrics.split(",")):
            check_metric(metric)
        if html is not None:
            for name in (str(reference), *distorted):
                check_not_same_file(name, str(html))
        read.append(Reference(reference, read_picture(reference)))
        page = [] if html is None else [Job(str(reference), str(html))]
        return [*(Job(name) for name in distorted), *page]

    def work(job: Job, progress: Progress) -> Outcome:
        from ..bench.compare import compare_picture
        from ..bench.metrics import find_metrics

        wanted = find_metrics(metrics.split(","))
        if job.dest:
            return _write_page(Path(job.dest), read[0], versions, metrics, force)
        check_readable(job.source)
        version = compare_picture(read[0], Path(job.source), wanted)
        versions.append(version)
        figures = version.metrics or {}
        shown = [f"{m.label} {'equal' if (v := figures[m.key]) is None else f'{v:.4f}'}" for m in wanted]
        line = f"{job.source}  {version.bytes} bytes  {version.bpp:.4f} bpp  {'  '.join(shown)}"
        fields = {"reference": str(reference), "bytes": version.bytes, "bpp": version.bpp, "metrics": figures}
        return Outcome(fields, line, answer=True)

    raise Exit(run_jobs(console, plan, work))


def _write_page(
    dest: Path, reference: "Reference", versions: "list[Version]", metrics: str, force: bool
) -> Outcome:
    from ..atomic import atomic_write
    from ..bench.compare import comparison_page
    from ..bench.metrics import find_metrics

    if not versions:
        raise UnreadableInputError(f"{dest}: not written, since nothing could be compared")
    page = comparison_page(reference, versions, find_metrics(metrics.split(",")))
    with atomic_write(dest, overwrite=force) as stream:
        stream.write(page.html().encode())
    return Outcome({"pictures": len(versions) + 1}, f"{dest}")
