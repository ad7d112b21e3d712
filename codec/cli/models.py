"""`linnet models`: which models there are, whether their weights are the right ones, and adding more."""

from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated

from typer import Argument, Exit, Option, Typer

from ...models import zoo
from ..progress import Progress
from . import options
from .console import Console, JsonValue
from .exits import ExitCode, UsageError
from .jobs import Job, check_readable
from .run import Outcome, run_jobs
from .shelf import read_card, weights_state

models_app = Typer(no_args_is_help=True, help="The models: list, show, verify, import, add.")
_SOURCE = "compressai:"


class Metric(str, Enum):
    """What a model was trained for."""

    MSE = "mse"
    MS_SSIM = "ms-ssim"


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
    return Outcome(fields, f"{spec.name:<23} id {spec.wire_id:<5} {spec.kind:<11} {shown}", answer=True)


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
    raise _run("list", [spec.name for spec in zoo.all_specs()], _list_one, json)


@models_app.command("show")
def show_model(
    name: Annotated[str, Argument(help="As linnet models list gives it.")], json: options.Json = False
) -> None:
    """Show a model's card: how it was trained and measured."""
    raise _run("show", [name], _show_one, json)


@models_app.command("verify")
def verify_models(
    names: Annotated[
        list[str] | None, Argument(metavar="NAME", help="As linnet models list gives them; else all.")
    ] = None,
    json: options.Json = False,
) -> None:
    """Compare the weights files with their checksums: this release's, and those of imported models."""
    raise _run("verify", names or [spec.name for spec in zoo.all_specs()], _verify_one, json)


@models_app.command("add")
def add_model(
    file: Annotated[str, Argument(metavar="FILE", help="A model file, as linnet train --export writes it.")],
    name: Annotated[str | None, Option(help="To call it by; else the file's name.")] = None,
    force: Annotated[bool, Option("-f", "--force", help="Replace a model of this name.")] = False,
    json: options.Json = False,
    verbose: options.Verbose = False,
) -> None:
    """Add a model that you trained: then linnet encode -m NAME, or --inter-model NAME for inter frames.

    Its files need it to be decoded too.
    """

    def work(job: Job, progress: Progress) -> Outcome:
        check_readable(job.source)

        from ...models.adding import add_model as add

        spec = add(Path(job.source), name, force)
        fields = {"model": spec.name, "wire_id": spec.wire_id, "file": str(spec.path)}
        option = "--inter-model" if spec.kind == "inter" else "-m"
        return Outcome(fields, f"{spec.path}: use it with {option} {spec.name}")

    raise Exit(run_jobs(Console("models add", json, verbose), lambda: [Job(file)], work))


@models_app.command("import")
def import_model(
    source: Annotated[
        str, Argument(metavar="SOURCE", help="compressai:mbt2018-mean or compressai:bmshj2018-hyperprior.")
    ],
    quality: Annotated[int, Option("-q", "--quality", min=1, max=8, help="Which one: 1 smallest, 8 best.")],
    metric: Annotated[Metric, Option(help="What it was trained for.")] = Metric.MSE,
    checkpoint: Annotated[
        str | None, Option(metavar="FILE", help="A checkpoint on disk, in place of a download.")
    ] = None,
    name: Annotated[str | None, Option(help="To call it by; else after its source.")] = None,
    force: Annotated[bool, Option("-f", "--force", help="Replace a model of this name.")] = False,
    json: options.Json = False,
    verbose: options.Verbose = False,
) -> None:
    """Make a model of a trained CompressAI model: then linnet encode -m NAME.

    Its files need it to be decoded too. Imported again anywhere, the same checkpoint gives the same model.
    """

    def work(job: Job, progress: Progress) -> Outcome:
        if not source.startswith(_SOURCE):
            raise UsageError(f"{source} is no source: name {_SOURCE} and an architecture")
        if checkpoint is not None:
            check_readable(checkpoint)

        from ...models.importing.compressai import import_compressai

        made = import_compressai(
            source.removeprefix(_SOURCE),
            quality,
            metric=metric.value,
            checkpoint=checkpoint,
            name=name,
            overwrite=force,
        )
        fields = {"model": made.spec.name, "wire_id": made.spec.wire_id, "file": str(made.path)}
        return Outcome(fields, f"{made.path}: use it with -m {made.spec.name}")

    raise Exit(run_jobs(Console("models import", json, verbose), lambda: [Job(source)], work))
