"""A whole benchmark: from what was asked for to the files of the report."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from ...models import zoo
from ..errors import NotInstalledError, UnreadableImageError
from ..video.kind import SUFFIXES as CLIP_SUFFIXES
from ..workers.tasks import Crew
from .adapters.base import Adapter, CodecOptions
from .cache import Cache
from .curves import is_kodak, item_curves, measured_curves, published_curves
from .deltas import all_deltas, deltas_of_items
from .items import Dataset, Item, Kind, find_dataset
from .media import MEDIA, Medium
from .metrics import find_metrics
from .plan import Plan, Row
from .report import write_results
from .results import Results
from .runner import Runner
from .shown import View
from .views import NOTES, page_pictures


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asks for.

    suffixes: of pictures in folders. kind: what to take of a folder that holds pictures and clips. codecs:
    specs, empty for all that are installed and take no minutes a file. metrics: names, empty for the usual.
    qualities: values of the knobs by spec, "" for all that have a quality. points: how many of a codec's own
    values, None for all. match_bpp: None for the usual one. frames: at most so many of each clip.
    """

    dataset: Path
    output: Path
    suffixes: frozenset[str]
    codecs: Sequence[str]
    metrics: Sequence[str]
    qualities: Mapping[str, tuple[float, ...]]
    points: int | None
    options: CodecOptions
    match_bpp: float | None
    view: View
    reference: Path | None
    command: str
    kind: Kind | None = None
    frames: int | None = None


class Listener(Protocol):
    """Who is told while the run goes on."""

    def failed(self, what: str, error: BaseException) -> None:
        """A file, a codec or a metric is left out."""
        ...

    def row(self, row: Row, adapter: Adapter) -> None:
        """A point is finished, or failed."""
        ...

    def progress(self, done: int, total: int, /) -> None:
        """Points done, of those that the cache did not have."""
        ...


def run_bench(request: Request, hire: Callable[[], Crew], listener: Listener) -> tuple[Results, list[Path]]:
    """Measure, and write the report.

    Args:
        hire: starts the workers.
    Returns:
        what was found, and the files written.
    Raises:
        ValueError: a name or value that does not exist; UnreadableImageError: no picture at all.
        NotInstalledError: the extra "bench" is missing, or every codec.
        KeyboardInterrupt: what was finished is kept in the folder `cache`.
    """
    _check_extra()
    suffixes = {Kind.PICTURES: request.suffixes, Kind.CLIPS: CLIP_SUFFIXES}
    dataset = find_dataset(request.dataset, suffixes, request.kind, request.output)
    medium = MEDIA[dataset.kind]
    request.output.mkdir(parents=True, exist_ok=True)
    adapters, missing = _adapters(request, medium, listener)
    values = choose_values(request, adapters)
    metrics = _metrics(request, medium, listener)
    items, unreadable = _items(request, dataset, listener)
    match_bpp = None if request.view is View.NONE else request.match_bpp or medium.match_bpp
    plan = Plan(items, adapters, values, metrics, request.options, match_bpp, medium)
    cache = Cache(request.output / "cache")
    with closing(hire()) as crew:
        rows = Runner(plan, cache, crew, listener.progress).run(lambda row: _tell(listener, row, adapters))
        shown = page_pictures(plan, rows, cache, crew, request.view) if match_bpp else []
    results = _results(request, plan, rows, unreadable, missing)
    return results, write_results(results, shown, NOTES[request.view], request.output)


def _results(
    request: Request, plan: Plan, rows: list[Row], unreadable: dict[str, str], missing: dict[str, str]
) -> Results:
    """Curves and BD figures of the rows: of each file where the medium tells them apart."""
    curves = measured_curves(rows, plan.adapters)
    if request.reference or is_kodak(plan.items):
        published = published_curves(request.reference)
        ours = "vtm" in plan.adapters
        curves += [curve for curve in published if not (ours and curve.label.startswith("VTM"))]
    each = item_curves(rows, plan.adapters) if plan.medium.each else {}
    deltas = deltas_of_items(each, plan.known_metrics) if each else all_deltas(curves, plan.known_metrics)
    name = request.dataset.resolve().name
    return Results(name, request.command, plan, rows, curves, deltas, unreadable, missing, each)


