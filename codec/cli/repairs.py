"""What the command line says of damage that the shares of a resilient file made good."""

from collections.abc import Sequence

from ...bitstream.errors import LinnetError
from .console import JsonValue
from .exits import describe
from .jobs import Job


def repair_lines(job: Job, fields: dict[str, JsonValue], repairs: Sequence[LinnetError]) -> list[str]:
    """Lines about each damage and a warning, nothing without any; adds them to the fields for JSON."""
    fields["repaired"] = [describe(error) for error in repairs]
    if not repairs:
        return []
    told = [f"{job.source}: {describe(error)}" for error in repairs]
    return [*told, f"linnet: warning: {job.source}: damaged, and made good from its other shares"]
