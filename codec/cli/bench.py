"""`linnet bench`: rate and distortion of Linnet and other codecs on a folder of pictures."""

import shlex
import sys
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, BadParameter, Exit, Option

from . import options
from .console import Console, JsonValue, Progress
from .encode import SUFFIXES
from .exits import ExitCode
from .jobs import Job
from .run import Outcome, run_jobs

if TYPE_CHECKING:
    from ..bench.adapters.base import Adapter
    from ..bench.crew import Crew
    from ..bench.results import Results
    from ..bench.runner import Row


class ViewChoice(str, Enum):
    """How the report holds pictures."""

    LOSSY = "lossy"
    EXACT = "exact"
    NONE = "none"


class Executor(str, Enum):
    """Where the work is done."""

    LOCAL = "local"
    RAY = "ray"


@dataclass(slots=True)
class _Told:
    """Says on the console what happens, and counts what failed."""

    console: Console
    progress: Progress
    failures: int = 0

    def failed(self, what: str, error: BaseException) -> None:
        """A file, a codec or a metric is left out."""
        self.failures += 1
        self.console.error(error, {"input": what})

    def row(self, row: "Row", adapter: "Adapter") -> None:
        """A point is finished, or failed; points are too many for lines that people read."""
        from ..bench.crew import TaskError
        from ..bench.results import row_fields

        if row.error:
            self.failed(row.where, TaskError(row.error))
        elif self.console.json:
            self.console.result(row_fields(row, adapter), "")


def parse_values(text: str) -> tuple[str, tuple[float, ...]]:
    """Read LIST or CODEC=LIST: the codec ("" for all) and the values.

    Raises:
        BadParameter: no list of numbers.
    """
    codec, _, values = text.rpartition("=")
    try:
        return codec, tuple(dict.fromkeys(float(value) for value in values.split(",")))
    except ValueError:
        raise BadParameter(f"{text!r} is not LIST or CODEC=LIST, such as 10,50,90 or vtm=22,32,42") from None


def bench(
    dataset: Annotated[Path, Argument(metavar="DATASET", help="A folder of pictures, or one.")],
    codecs: Annotated[
        str,
        Option(
            metavar="LIST",
            help="Such as linnet:fast,jpeg,jpeg:444,webp,avif,jpeg2000,jxl,x264,x265,svtav1,vtm,vvenc,"
            "compressai:mbt2018-mean; without it those that are installed and quick.",
        ),
    ] = "",
    output: Annotated[
        Path, Option("-o", "--output", metavar="DIR", help="Where the report goes; a run goes on there.")
    ] = Path("report"),
    metrics: Annotated[
        str, Option(metavar="LIST", help="Of psnr, psnr_y, ms_ssim, xpsnr_y, vmaf, lpips, ssimulacra2.")
    ] = "psnr,psnr_y,ms_ssim",
    qualities: Annotated[
        list[str] | None,
        Option(metavar="[CODEC=]LIST", help="Values to measure, for one codec or all that have a quality."),
    ] = None,
    points: Annotated[
        int | None, Option(min=1, metavar="N", help="So many of each codec's own values, instead of all.")
    ] = None,
    match: Annotated[
        float, Option(min=0.001, metavar="BPP", help="Size of the files that the slider shows.")
    ] = 0.25,
    view: Annotated[ViewChoice, Option(help="How the report holds pictures.")] = ViewChoice.LOSSY,
    reference: Annotated[
        Path | None, Option(metavar="FILE", help="Published curves; for all of Kodak some come along.")
    ] = None,
    vtm: Annotated[str, Option(metavar="PATH", help="EncoderAppStatic of VTM, or its folder.")] = "",
    vvenc: Annotated[str, Option(metavar="PATH", help="vvencapp, or its folder.")] = "",
    checkpoints: Annotated[str, Option(metavar="DIR", help="Of CompressAI's models.")] = "",
    executor: Annotated[Executor, Option(help="Where the work is done.")] = Executor.LOCAL,
    address: Annotated[
        str | None, Option(metavar="HOST:PORT", help="Of a Ray cluster; without it one is started here.")
    ] = None,
    jobs: options.Jobs = 1,
    device: options.Device = "cpu",
    json: options.Json = False,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
) -> None:
    """Measure codecs on real files and write a report with curves, BD-rates, speeds and a slider."""
    values = dict(parse_values(text) for text in qualities or [])
    console = Console("bench", json, verbose, quiet)

    def work(job: Job, progress: Progress) -> Outcome:
        from ..bench.adapters.base import CodecOptions
        from ..bench.session import Request, run_bench
        from ..bench.views import View

        request = Request(
            dataset=dataset,
            output=output,
            suffixes=SUFFIXES,
            codecs=[spec.strip() for spec in codecs.split(",") if spec.strip()],
            metrics=metrics.split(","),
            qualities=values,
            points=points,
            options=CodecOptions(device, vtm, vvenc, checkpoints),
            match_bpp=match,
            view=View(view.value),
            reference=reference,
            command=shlex.join(["linnet", *sys.argv[1:]]),
        )
        told = _Told(console, progress)
        results, written = run_bench(request, lambda: _hire(executor, jobs, address), told)
        return _outcome(results, written, told.failures)

    raise Exit(run_jobs(console, lambda: [Job(str(dataset), str(output))], work))


def _hire(executor: Executor, size: int, address: str | None) -> "Crew":
    if executor is Executor.LOCAL:
        from ..bench.crew import LocalCrew

        return LocalCrew(size)
    from ..bench.cluster import RayCrew

    return RayCrew(size, address)


def _outcome(results: "Results", written: list[Path], failures: int) -> Outcome:
    """The figures of the first codec against all others; some failures make the run a partial one."""
    from ..bench.metrics import METRICS

    first = next((curve.label for curve in results.curves if curve.spec), "")
    deltas = [delta for delta in results.deltas if delta.test == first]
    lines = [f"BD-rate of {first} ({len(results.plan.pictures)} pictures):"] if deltas else []
    width = max((len(delta.anchor) for delta in deltas), default=0)
    for delta in deltas:
        name = METRICS[delta.metric].label
        change = delta.note if delta.rate_percent is None else f"{delta.rate_percent:+.1f} %"
        overlap = "" if delta.low is None else f"overlap {delta.low:.4g} to {delta.high:.4g}"
        lines.append(f"  against {delta.anchor:<{width}}  {name:<23}{change:>10}  {overlap}")
    fields: dict[str, JsonValue] = {
        "written": [str(path) for path in written],
        "rows": len(results.rows),
        "failures": failures,
        "bd_rate": [
            {"anchor": d.anchor, "test": d.test, "metric": d.metric, "percent": d.rate_percent}
            for d in deltas
        ],
    }
    text = "\n".join([*lines, *(str(path) for path in written)])
    failed = ExitCode.PARTIAL if results.curves else ExitCode.OTHER
    return Outcome(fields, text, answer=True, failure=failed if failures else ExitCode.OK)