def _check_extra() -> None:
    """Before hours of work, not after them."""
    for package in ("matplotlib", "bjontegaard"):
        if find_spec(package) is None:
            raise NotInstalledError(f"bench needs {package}: pip install 'linnet[bench]'")


def _adapters(
    request: Request, medium: Medium, listener: Listener
) -> tuple[dict[str, Adapter], dict[str, str]]:
    """The codecs that are here, and why others are not."""
    ours = (f"linnet:{name}" for name in sorted({s.name for s in zoo.SPECS if s.kind == "image"}))
    specs = request.codecs or [*ours, *medium.codecs]
    adapters, missing = dict[str, Adapter](), dict[str, str]()
    for spec in dict.fromkeys(specs):
        try:
            adapters[spec] = medium.find_adapter(spec, request.options)
        except NotInstalledError as error:
            if request.codecs:
                missing[spec] = str(error)
                listener.failed(spec, error)
    if not adapters:
        raise NotInstalledError("none of these codecs is installed")
    return adapters, missing


def choose_values(request: Request, adapters: Mapping[str, Adapter]) -> dict[str, tuple[float, ...]]:
    """The values of each codec's knob.

    Raises:
        ValueError: values for a codec that is not asked for, or without any codec that has a quality.
    """
    asked = request.qualities
    unknown = [spec for spec in asked if spec and spec not in adapters and spec not in request.codecs]
    if unknown:
        raise ValueError(f"--qualities for '{unknown[0]}', which is none of the codecs")
    if "" in asked and not any(adapter.knob.name == "quality" for adapter in adapters.values()):
        raise ValueError("--qualities without a codec's name is for codecs with a quality; write CODEC=LIST")
    chosen = {}
    for spec, adapter in adapters.items():
        general = asked.get("") if adapter.knob.name == "quality" else None
        chosen[spec] = asked.get(spec) or general or _thinned(adapter.knob.grid, request.points)
    return chosen


def _thinned(grid: tuple[float, ...], points: int | None) -> tuple[float, ...]:
    """So many values of a grid, evenly, with both ends."""
    if points is None or points >= len(grid):
        return grid
    last = len(grid) - 1
    return tuple(grid[round(index * last / max(points - 1, 1))] for index in range(points))


def _metrics(request: Request, medium: Medium, listener: Listener) -> list[str]:
    """The keys of those that work here."""
    found = []
    for metric in find_metrics(request.metrics or medium.default_metrics, medium.metrics):
        try:
            medium.check_metric(metric.key)
        except ImportError as error:
            listener.failed(metric.key, error)
        else:
            found.append(metric.key)
    if not found:
        raise NotInstalledError("none of these metrics is installed")
    return found


def _items(request: Request, dataset: Dataset, listener: Listener) -> tuple[list[Item], dict[str, str]]:
    """The files that can be read, and why others cannot."""
    items, unreadable = list[Item](), dict[str, str]()
    folder = request.output / "cache" / "sources"
    for name, found in MEDIA[dataset.kind].open(dataset.files, folder, request.frames):
        if isinstance(found, Item):
            items.append(found)
        else:
            unreadable[name] = " ".join(str(found).split())
            listener.failed(name, found)
    if not items:
        kind = dataset.kind.value.removesuffix("s")
        raise UnreadableImageError(f"{request.dataset}: none of the files can be read as a {kind}")
    return items, unreadable


def _tell(listener: Listener, row: Row, adapters: Mapping[str, Adapter]) -> None:
    listener.row(row, adapters[row.point.codec])
