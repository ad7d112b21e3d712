"""Files for several processes: lines, errors and exit codes as one by one, whatever happens to a process."""

import inspect
import io
import os
import pickle
import re
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_process import linnet
from PIL import Image, UnidentifiedImageError

import linnet as package
from linnet.bitstream import errors as format_errors
from linnet.bitstream.errors import CorruptFileError, LinnetError
from linnet.codec import errors as codec_errors
from linnet.codec.cli import exits
from linnet.codec.cli.delegation import Delegation
from linnet.codec.cli.errand import do_apart, do_here, portable
from linnet.codec.cli.exits import ExitCode, describe, exit_code
from linnet.codec.cli.jobs import PIPE, Job
from linnet.codec.cli.run import Outcome, Result
from linnet.codec.cli.team import SPINS, Team, threads_each
from linnet.codec.cli.writing import Writing
from linnet.codec.workers.tasks import WorkerLostError

ERRORS = [
    kind
    for module in (format_errors, codec_errors, exits)
    for _, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, Exception)
]
KEEP = Writing(force=False, skip_existing=True, dry_run=False, json=False)


def copy_file(job: Job, progress: Callable[[int, int], None]) -> Outcome:
    """The work of these tests: what it does is in the file."""
    data = sys.stdin.buffer.read() if job.source == PIPE else Path(job.source).read_bytes()
    if data.startswith(b"corrupt"):
        raise CorruptFileError(f"'{job.source}' is damaged", chunk="tile", offset=7)
    if data.startswith(b"deadly") or (data.startswith(b"once") and not Path(f"{job.source}.seen").exists()):
        Path(f"{job.source}.seen").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if data.startswith(b"odd"):
        warnings.warn(f"'{job.source}' is odd", codec_errors.MediaWarning, stacklevel=1)
    if job.dest != PIPE:
        Path(job.dest).write_bytes(data)
    return Outcome({"process": os.getpid(), "damage": [f"{job.source}: none"]}, job.label)


def jobs_of(folder: Path, *contents: str) -> list[Job]:
    jobs = [Job(str(folder / f"{n}.in"), str(folder / f"{n}.out")) for n in range(len(contents))]
    for job, content in zip(jobs, contents, strict=True):
        Path(job.source).write_text(content)
    return jobs


def run(jobs: list[Job]) -> list[Result]:
    found = list(Delegation(jobs, copy_file, Team(2), KEEP).results())
    assert [job for job, _ in found] == jobs
    return [result for _, result in found]


def test_results_come_in_order_and_errors_as_they_were_raised(tmp_path: Path) -> None:
    jobs = jobs_of(tmp_path, "a", "corrupt", "odd", "there already", "b")
    Path(jobs[3].dest).write_text("precious")
    with pytest.warns(codec_errors.MediaWarning, match=r"2\.in' is odd"):
        first, broken, odd, skipped, last = run([*jobs])
    assert isinstance(broken, CorruptFileError)
    assert (exit_code(broken), broken.chunk, broken.offset) == (ExitCode.CORRUPT, "tile", 7)
    assert "in copy_file" in str(broken.__cause__)
    assert isinstance(skipped, Outcome)
    assert skipped.skipped
    assert Path(jobs[3].dest).read_text() == "precious"
    done = [each.fields["process"] for each in (first, odd, last) if isinstance(each, Outcome)]
    assert len(done) == 3
    assert os.getpid() not in done


def test_a_lost_worker_costs_a_second_try_and_a_second_one_its_file(tmp_path: Path) -> None:
    once, deadly, good = run(jobs_of(tmp_path, "once", "deadly", "good"))
    assert isinstance(once, Outcome)
    assert isinstance(good, Outcome)
    assert isinstance(deadly, WorkerLostError)
    assert describe(deadly) == "the worker died (signal 9; out of memory?)"
    assert (tmp_path / "0.out").read_text() == "once"


