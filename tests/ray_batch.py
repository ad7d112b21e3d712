"""`linnet encode` and `decode --executor ray` on a local Ray of two workers: `make ray-test`.

These are not among the tests that `make test` collects: Ray is an extra of its own, and slow to start.
"""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_process import Finished, linnet
from PIL import Image

from linnet.bitstream.limits import Limits
from linnet.codec.cli.decode import Tune, _Decoder
from linnet.codec.cli.errand import Answer, do_apart
from linnet.codec.cli.jobs import Job
from linnet.codec.cli.run import Outcome
from linnet.codec.cli.writing import Writing
from linnet.codec.workers.cluster import RayCrew
from linnet.codec.workers.tasks import Role, Task, TaskError, run_all
from linnet.models import image_codec

WRITING = Writing(force=False, skip_existing=False, dry_run=False, json=True)


@pytest.fixture(scope="module")
def crew() -> Iterator[RayCrew]:
    """A cluster of two processors, whose actors take one each."""
    crew = RayCrew(2, roles=1)
    yield crew
    crew.close()


def rows(done: Finished) -> list[dict[str, object]]:
    """The JSON lines without times."""
    return [{key: value for key, value in row.items() if key != "seconds"} for row in done.records]


def test_a_cluster_gives_the_files_and_lines_of_this_machine(tmp_path: Path, photo: Image.Image) -> None:
    (tmp_path / "in" / "below").mkdir(parents=True)
    for number, name in enumerate(("a.png", "below/b.jpg", "d.png")):
        photo.crop((100 + 40 * number, 50, 190 + 40 * number, 130)).save(tmp_path / "in" / name)
    (tmp_path / "in" / "c.png").write_bytes((tmp_path / "in" / "a.png").read_bytes()[:999])
    far = linnet("encode", "-r", "in", "-o", "lnt", "-j", "2", "--json", "--executor", "ray", cwd=tmp_path)
    (tmp_path / "lnt").rename(tmp_path / "far")
    near = linnet("encode", "-r", "in", "-o", "lnt", "--json", cwd=tmp_path)
    assert (far.code, far.err) == (near.code, near.err)
    assert (near.code, len(near.records), rows(far)) == (9, 5, rows(near))
    assert files(tmp_path / "far") == files(tmp_path / "lnt")
    assert len(files(tmp_path / "lnt")) == 3


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*")}


def test_decoding_joins_a_cluster_that_runs(crew: RayCrew, tmp_path: Path, photo: Image.Image) -> None:
    for name in ("a", "b"):
        photo.crop((100, 50, 190, 130)).save(tmp_path / f"{name}.png")
    assert linnet("encode", "a.png", "b.png", cwd=tmp_path).code == 0
    (tmp_path / "b.lnt").write_bytes((tmp_path / "a.lnt").read_bytes()[:-40])
    words = ("decode", "a.lnt", "b.lnt", "--format", "webp", "--json", "-o")
    far = linnet(*words, "far/", "--executor", "ray", "--address", "auto", cwd=tmp_path)
    near = linnet(*words, "near/", cwd=tmp_path)
    assert (far.code, far.err, len(far.records)) == (near.code, near.err, 3)
    assert near.code == 9
    assert files(tmp_path / "far") == files(tmp_path / "near")
    assert [row.get("error") for row in far.records] == [None, "TruncatedError", None]


def test_an_address_where_nobody_answers_costs_no_minutes(tmp_path: Path, photo_path: Path) -> None:
    words = ("-o", tmp_path / "a.lnt", "--executor", "ray", "--address", "127.0.0.1:1")
    done = linnet("encode", photo_path, *words)
    assert done.code == 1
    assert done.complaint.startswith("linnet: no Ray cluster answers at 127.0.0.1:1")


def test_an_actor_loads_a_model_once(crew: RayCrew, tmp_path: Path, photo: Image.Image) -> None:
    photo.crop((100, 50, 190, 130)).save(tmp_path / "a.png")
    assert linnet("encode", "a.png", cwd=tmp_path).code == 0
    coded = (tmp_path / "a.lnt").read_bytes()
    decoder = _Decoder(None, "png", "cpu", Limits(), WRITING, None, None, None, False, Tune.FIDELITY)
    for ticket in range(3):
        crew.submit(ticket, Task(Role.ENCODE, do_apart, (decoder, Job("a.lnt", "a.png"), coded)))
        _, answer = crew.next()
        assert isinstance(answer, Answer)
        assert isinstance(answer.result, Outcome)
    crew.submit(3, Task(Role.ENCODE, image_codec.load.cache_info, ()))
    _, info = crew.next()
    assert isinstance(info, tuple)
    assert info[1] == 1  # misses


def test_a_task_survives_its_actor(crew: RayCrew, tmp_path: Path) -> None:
    def die_once(mark: str) -> int:  # in here it travels as it is: actors cannot import this file
        if not Path(mark).exists():
            Path(mark).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return 7

    work = [(n, Task(Role.ENCODE, die_once, (str(tmp_path / f"{n}"),))) for n in range(3)]
    assert sorted(run_all(crew, work)) == [(0, 7), (1, 7), (2, 7)]


def test_what_an_actor_cannot_import_is_told(crew: RayCrew) -> None:
    crew.submit(1, Task(Role.ENCODE, rows, ()))
    _, failure = crew.next()
    assert isinstance(failure, TaskError)
    assert "No module named 'ray_batch'" in str(failure)
