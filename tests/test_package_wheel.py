"""The wheel: complete, and importable where the checkout is not."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from linnet.models.zoo import SPECS

ROOT = Path(__file__).parent.parent
INGREDIENTS = ("bitstream", "codec", "entropy", "linnet", "models", "LICENSE", "README.md", "pyproject.toml")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a copy of the sources: setuptools leaves a build folder beside them."""
    copy = tmp_path_factory.mktemp("source")
    unbuilt = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in INGREDIENTS:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, symlinks=True, ignore=unbuilt)
        else:
            shutil.copy(ROOT / name, copy / name)
    target = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(target), str(copy))
    (built,) = target.glob("*.whl")
    return built


def pip(*words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "-q", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_wheel_holds_every_module_and_data_file(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    modules = {
        f"linnet/{path.relative_to(ROOT).as_posix()}"
        for folder in ("bitstream", "codec", "entropy", "models")
        for path in (ROOT / folder).rglob("*.py")
    }
    weights = {f"linnet/models/weights/{spec.file}" for spec in SPECS}
    assert modules | weights <= inside
    assert {"linnet/py.typed", "linnet/bitstream/FORMAT.md", "linnet/__init__.py"} <= inside


def test_the_wheel_puts_nothing_beside_the_package(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top.partition("-")[0] for top in tops} == {"linnet"}


def test_the_installed_package_works_from_an_empty_folder(
    wheel: Path, tmp_path: Path, photo_path: Path
) -> None:
    site, empty = tmp_path / "site", tmp_path / "empty"
    empty.mkdir()
    pip("install", "--no-deps", "--target", str(site), str(wheel))
    code = f"""
import sys
sys.path.insert(0, {str(site)!r})
import linnet
assert linnet.__file__.startswith({str(site)!r}), linnet.__file__
result = linnet.encode({str(photo_path)!r}, quality=10)
frame = linnet.decode(result.data)
print(linnet.info(result.data).model, *frame.pixels.shape)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=empty, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["fast", "600", "512", "3"]
