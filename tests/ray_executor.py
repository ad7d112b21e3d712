"""`linnet bench --executor ray` on a local Ray of two workers: `make ray-test`.

These are not among the tests that `make test` collects: Ray is an extra of its own, and slow to start.
"""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench_samples import bench, results_of, small_dataset
from PIL import Image

from linnet.codec.bench.adapters import find_adapter
from linnet.codec.bench.adapters.base import CodecOptions
from linnet.codec.bench.cache import Cache
from linnet.codec.bench.items import Item
from linnet.codec.bench.pictures import open_pictures
from linnet.codec.bench.plan import Plan
from linnet.codec.bench.runner import Runner
from linnet.codec.workers.cluster import RayCrew
from linnet.codec.workers.tasks import Role, Task, TaskError, WorkerLostError


@pytest.fixture(scope="module")
def crew() -> Iterator[RayCrew]:
    crew = RayCrew(2)
    yield crew
    crew.close()


def test_a_dead_actor_is_replaced_and_failures_are_results(crew: RayCrew) -> None:
    crew.submit(1, Task(Role.ENCODE, os.getpid, ()))
    _, first = crew.next()
    crew.submit(2, Task(Role.ENCODE, int, ("no number",)))
    ticket, failure = crew.next()
    assert (ticket, type(failure)) == (2, TaskError)
    assert isinstance(first, int)
    crew.submit(3, Task(Role.ENCODE, signal.pause, ()))
    os.kill(first, signal.SIGKILL)
    ticket, loss = crew.next()
    assert (ticket, type(loss)) == (3, WorkerLostError)
    crew.submit(4, Task(Role.ENCODE, os.getpid, ()))
    crew.submit(5, Task(Role.DECODE, os.getpid, ()))
    processes = {crew.next()[1], crew.next()[1]}
    assert len(processes) == 2
    assert first not in processes


def test_a_point_survives_the_death_of_its_actor(crew: RayCrew, tmp_path: Path, photo: Image.Image) -> None:
    photo.crop((0, 0, 100, 100)).save(tmp_path / "a.png")
    ((_, picture),) = open_pictures([("a.png", tmp_path / "a.png")])
    assert isinstance(picture, Item)
    for role in Role:  # whichever actor is next, it is gone
        crew.submit(1, Task(role, os.getpid, ()))
        _, process = crew.next()
        assert isinstance(process, int)
        os.kill(process, signal.SIGKILL)
    options = CodecOptions()
    plan = Plan([picture], {"jpeg": find_adapter("jpeg", options)}, {"jpeg": (10, 50)}, ["psnr_db"], options)
    rows = Runner(plan, Cache(tmp_path / "cache"), crew, lambda done, total: None).run(lambda row: None)
    assert sorted((row.point.value, row.error) for row in rows) == [(10, ""), (50, "")]


def test_a_cluster_gives_the_results_of_this_machine(tmp_path: Path, photo: Image.Image) -> None:
    dataset = small_dataset(tmp_path / "set", photo)
    words = ("--codecs", "linnet:fast,webp", "--points", "2", "--metrics", "psnr", "--view", "none")
    local = bench(dataset, tmp_path / "local", *words)
    ray = bench(dataset, tmp_path / "ray", *words, "--executor", "ray", "-j", "2")
    assert (local.code, ray.code) == (0, 0)

    def figures(report: str) -> list[tuple[object, ...]]:
        rows = results_of(tmp_path / report)["rows"]
        return sorted((r["file"], r["codec"], r["value"], r["bytes"], r["metrics"]["psnr_db"]) for r in rows)

    assert len(figures("local")) == 8
    assert figures("ray") == figures("local")