def test_pipes_are_read_by_the_process_that_has_them(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(["cp", "/dev/stdin", tmp_path / "pipe"], stdin=subprocess.PIPE) as writer:
        assert writer.stdin is not None
        writer.stdin.write(b"from a pipe")
        writer.stdin.close()
        piped, other = run([Job(str(tmp_path / "pipe"), str(tmp_path / "p.out")), *jobs_of(tmp_path, "a")])
    assert isinstance(piped, Outcome)
    assert isinstance(other, Outcome)
    assert piped.fields["process"] == os.getpid() != other.fields["process"]
    assert (tmp_path / "p.out").read_text() == "from a pipe"


@pytest.mark.parametrize("content", ["good", "odd", "corrupt"])
def test_a_worker_far_away_names_files_as_the_user_does(content: str, tmp_path: Path) -> None:
    (job,) = jobs_of(tmp_path, content)
    near = do_here(copy_file, job)
    made = Path(job.dest).read_bytes() if Path(job.dest).exists() else None
    far = do_apart(copy_file, job, Path(job.source).read_bytes())
    assert far.output == made
    assert far.warnings == near.warnings
    if isinstance(near.result, Exception):
        assert isinstance(far.result, LinnetError)
        assert describe(far.result) == describe(near.result)
        assert far.result.message == f"'{job.source}' is damaged"
    else:
        assert far.result == near.result


def test_errors_of_the_disk_name_the_user_s_file_too(tmp_path: Path) -> None:
    def write_nowhere(job: Job, progress: Callable[[int, int], None]) -> Outcome:
        Path(job.dest, "below").touch()
        raise AssertionError

    (job,) = jobs_of(tmp_path, "a")
    far = do_apart(write_nowhere, job, b"a").result
    assert isinstance(far, FileNotFoundError)
    assert far.filename == f"{job.dest}/below"


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_errors_keep_type_and_exit_code_on_their_way(kind: type[Exception]) -> None:
    error = kind("what is wrong", chunk="tile", offset=9) if issubclass(kind, LinnetError) else kind("wrong")
    copy = pickle.loads(pickle.dumps(portable(error)))
    assert type(copy) is kind
    assert (str(copy), exit_code(copy), vars(copy)) == (str(error), exit_code(error), vars(error))


def test_errors_of_others_survive_or_are_told() -> None:
    assert isinstance(portable(UnidentifiedImageError("no picture")), UnidentifiedImageError)
    assert isinstance(portable(FileExistsError(17, "exists", "a.png")), FileExistsError)

    class Local(Exception):
        """Cannot be found by its name."""

    assert str(portable(Local("told"))) == "Local: told"


def test_processes_share_the_cores_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    cores = len(os.sched_getaffinity(0))
    assert (threads_each(1), threads_each(cores), threads_each(5 * cores)) == (cores, 1, 1)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert threads_each(2) == 3


def test_openmp_hears_how_long_its_threads_wait_awake(
    tmp_path: Path, photo: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo.crop((0, 0, 64, 64)).save(tmp_path / "a.png")
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMP_DISPLAY_ENV", "VERBOSE")

    def turns() -> list[str]:
        done = linnet("encode", "a.png", "-f", cwd=tmp_path)
        return re.findall(r"GOMP_SPINCOUNT = '(\d+)'", done.err)

    torch = subprocess.run([sys.executable, "-c", "import torch"], capture_output=True, check=True)
    gnu = b"GOMP_SPINCOUNT" in torch.stderr  # other OpenMPs have no such number
    assert turns() == [str(SPINS)] * gnu
    monkeypatch.setenv("GOMP_SPINCOUNT", "77")
    assert turns() == ["77"] * gnu
    monkeypatch.delenv("GOMP_SPINCOUNT")
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    assert str(SPINS) not in turns()


def test_several_at_once_tell_what_one_by_one_tells(tmp_path: Path, photo: Image.Image) -> None:
    (tmp_path / "in").mkdir()
    for number, name in enumerate(("a.png", "b.jpg", "d.png")):
        photo.crop((100 + 40 * number, 50, 190 + 40 * number, 130)).save(tmp_path / "in" / name)
    whole = io.BytesIO()
    photo.save(whole, "PNG")
    (tmp_path / "in" / "c.png").write_bytes(whole.getvalue()[:999])
    done = linnet("encode", "-r", "in", "-o", "out", "-j", "2", "--json", cwd=tmp_path)
    assert (done.code, done.complaint.startswith("linnet: 'in/c.png' cannot be read as an image")) == (
        9,
        True,
    )
    *rows, summary = done.records
    assert [row["input"] for row in rows] == ["in/a.png", "in/b.jpg", "in/c.png", "in/d.png"]
    assert [row.get("error") for row in rows] == [None, None, "UnreadableImageError", None]
    assert (rows[2]["exit_code"], summary["done"], summary["failed"]) == (3, 3, 1)
    for name in ("a.png", "b.jpg", "d.png"):
        expected = package.encode(tmp_path / "in" / name).data
        assert (tmp_path / "out" / name).with_suffix(".lnt").read_bytes() == expected


WITHOUT_RAY = """
import sys
sys.modules["ray"] = None  # what an import finds where it is not installed
from linnet.codec.cli import main
main()
"""


@pytest.mark.parametrize("verb", ["encode", "decode"])
def test_without_ray_a_line_says_what_to_install(verb: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"never read")
    words = [sys.executable, "-c", WITHOUT_RAY, verb, "a", "-o", "out/", "--executor", "ray"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        1,
        "linnet: the executor ray needs Ray: pip install 'linnet[ray]'\n",
    )


def test_an_address_is_for_ray(tmp_path: Path, photo_path: Path) -> None:
    done = linnet("encode", photo_path, "-o", tmp_path / "a.lnt", "--address", "10.0.0.1:6379")
    assert (done.code, done.complaint) == (
        2,
        "linnet: --address is that of a Ray cluster: add --executor ray",
    )
