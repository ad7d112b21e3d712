"""A small dataset and a benchmark of it, for the tests of `linnet bench`."""

import json
from pathlib import Path
from typing import Any

from cli_process import Finished, linnet
from PIL import Image


def small_dataset(folder: Path, photo: Image.Image) -> Path:
    """Two cuts of the photograph, of odd sizes; one lies in a folder of its own."""
    (folder / "more").mkdir(parents=True)
    photo.crop((150, 20, 391, 203)).save(folder / "face.png")
    photo.crop((0, 300, 185, 493)).save(folder / "more" / "ribbons.png")
    return folder


def bench(dataset: Path, report: Path, *words: str) -> Finished:
    """Run `linnet bench`."""
    return linnet("bench", dataset, "-o", report, *words)


def results_of(report: Path) -> dict[str, Any]:
    return json.loads((report / "results.json").read_text())


def data_of(page: Path) -> dict[str, Any]:
    """What a page shows, as it lies in it."""
    text = page.read_text()
    return json.loads(text.partition('id="data">')[2].partition("</script>")[0])
