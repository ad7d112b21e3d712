"""`linnet bench`: rate and distortion of Linnet and other codecs on a folder of pictures or of clips."""

import shlex
import sys
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, BadParameter, Exit, Option

from ..progress import Progress
from . import options
from .console import Console, JsonValue
from .encode import SUFFIXES
from .exits import ExitCode
from .jobs import Job
from .run import Outcome, run_jobs
from .team import Executor, Team

if TYPE_CHECKING:
    from ..bench.adapters.base import Adapter
    from ..bench.plan import Row
    from ..bench.results import Results


METRICS_HELP = (
    "Of psnr, psnr_y, ms_ssim, xpsnr_y, vmaf, lpips, ssimulacra2; of clips psnr, psnr_total, psnr_y, psnr_u, "
    "psnr_v, psnr_yuv, ms_ssim, xpsnr_y, vmaf; without it those that need no tool."
)


class KindChoice(str, Enum):
    """What the files of a dataset are."""

    PICTURES = "pictures"
    CLIPS = "clips"


class ViewChoice(str, Enum):
    """How the report holds pictures."""

    LOSSY = "lossy"
    EXACT = "exact"
    NONE = "none"


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
        from ..bench.result_json import row_fields
        from ..workers.tasks import TaskError

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
    dataset: Annotated[
        Path, Argument(metavar="DATASET", help="A folder of pictures, or of clips, or one of them.")
    ],
    codecs: Annotated[
        str,
        Option(
            metavar="LIST",
            help="Such as linnet:fast,jpeg,jpeg:444,webp,avif,jpeg2000,jxl,x264,x265,svtav1,vtm,vvenc,"
            "compressai:mbt2018-mean; of clips linnet:fast,x264:medium,x265:veryslow-zerolatency,svtav1:8; "
            "without it those that are installed and quick.",
        ),
    ] = "",
    output: Annotated[
        Path, Option("-o", "--output", metavar="DIR", help="Where the report goes; a run goes on there.")
    ] = Path("report"),
    metrics: Annotated[str, Option(metavar="LIST", help=METRICS_HELP)] = "",
    qualities: Annotated[
        list[str] | None,
        Option(metavar="[CODEC=]LIST", help="Values to measure, for one codec or all that have a quality."),
    ] = None,
    points: Annotated[
        int | None, Option(min=1, metavar="N", help="So many of each codec's own values, instead of all.")
    ] = None,
    kind: Annotated[KindChoice | None, Option(help="What to take of a folder that holds both.")] = None,
    frames: Annotated[int | None, Option(min=1, metavar="N", help="The first N frames of each clip.")] = None,
    match: Annotated[
        float | None,
        Option(min=0.001, metavar="BPP", help="Size of the files that the slider shows: 0.25, of clips 0.1."),
    ] = None,
    view: Annotated[ViewChoice, Option(help="How the report holds pictures.")] = ViewChoice.LOSSY,
    reference: Annotated[
        Path | None, Option(metavar="FILE", help="Published curves; for all of Kodak some come along.")
    ] = None,
    vtm: Annotated[str, Option(metavar="PATH", help="EncoderAppStatic of VTM, or its folder.")] = "",
    vvenc: Annotated[str, Option(metavar="PATH", help="vvencapp, or its folder.")] = "",
    checkpoints: Annotated[str, Option(metavar="DIR", help="Of CompressAI's models.")] = "",
    jobs: options.Jobs = 1,
    executor: options.ExecutorChoice = Executor.LOCAL,
    address: options.Address = None,
    device: options.Device = "cpu",
    json: options.Json = False,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
) -> None:
    """Measure codecs on real files.

    The report has curves, BD-rates, speeds and a page with a slider.
    """
    values = dict(parse_values(text) for text in qualities or [])
    console = Console("bench", json, verbose, quiet)
    team = Team(jobs, executor, address)

    def work(job: Job, progress: Progress) -> Outcome:
        from ..bench.adapters.base import CodecOptions
        from ..bench.items import Kind
        from ..bench.session import Request, run_bench
        from ..bench.shown import View

        team.check()
        request = Request(
            dataset=dataset,
            output=output,
            suffixes=SUFFIXES,
            codecs=[spec.strip() for spec in codecs.split(",") if spec.strip()],
            metrics=metrics.split(",") if metrics else (),
            qualities=values,
            points=points,
            options=CodecOptions(device, vtm, vvenc, checkpoints),
            match_bpp=match,
            view=View(view.value),
            reference=reference,
            command=shlex.join(["linnet", *sys.argv[1:]]),
            kind=None if kind is None else Kind(kind.value),
            frames=frames,
        )
        told = _Told(console, progress)
        results, written = run_bench(request, lambda: team.hire(roles=2), told)
        return _outcome(results, written, told.failures)

    raise Exit(run_jobs(console, lambda: [Job(str(dataset), str(output))], work))


def _outcome(results: "Results", written: list[Path], failures: int) -> Outcome:
    """The figures of the first codec against all others; some failures make the run a partial one."""
    first = next((curve.label for curve in results.curves if curve.spec), "")
    deltas = [delta for delta in results.deltas if delta.test == first and not delta.item]
    measured = results.plan.medium.kind.counted(len(results.plan.items))
    lines = [f"BD-rate of {first} ({measured}):"] if deltas else []
    width = max((len(delta.anchor) for delta in deltas), default=0)
    names = {metric.key: metric.label for metric in results.plan.known_metrics}
    longest = max((len(name) for name in names.values()), default=0)
    for delta in deltas:
        change = delta.note if delta.rate_percent is None else f"{delta.rate_percent:+.1f} %"
        overlap = "" if delta.low is None else f"overlap {delta.low:.4g} to {delta.high:.4g}"
        lines.append(
            f"  against {delta.anchor:<{width}}  {names[delta.metric]:<{longest}}  {change:>8}  {overlap}"
        )
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
