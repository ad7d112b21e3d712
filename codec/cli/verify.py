"""`linnet verify`: is a file whole, and does this machine decode it in step?"""

from dataclasses import dataclass
from typing import Annotated

from typer import Exit, Option

from ...bitstream.limits import Limits
from ..progress import Progress
from . import options
from .console import Console
from .jobs import Job, check_readable, read_only_jobs
from .run import Outcome, run_jobs
from .team import Team
from .writing import limits_of, open_source


@dataclass(frozen=True, slots=True)
class _Verifier:
    full: bool
    device: str
    limits: Limits

    def __call__(self, job: Job, progress: Progress) -> Outcome:
        check_readable(job.source)
        from ..verify import verify

        report = verify(open_source(job.source), full=self.full, device=self.device, limits=self.limits)
        fields = {"ok": True, "full": self.full, "tiles": report.tiles, "parts": report.parts}
        return Outcome(fields, f"{job.source}: ok", answer=True)


def verify(
    files: options.Files,
    full: Annotated[
        bool, Option("--full", help="Decode all symbols too and compare their hashes; needs the model.")
    ] = False,
    device: options.Device = "auto",
    jobs: options.Jobs = 1,
    size_limit: options.SizeLimit = None,
    json: options.Json = False,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
) -> None:
    """Check files for damage; the exit code is 5 if there is any."""
    console = Console("verify", json, verbose, quiet, takes_size_limit=True)
    work = _Verifier(full, device, limits_of(size_limit))
    raise Exit(run_jobs(console, lambda: read_only_jobs(files), work, Team(jobs)))
