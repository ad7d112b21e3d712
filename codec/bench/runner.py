"""The run of a benchmark: every item, codec and value once, in parallel, or from the cache."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from ..progress import Progress
from ..workers.tasks import ATTEMPTS, Crew, Role, Task, WorkerLostError
from .cache import Cache, Entry
from .matching import next_value
from .plan import Plan, Point, Row
from .work import CodecCall, Decoded, Encoded

MATCHING_TRIES = 4


Report: TypeAlias = Callable[[Row], None]


@dataclass(slots=True)
class _Chain:
    """A point under way: encoded first, then decoded. entry: what is known, None before it is encoded."""

    point: Point
    key: str
    entry: Entry | None = None
    attempts: int = 0


class Runner:
    """Runs a plan. Rows come in the order in which points are finished."""

    def __init__(self, plan: Plan, cache: Cache, crew: Crew, progress: Progress) -> None:
        self._plan, self._cache, self._crew, self._progress = plan, cache, crew, progress
        self._todo: deque[_Chain] = deque()
        self._running: dict[int, _Chain] = {}
        self._places: dict[tuple[str, str], _Place] = {}  # by item and codec
        self._rows: list[Row] = []
        self._tickets = self._worked = 0

    def run(self, report: Report) -> list[Row]:
        """Measure what the cache does not know, and report every row as it comes.

        Raises:
            WorkerLostError: workers die before the first of them has finished a point.
            KeyboardInterrupt: what was finished is in the cache.
        """
        points = self._plan.points()
        for point in points:
            self._place(point).missing += 1
        for point in points:
            self._take(point, report)
        while self._todo or self._running:
            self._progress(self._worked, self._worked + len(self._todo) + len(self._running))
            while self._todo and len(self._running) < self._crew.size:
                self._start(self._todo.popleft())
            ticket, result = self._crew.next()
            self._continue(self._running.pop(ticket), result, report)
        return self._rows

    def _place(self, point: Point) -> "_Place":
        return self._places.setdefault((point.item.name, point.codec), _Place())

    def _take(self, point: Point, report: Report) -> None:
        """Finish a point from the cache, or put it in the queue."""
        adapter = self._plan.adapters[point.codec]
        chain = _Chain(point, self._cache.key(point.item.sha256, point.codec, adapter, point.value))
        chain.entry = self._cache.read(chain.key)
        if chain.entry is not None and set(self._plan.metrics) <= set(chain.entry.metrics):
            self._finish(chain, report)
        elif point.matched:
            self._todo.appendleft(chain)
        else:
            self._todo.append(chain)

    def _start(self, chain: _Chain) -> None:
        """Give the stage that is missing to the crew."""
        point, call = chain.point, CodecCall(chain.point.codec, self._plan.options)
        source, medium = point.item.path.read_bytes(), self._plan.medium
        if chain.entry is None:
            task = Task(Role.ENCODE, medium.encode, (call, point.value, source))
        else:
            coded = self._cache.coded(chain.key)
            task = Task(Role.DECODE, medium.decode, (call, coded, source, tuple(self._plan.metrics)))
        chain.attempts += 1
        self._tickets += 1
        self._running[self._tickets] = chain
        self._crew.submit(self._tickets, task)

    def _continue(self, chain: _Chain, result: object, report: Report) -> None:
        """Take a result; the same worker-place goes on with the next stage of the point."""
        if isinstance(result, Encoded):
            chain.entry, chain.attempts = Entry(result.seconds, None, {}), 0
            self._cache.write(chain.key, chain.entry, result.data)
            self._start(chain)
        elif isinstance(result, Decoded) and chain.entry is not None:
            metrics = {**chain.entry.metrics, **result.metrics}
            series = {**chain.entry.series, **result.series}
            chain.entry = replace(chain.entry, decode_s=result.seconds, metrics=metrics, series=series)
            self._cache.write(chain.key, chain.entry)
            self._worked += 1
            self._finish(chain, report)
        elif isinstance(result, WorkerLostError) and chain.attempts < ATTEMPTS:
            self._start(chain)
        else:
            if isinstance(result, WorkerLostError) and not self._worked:
                raise result  # none has ever come far: something is wrong with all of them
            self._worked += 1
            self._end(Row(chain.point, chain.key, error=str(result)), report)

    def _finish(self, chain: _Chain, report: Report) -> None:
        point, entry = chain.point, chain.entry
        assert entry is not None
        size = len(self._cache.coded(chain.key))
        bpp = size * 8 / point.item.pixels
        metrics = {key: entry.metrics[key] for key in self._plan.metrics}
        self._place(point).sizes[point.value] = size
        times = (entry.encode_s, entry.decode_s or 0.0)
        self._end(Row(point, chain.key, size, bpp, metrics, *times, series=entry.series), report)

    def _end(self, row: Row, report: Report) -> None:
        self._rows.append(row)
        report(row)
        place = self._place(row.point)
        if row.point.matched:
            place.tries += 1
        else:
            place.missing -= 1
        if self._plan.match_bpp and not place.missing and place.sizes and place.tries < MATCHING_TRIES:
            self._match(row.point, place, self._plan.match_bpp, report)

    def _match(self, point: Point, place: "_Place", bpp: float, report: Report) -> None:
        """Once the curve is there, bring a file nearer to the size that is compared by eye."""
        target = round(bpp * point.item.pixels / 8)
        value = next_value(place.sizes, target, self._plan.adapters[point.codec].knob)
        if value is not None:
            self._take(Point(point.item, point.codec, value, matched=True), report)


@dataclass(slots=True)
class _Place:
    """An item and a codec: bytes at each value so far, points of the curve to come, tries to match."""

    sizes: dict[float, int] = field(default_factory=dict)
    missing: int = 0
    tries: int = 0
