"""Standard output that takes nothing more: one line or silence, never a traceback."""

import os
import subprocess
from pathlib import Path

import bitstream_samples as samples
import pytest
from cli_process import LINNET, TIMEOUT_S, linnet, linnet_watched

import linnet as package


@pytest.fixture
def lnt(tmp_path: Path) -> Path:
    path = tmp_path / "a.lnt"
    path.write_bytes(samples.full_file())
    return path


@pytest.mark.parametrize("words", [["--json"], []])
def test_a_full_disk_behind_standard_output_is_one_line(words: list[str], lnt: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [LINNET, "info", lnt, *words], stdout=full, stderr=subprocess.PIPE, timeout=TIMEOUT_S, check=False
        )
    assert done.returncode == 1
    assert done.stderr.decode() == "linnet: standard output: No space left on device\n"


def test_a_reader_that_has_gone_is_not_complained_about(lnt: Path) -> None:
    ours, theirs = os.pipe()
    os.close(ours)  # before the start, so that no output can be in the pipe when it breaks
    try:
        done = subprocess.run(
            [LINNET, "info", "--json", lnt],
            stdout=theirs,
            stderr=subprocess.PIPE,
            timeout=TIMEOUT_S,
            check=False,
        )
    finally:
        os.close(theirs)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr


def test_progress_is_shown_to_a_terminal_and_to_nothing_else(photo_path: Path, tmp_path: Path) -> None:
    seen = linnet_watched("encode", photo_path, "-o", "-")
    assert seen.code == 0
    assert "\x1b[" in seen.err
    assert "encode" in seen.err
    assert package.verify(seen.out).ok
    unseen = linnet("encode", photo_path, "-o", tmp_path / "a.lnt")
    assert "\x1b" not in unseen.err
    assert (tmp_path / "a.lnt").read_bytes() == seen.out


def test_a_name_that_is_no_text_is_said_as_well_as_it_can_be(lnt: Path) -> None:
    odd = lnt.with_name(os.fsdecode(b"caf\xe9.lnt"))
    odd.write_bytes(lnt.read_bytes())
    shown = linnet("info", "--json", odd, lnt)
    assert shown.code == 0
    assert [record.get("input") for record in shown.records] == [str(odd), str(lnt), None]
    assert b"caf\\udce9.lnt" in linnet("info", odd, lnt).out


def linnet_with(closed: str, *words: str | Path) -> subprocess.CompletedProcess[bytes]:
    """Run `linnet WORDS` with streams closed as the shell's words say, such as 2>&-."""
    command = ["sh", "-c", f'exec "$@" {closed}', "sh", LINNET, *map(str, words)]
    return subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, check=False)


def test_messages_do_not_go_into_the_data_where_standard_error_is_closed(lnt: Path) -> None:
    shown = linnet_with("2>&-", "info", lnt, lnt.with_name("missing.lnt"))
    assert shown.stdout == linnet("info", lnt).out
    assert shown.returncode == 9


def test_a_file_written_with_all_streams_closed_has_nothing_else_in_it(lnt: Path, photo_path: Path) -> None:
    made = lnt.with_name("made.lnt")
    done = linnet_with("<&- >&- 2>&-", "encode", photo_path, "-e", "0", "-o", made)
    assert done.returncode == 0
    assert package.verify(made).ok


def test_data_for_a_closed_standard_output_is_an_error_of_one_line(lnt: Path) -> None:
    done = linnet_with(">&-", "info", lnt)
    assert (done.returncode, done.stderr) == (1, b"linnet: standard output: Bad file descriptor\n")


def test_a_closed_standard_input_is_an_empty_one() -> None:
    done = linnet_with("<&-", "info", "-")
    assert done.returncode == 3
    assert b"not a Linnet file: it is empty" in done.stderr
