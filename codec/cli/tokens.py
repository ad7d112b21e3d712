"""`linnet tokens`: pictures and .lnt files in, one file of codebook indices out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Exit, Option

from ...bitstream.limits import Limits
from ..progress import Progress
from . import options
from .console import Console, JsonValue
from .encode import SUFFIXES
from .exits import ExitCode, UsageError, exit_code
from .jobs import PIPE, Job, Placement, check_not_same_file, check_readable
from .repairs import repair_lines
from .run import Outcome, run_jobs
from .writing import check_replaceable, limits_of, open_source

if TYPE_CHECKING:
    from ..tokens.tokens import Tokens


@dataclass(frozen=True)
class _Collector:
    """Tokens of one input after the other; the last job, which has the output, writes them all."""

    output: str
    model: str
    stages: int | None
    device: str
    limits: Limits
    force: bool
    names: dict[str, str] = field(default_factory=dict)  # of the pictures in the file, by input
    found: "list[Tokens]" = field(default_factory=list)
    failures: list[ExitCode] = field(default_factory=list)

    def plan(self, inputs: Sequence[str], recursive: bool) -> list[Job]:
        """A job for each input and one for the output.

        Raises:
            UsageError, UnreadableInputError, FileExistsError.
        """
        if self.output == PIPE:
            raise UsageError("tokens are written to a file: give -o one that ends in .npz or .safetensors")
        check_replaceable(self.output, self.force)
        from ..tokens.files import check_suffix

        check_suffix(self.output)
        placement = Placement(None, "", recursive, SUFFIXES | {".lnt"})
        pairs = [pair for name in inputs for pair in placement.inputs(name)]
        unique = len({inside for _, inside in pairs}) == len(pairs)
        for source, inside in pairs:
            check_not_same_file(source, self.output)
            if source in self.names:
                raise UsageError(f"{source} is named twice")
            self.names[source] = inside if unique else source
        return [*(Job(source) for source, _ in pairs), Job("", self.output)]

    def __call__(self, job: Job, progress: Progress) -> Outcome:
        if job.dest:
            return self._write(job)
        try:
            return self._read(job)
        except Exception as error:
            self.failures.append(exit_code(error))
            raise

    def _read(self, job: Job) -> Outcome:
        check_readable(job.source, advice=" (-r takes the files in it)")
        from ..tokens.tokenise import tokenize

        made = tokenize(
            open_source(job.source),
            model=self.model,
            stages=self.stages,
            device=self.device,
            limits=self.limits,
            name=self.names[job.source],
        )
        self.found.append(made)
        width, height, stages = made.width, made.height, len(made.stages)
        fields: dict[str, JsonValue] = {
            "width": width,
            "height": height,
            "stages": stages,
            "tokens": made.count,
        }
        line = f"{job.source}  {width}x{height}  {stages} stages  {made.count} tokens"
        return Outcome(fields, "\n".join([line, *repair_lines(job, fields, made.repairs)]))

    def _write(self, job: Job) -> Outcome:
        from ..tokens.files import save_tokens

        if not self.found:
            text = f"{job.dest}: not written, since nothing could be read"
            return Outcome({"pictures": 0}, text, gathered=True, failure=self.failures[0])
        size = save_tokens(self.found, job.dest, overwrite=self.force)
        count = sum(each.count for each in self.found)
        fields = {"pictures": len(self.found), "tokens": count, "bytes": size}
        line = f"{job.dest}  {len(self.found)} pictures  {count} tokens  {size} bytes"
        return Outcome(fields, line, gathered=True)


def tokens(
    inputs: Annotated[
        list[str], Argument(metavar="IN...", help="Pictures, .lnt files of vq, folders (-r), - for a pipe.")
    ],
    output: Annotated[str, Option("-o", "--output", metavar="OUT", help="A .npz or .safetensors file.")],
    stages: Annotated[
        int | None, Option("--stages", min=1, help="Of each picture; all that there are unless given.")
    ] = None,
    model: Annotated[str, Option("-m", "--model", help="Of pictures; .lnt files name their own.")] = "vq",
    recursive: options.Recursive = False,
    device: options.Device = "auto",
    force: options.Force = False,
    size_limit: options.SizeLimit = None,
    json: options.Json = False,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
) -> None:
    """Turn pictures into the integers of vq.

    These are grids of indices, stage by stage, to train on.
    """
    console = Console("tokens", json, verbose, quiet, takes_size_limit=True)
    collector = _Collector(output, model, stages, device, limits_of(size_limit), force)
    raise Exit(run_jobs(console, lambda: collector.plan(inputs, recursive), collector))
