"""`linnet models`: which models this installation has, and whether their weights are the right ones."""

from collections.abc import Callable, Mapping
from typing import Annotated

from typer import Argument, Exit, Typer

from ...models import zoo
from . import options
from .console import Console, JsonValue, Progress
from .exits import ExitCode
from .jobs import Job
from .run import Outcome, run_jobs
from .shelf import read_card, weights_state

models_app = Typer(no_args_is_help=True, help="The models of this installation: list, show, verify.")


def _shown(value: JsonValue) -> str:
    """A field of a card in words: nested ones as a list."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_shown(inner)}" for name, inner in value.items())
    return str(value)


def _list_one(job: Job, progress: Progress) -> Outcome:
    spec = zoo.find(job.source)
    size = spec.path.stat().st_size if spec.path.is_file() else None
    fields = {"model": spec.name, "wire_id": spec.wire_id, "kind": spec.kind, "weights_bytes": size}
    shown = "weights missing" if size is None else f"{size / 1e6:.1f} MB"
    return Outcome(fields, f"{spec.name:<12}id {spec.wire_id:<4}{spec.kind:<8}{shown}", answer=True)


def _show_one(job: Job, progress: Progress) -> Outcome:
    spec = zoo.find(job.source)
    fields = {"model": spec.name, "wire_id": spec.wire_id, "kind": spec.kind, "sha256": spec.sha256}
    fields["file"] = str(spec.path)
    card = read_card(spec.path)
    rows = {**fields, **card}
    width = max(map(len, rows)) + 2
    text = "\n".join(f"{name:<{width}}{_shown(value)}" for name, value in rows.items())
    return Outcome({**fields, "card": card}, text, answer=True)


def _verify_one(job: Job, progress: Progress) -> Outcome:
    spec = zoo.find(job.source)
    state = weights_state(spec)
    codes = {"ok": ExitCode.OK, "missing": ExitCode.UNSUPPORTED}
    failure = codes.get(state, ExitCode.CORRUPT)
    fields = {"model": spec.name, "file": str(spec.path), "ok": not failure, "state": state}
    return Outcome(fields, f"{spec.name}: {state}", answer=True, failure=failure)


def _run(verb: str, names: list[str], work: Callable[[Job, Progress], Outcome], json: bool) -> Exit:
    return Exit(run_jobs(Console(f"models {verb}", json), lambda: [Job(name) for name in names], work))


@models_app.command("list")
def list_models(json: options.Json = False) -> None:
    """List the models."""
    raise _run("list", [spec.name for spec in zoo.SPECS], _list_one, json)


@models_app.command("show")
def show_model(
    name: Annotated[str, Argument(help="As linnet models list gives it.")], json: options.Json = False
) -> None:
    """Show a model's card: how it was trained and measured."""
    raise _run("show", [name], _show_one, json)


@models_app.command("verify")
def verify_models(json: options.Json = False) -> None:
    """Compare the weights files with the checksums that this Linnet was released with."""
    raise _run("verify", [spec.name for spec in zoo.SPECS], _verify_one, json)
