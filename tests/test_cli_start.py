"""Starting up: quick, and without the libraries that only pictures need."""

import importlib
import resource
import subprocess
import sys
from pathlib import Path

import bitstream_samples as samples
import pytest
from cli_process import LINNET, linnet

import linnet as package

HEAVY = {"torch", "numpy", "PIL", "av", "constriction", "compressai", "safetensors", "matplotlib"}
MODULES = """
import sys
from linnet.codec.cli import main
try:
    main()
finally:
    print(*{name.partition(".")[0] for name in sys.modules}, file=sys.stderr)
"""

NOTHING = """
import typer
app = typer.Typer()
app.command()(lambda name: None)
app(["nobody"])
"""


@pytest.fixture
def lnt(tmp_path: Path) -> Path:
    path = tmp_path / "a.lnt"
    path.write_bytes(samples.full_file())
    return path


def cpu_seconds(command: list[str]) -> float:
    """Processor time of one run: unlike the clock it does not count what else the machine does."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize("words", [["--help"], ["encode", "--help"], ["models", "list"], ["info"]])
def test_light_verbs_import_no_heavy_library(words: list[str], lnt: Path) -> None:
    arguments = [*words, str(lnt)] if words == ["info"] else words
    done = subprocess.run(
        [sys.executable, "-c", MODULES, *arguments], capture_output=True, text=True, check=True
    )
    loaded = set(done.stderr.split())
    assert "linnet" in loaded
    assert not loaded & HEAVY


@pytest.mark.parametrize("words", [["--help"], ["info"]])
def test_light_verbs_start_in_little_more_than_typer_takes(words: list[str], lnt: Path) -> None:
    command = [LINNET, *words, str(lnt)] if words == ["info"] else [LINNET, *words]
    # in turn, so that a busy machine slows both down
    pairs = [(cpu_seconds(command), cpu_seconds([sys.executable, "-c", NOTHING])) for _ in range(5)]
    ours, typers = (min(each) for each in zip(*pairs, strict=True))
    assert ours < 2.5 * typers


def test_importing_the_package_imports_no_heavy_library() -> None:
    code = "import linnet, sys; linnet.info; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & HEAVY


def test_every_public_name_can_be_imported() -> None:
    for name in package.__all__:
        assert getattr(package, name).__name__ == name
    assert set(package.__all__) <= set(dir(package))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'transcode'"):
        importlib.import_module("linnet").__getattr__("transcode")


def test_help_names_every_verb_and_exit_code() -> None:
    done = linnet("--help")
    assert done.code == 0
    shown = done.out.decode()
    for verb in ("encode", "decode", "info", "verify", "compare", "bench", "models", "train", "demo"):
        assert f"\n  {verb} " in shown
    assert "130 interrupted" in " ".join(shown.split())


def test_version_is_that_of_the_package() -> None:
    assert linnet("--version").out.decode() == f"linnet {package.__version__}\n"


def test_the_module_runs_as_the_command_does() -> None:
    done = subprocess.run([sys.executable, "-m", "linnet", "--version"], capture_output=True, check=True)
    assert done.stdout == linnet("--version").out
