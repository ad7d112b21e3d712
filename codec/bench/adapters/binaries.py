"""The user's own encoders: finding them, running them, and raw planes in files."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...errors import NotInstalledError
from ..colour import Planes


def find_binary(name: str, given: str, advice: str) -> Path:
    """A program: as given, in or under the folder given (bin/), or on PATH.

    Raises:
        NotInstalledError: it is nowhere; the message ends with the advice.
    """
    if given:
        root = Path(given).expanduser()
        places = [root] if root.is_file() else [root / name, root / "bin" / name]
        found = next((place for place in places if place.is_file()), None)
        if found is None:
            raise NotInstalledError(f"no {name} at {given}: {advice}")
        return found.resolve()
    on_path = shutil.which(name)
    if on_path is None:
        raise NotInstalledError(f"no {name} on PATH: {advice}")
    return Path(on_path).resolve()


def run(words: Sequence[str]) -> None:
    """Run a program to its end; it dies with us.

    Raises:
        RuntimeError: it failed; with its last line.
    """
    code, shown = listen(words)
    if code:
        last = (shown.strip().splitlines() or ["no output"])[-1]
        raise RuntimeError(f"{Path(words[0]).name} failed with code {code}: {last}")


def listen(words: Sequence[str]) -> tuple[int, str]:
    """Run a program to its end: its exit code and all that it says."""
    done = subprocess.run(
        list(words),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return done.returncode, done.stdout


def version_of(words: Sequence[str]) -> str:
    """The version number in what a program says, "unknown" where there is none."""
    found = re.search(r"[Vv]ersion[ :]+([\w.\-]+)", listen(words)[1])
    return found[1] if found else "unknown"


def write_planes(path: Path, planes: Planes, depth: int) -> None:
    """Planar samples, one byte each at 8 bits, else two, little-endian."""
    kind = np.uint8 if depth == 8 else np.dtype("<u2")
    path.write_bytes(b"".join(plane.astype(kind).tobytes() for plane in planes))


def read_planes(path: Path, size: tuple[int, int], depth: int) -> Planes:
    """4:4:4 planes of a file of one frame, size (width, height). Raises ValueError: not as many samples."""
    samples = np.fromfile(path, np.uint8 if depth == 8 else np.dtype("<u2"))
    width, height = size
    if samples.size != 3 * width * height:
        raise ValueError(f"{path}: {samples.size} samples, expected 3 x {width} x {height}")
    return list(samples.astype(np.uint16).reshape(3, height, width))
