"""Who may import whom: read from the source, so that it holds for every line, run or not."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# Python 3.10 has no tomllib; _typeshed exists for type checkers only.
STANDARD = {*sys.stdlib_module_names, "tomllib", "_typeshed"}
FOLDERS = ("bitstream", "entropy", "models", "codec")

# Of the package itself; a folder may always import from itself.
ALLOWED_INSIDE = {
    "bitstream": set(),
    "entropy": {"linnet.bitstream.errors"},
    "models": {"linnet.entropy", "linnet.bitstream.errors"},
    "codec": {"linnet.entropy", "linnet.models", "linnet.bitstream", "linnet.__version__"},
}
# Beside the standard library.
ALLOWED_OUTSIDE = {
    "bitstream": set(),
    "entropy": {"numpy", "torch", "constriction"},
    "models": {"numpy", "torch", "safetensors"},
    "models/importing/download.py": {"torch", "compressai"},
    "models/training/clips.py": {"numpy", "torch", "av"},  # packed clips need no av
    "models/training": {
        "numpy",
        "torch",
        "safetensors",
        "compressai",
        "pytorch_msssim",
        "PIL",
        "tomli",
        "matplotlib",
    },
    "codec": {"numpy", "torch", "PIL", "av", "typer", "rich"},
    "codec/tokens/files.py": {"numpy", "safetensors"},
    "codec/demo.py": {"numpy", "PIL", "matplotlib"},
    "codec/distortion.py": {"numpy", "torch", "pytorch_msssim"},
    "codec/bench": {
        "numpy",
        "torch",
        "PIL",
        "av",
        "matplotlib",
        "pytorch_msssim",
        "bjontegaard",
        "lpips",
        "ray",
    },
    "codec/bench/adapters/compressai.py": {"numpy", "torch", "compressai"},
}


def sources(folder: str) -> list[Path]:
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found
    return found


def imported_names(path: Path) -> Iterator[str]:
    """Full names of all that a file imports, relative imports resolved inside `linnet`."""
    package = ["linnet", *path.relative_to(ROOT).parent.parts]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = [*above, *([node.module] if node.module else [])]
            yield from (".".join([*module, alias.name]) for alias in node.names)


def is_within(name: str, allowed: set[str]) -> bool:
    return any(name == each or name.startswith(f"{each}.") for each in allowed)


def allowed_outside(path: Path) -> set[str]:
    """The rule for the longest matching prefix of the path."""
    place = path.relative_to(ROOT).as_posix()
    rules = [rule for rule in ALLOWED_OUTSIDE if place == rule or place.startswith(f"{rule}/")]
    return ALLOWED_OUTSIDE[max(rules, key=len)]


def test_the_parser_of_this_test_resolves_relative_imports() -> None:
    names = set(imported_names(ROOT / "codec" / "cli" / "models.py"))
    assert {"linnet.models.zoo", "linnet.codec.cli.run.run_jobs", "typer.Exit"} <= names


@pytest.mark.parametrize("folder", FOLDERS)
def test_folders_import_only_the_folders_below_them(folder: str) -> None:
    allowed = ALLOWED_INSIDE[folder] | {f"linnet.{folder}"}
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources(folder)
        for name in imported_names(path)
        if is_within(name, {"linnet"}) and not is_within(name, allowed)
    ]
    assert not wrong


@pytest.mark.parametrize("folder", FOLDERS)
def test_folders_import_only_the_libraries_meant_for_them(folder: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources(folder)
        for name in imported_names(path)
        if name.partition(".")[0] not in STANDARD | {"linnet"} | allowed_outside(path)
    ]
    assert not wrong


@pytest.mark.parametrize("folder", FOLDERS)
def test_folders_are_reached_relatively_from_inside(folder: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sources(folder)
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Import) and any(is_within(each.name, {"linnet"}) for each in node.names))
        or (isinstance(node, ast.ImportFrom) and not node.level and is_within(node.module or "", {"linnet"}))
    ]
    assert not wrong


def test_types_are_checked_in_every_folder() -> None:
    settings = (ROOT / "pyproject.toml").read_text().split("[tool.pyright]")[1].split("[tool.")[0]
    for folder in FOLDERS:  # pyright follows a link only where it is named
        assert f'"linnet/{folder}"' in settings
