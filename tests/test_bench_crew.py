"""Workers: two kinds of processes, lost ones are noticed, points survive them."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from linnet.codec.bench.adapters import find_adapter
from linnet.codec.bench.adapters.base import CodecOptions
from linnet.codec.bench.cache import Cache
from linnet.codec.bench.items import Item
from linnet.codec.bench.pictures import open_pictures
from linnet.codec.bench.plan import Plan
from linnet.codec.bench.runner import Runner
from linnet.codec.workers.crew import LocalCrew
from linnet.codec.workers.tasks import Role, Task, TaskError, WorkerLostError


@pytest.fixture
def crew() -> Iterator[LocalCrew]:
    crew = LocalCrew(1)
    yield crew
    crew.close()


class DeadlyCrew(LocalCrew):
    """Its first worker is killed as soon as it has work."""

    killed = False

    def submit(self, ticket: int, task: Task) -> None:
        super().submit(ticket, task)
        if not self.killed:
            self.killed = True
            (worker,) = self._workers[task.role]
            os.kill(worker.process.pid or 0, signal.SIGKILL)


@pytest.fixture
def picture(tmp_path: Path, photo: Image.Image) -> Item:
    path = tmp_path / "a.png"
    photo.crop((0, 0, 100, 100)).save(path)
    ((_, found),) = open_pictures([("a.png", path)])
    assert isinstance(found, Item)
    return found


def test_decoders_are_other_processes_than_encoders(crew: LocalCrew) -> None:
    processes = []
    for role in (Role.ENCODE, Role.DECODE, Role.ENCODE):
        crew.submit(len(processes), Task(role, os.getpid, ()))
        ticket, process = crew.next()
        assert ticket == len(processes)
        processes.append(process)
    assert processes[0] == processes[2] != processes[1]
    assert os.getpid() not in processes


def test_failures_and_deaths_are_results_and_the_crew_goes_on(crew: LocalCrew) -> None:
    crew.submit(1, Task(Role.ENCODE, int, ("no number",)))
    ticket, failure = crew.next()
    assert (ticket, type(failure)) == (1, TaskError)
    assert str(failure).startswith("ValueError: invalid literal")
    crew.submit(2, Task(Role.ENCODE, os._exit, (3,)))
    ticket, loss = crew.next()
    assert (ticket, type(loss), str(loss)) == (2, WorkerLostError, "the worker died (exit code 3)")
    crew.submit(3, Task(Role.ENCODE, abs, (-1,)))
    assert crew.next() == (3, 1)


def plan_of(picture: Item) -> Plan:
    options = CodecOptions()
    return Plan([picture], {"jpeg": find_adapter("jpeg", options)}, {"jpeg": (10, 50)}, ["psnr_db"], options)


def test_a_point_survives_the_death_of_its_worker(picture: Item, tmp_path: Path) -> None:
    crew = DeadlyCrew(1)
    try:
        rows = Runner(plan_of(picture), Cache(tmp_path / "cache"), crew, lambda done, total: None).run(
            lambda row: None
        )
    finally:
        crew.close()
    assert crew.killed
    assert [(row.point.value, row.error) for row in rows] == [(10, ""), (50, "")]


def test_known_points_need_no_worker_and_new_metrics_no_encoder(
    picture: Item, tmp_path: Path, crew: LocalCrew
) -> None:
    plan, cache = plan_of(picture), Cache(tmp_path / "cache")
    first = Runner(plan, cache, crew, lambda done, total: None).run(lambda row: None)
    crew.close()
    assert Runner(plan, cache, LocalCrew(0), lambda done, total: None).run(lambda row: None) == first
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes())
    next((tmp_path / "cache").rglob("*.coded")).unlink()  # lost: made again
    again = Runner(plan, cache, crew, lambda done, total: None).run(lambda row: None)
    assert sorted(row.bytes for row in again) == sorted(row.bytes for row in first)
    crew.close()
    first = Runner(plan, cache, LocalCrew(0), lambda done, total: None).run(lambda row: None)
    more = Plan(plan.items, plan.adapters, plan.values, ["psnr_db", "psnr_y_db"], plan.options)
    second = Runner(more, cache, crew, lambda done, total: None).run(lambda row: None)
    assert not crew._workers[Role.ENCODE]
    assert [row.encode_s for row in second] == [row.encode_s for row in first]
    assert all(row.metrics["psnr_y_db"] for row in second)
