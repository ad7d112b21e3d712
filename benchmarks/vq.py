"""The `vq` model at every number of stages, beside other codecs at the same bytes of each picture.

    python benchmarks/vq.py PICTURES --out benchmarks/results/vq.json --sheet benchmarks/results/vq.png

Files are written and read by `linnet encode` and `linnet decode`. Of every other codec, each picture gets the
largest file that is not larger, also of the picture reduced to a half or a quarter, enlarged again after
decoding: of these, the one with the best MS-SSIM counts. Where no file is small enough, the smallest counts,
and `fits` says in how many pictures one was.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import piq
import torch
from contact_sheet import Cell, draw_sheet
from same_bytes import Candidate, Contest, Rival, find_rivals

from linnet.codec.bench.adapters.base import Pixels
from linnet.codec.bench.metrics import METRICS, PictureMetric, measure_all
from linnet.codec.bench.pictures import load_rgb
from linnet.models.zoo import find

CODECS = "jpeg,webp,avif,avif-slow,jxl,linnet:fast,linnet:fast-ms-ssim"
TARGETS_BPP = (0.02, 0.05, 0.1)
OURS = "Linnet vq"
SHEET_PX = 224


def _planes(pixels: Pixels) -> torch.Tensor:
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255


def haarpsi(original: Pixels, decoded: Pixels) -> float:
    """Haar wavelet perceptual similarity index, 0 to 1. Source: Reisenhofer et al. 2018, arXiv:1607.06140."""
    return float(piq.haarpsi(_planes(original), _planes(decoded)))


def gmsd(original: Pixels, decoded: Pixels) -> float:
    """Gradient magnitude similarity deviation, 0 for equal pictures. Source: Xue 2014, arXiv:1308.3052."""
    return float(piq.gmsd(_planes(original), _planes(decoded)))


MEASURES = (
    METRICS["psnr_db"],
    METRICS["ms_ssim"],
    PictureMetric("haarpsi", "HaarPSI", haarpsi),
    PictureMetric("gmsd", "GMSD", gmsd, rising=False),
)


@dataclass(frozen=True)
class Entry:
    """One file of one picture, measured."""

    candidate: Candidate
    bpp: float
    figures: Mapping[str, float | None]

    @property
    def ms_ssim(self) -> float:
        """What the best of several is chosen by."""
        return self.figures["ms_ssim"] or 0.0


def measured(original: Pixels, candidate: Candidate, measures: Sequence[PictureMetric] = MEASURES) -> Entry:
    """Measure a decoded file; what was measured before stands beside it."""
    bpp = candidate.bytes * 8 / (original.shape[0] * original.shape[1])
    beside = candidate.path.with_name(f"{candidate.path.name}.json")
    figures = json.loads(beside.read_text()) if beside.exists() else {}
    missing = [measure for measure in measures if measure.key not in figures]
    if missing:
        figures |= measure_all(missing, original, candidate.decode())
        beside.write_text(json.dumps(figures))
    return Entry(candidate, bpp, figures)


def best_of(original: Pixels, candidates: Sequence[Candidate]) -> Entry:
    """The one with the best MS-SSIM, measured."""
    entries = [measured(original, each, [METRICS["ms_ssim"]]) for each in candidates]
    return measured(original, max(entries, key=lambda entry: entry.ms_ssim).candidate)


def nearest_stages(rates_bpp: Mapping[int, float], target_bpp: float) -> int:
    """The number of stages whose mean rate is nearest to a target, by ratio."""
    return min(rates_bpp, key=lambda stages: abs(np.log(rates_bpp[stages] / target_bpp)))


def summary(entries: Sequence[Entry], ours: Sequence[Entry]) -> dict[str, object]:
    """Means over the pictures, and in how many of them ours has the better MS-SSIM."""
    if entries is not ours and len(entries) != len(ours):
        raise ValueError(f"{len(entries)} and {len(ours)} pictures cannot be compared")
    row: dict[str, object] = {"bpp": round(float(np.mean([entry.bpp for entry in entries])), 5)}
    for measure in MEASURES:
        values = [entry.figures[measure.key] for entry in entries]
        row[measure.key] = round(float(np.mean([value for value in values if value is not None])), 4)
    if entries is not ours:
        pairs = list(zip(entries, ours, strict=True))
        row["fits"] = sum(entry.candidate.fits for entry in entries)
        row["reduced"] = sum(entry.candidate.scale > 1 for entry in entries)
        for measure in MEASURES:
            row[f"ours_better_{measure.key}"] = sum(_better(measure, own, other) for other, own in pairs)
    return row


def _better(measure: PictureMetric, one: Entry, other: Entry) -> bool:
    left, right = one.figures[measure.key], other.figures[measure.key]
    if left is None or right is None:
        return False
    return left > right if measure.rising else left < right


@dataclass(frozen=True)
class Ours:
    """The model, and its decoders, "fidelity" first."""

    model: str
    tunes: Sequence[str]


def linnet(*words: str | Path) -> None:
    """Run the command line in a process of its own. Raises CalledProcessError."""
    subprocess.run([sys.executable, "-m", "linnet", *map(str, words)], check=True, stdout=subprocess.DEVNULL)


def our_files(pictures: Sequence[Path], stages: int, words: Ours, folder: Path) -> list[list[Candidate]]:
    """Encode all pictures with a number of stages, and decode them in other processes: a list by decoder."""
    options = ("-m", words.model, "--stages", str(stages), "--metadata", "none", "--quiet")
    linnet("encode", *pictures, "-o", f"{folder}/", *options)
    files = [folder / f"{path.stem}.lnt" for path in pictures]
    made = []
    for tune in words.tunes:
        linnet("decode", *files, "-o", f"{folder / tune}/", "--tune", tune, "--quiet")
        label = OURS if tune == "fidelity" else f"{OURS}, {tune}"
        shown = [folder / tune / f"{path.stem}.png" for path in pictures]
        made.append([_ours(label, *pair, stages) for pair in zip(files, shown, strict=True)])
    return made


def _ours(label: str, file: Path, shown: Path, stages: int) -> Candidate:
    return Candidate(label, shown, 1, stages, file.stat().st_size, True, partial(load_rgb, shown))


@dataclass(frozen=True)
class Study:
    """All pictures and rivals; `found` has the entries of each codec, by stages, in order of the pictures."""

    pictures: Sequence[Path]
    rivals: Sequence[Rival]
    ours: Ours
    found: dict[int, dict[str, list[Entry]]]

    def run(self, folder: Path, kept: Path, say: Callable[[str], None]) -> None:
        """Measure everything, picture by picture; our files go into `folder`, those of others into `kept`."""
        counts = range(1, find(self.ours.model).stages + 1)
        ours: dict[int, list[list[Candidate]]] = {}
        for stages in counts:
            place = folder / f"{stages}"
            place.mkdir(parents=True)
            ours[stages] = our_files(self.pictures, stages, self.ours, place)
            self.found[stages] = {}
        for number, path in enumerate(self.pictures):
            original = load_rgb(path)
            for stages in counts:
                for decoded in ours[stages]:
                    self._add(stages, measured(original, decoded[number]))
            for rival in self.rivals:
                place = kept / rival.key / path.stem
                place.mkdir(parents=True, exist_ok=True)
                contest = Contest(rival, original, place)
                for stages in counts:
                    made = contest.candidates(ours[stages][0][number].bytes)
                    self._add(stages, best_of(original, made))
            say(path.name)

    def _add(self, stages: int, entry: Entry) -> None:
        self.found[stages].setdefault(entry.candidate.label, []).append(entry)

    def result(self) -> dict[str, object]:
        """The figures as JSON."""
        rows = {
            stages: {label: summary(entries, codecs[OURS]) for label, entries in codecs.items()}
            for stages, codecs in self.found.items()
        }
        rates = {
            stages: float(np.mean([entry.bpp for entry in codecs[OURS]]))
            for stages, codecs in self.found.items()
        }
        return {
            "command": f"python benchmarks/vq.py {' '.join(sys.argv[1:])}",
            "pictures": len(self.pictures),
            "nearest_stages": {f"{target:g}": nearest_stages(rates, target) for target in TARGETS_BPP},
            "settings": {rival.label: rival.adapter.settings for rival in self.rivals},
            "versions": {rival.label: dict(rival.adapter.versions) for rival in self.rivals},
            "stages": rows,
        }

    def sheet(self, stages: int, names: Sequence[str]) -> list[list[Cell]]:
        """Rows of cells, details from the middle: a picture, ours, the others at the same bytes."""
        rows = []
        for number, path in enumerate(self.pictures):
            if path.stem in names:
                entries = [each[number] for each in self.found[stages].values()]
                rows.append([Cell(middle(load_rgb(path)), [path.stem, "original"]), *map(_cell, entries)])
        return rows


def middle(pixels: Pixels) -> Pixels:
    """A square of SHEET_PX pixels from the middle, or all where there is less."""
    top, left = (max(0, (side - SHEET_PX) // 2) for side in pixels.shape[:2])
    return pixels[top : top + SHEET_PX, left : left + SHEET_PX]


def _cell(entry: Entry) -> Cell:
    made = entry.candidate
    reduction = f", at 1/{made.scale}" if made.scale > 1 else ""
    size = f"{made.bytes} bytes{'' if made.fits else ' (too large)'}"
    caption = [f"{made.label}{reduction}", size, f"MS-SSIM {entry.ms_ssim:.3f}"]
    return Cell(middle(made.decode()), caption)


def main() -> None:
    """Measure, write, draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", default="vq")
    parser.add_argument("--tunes", default="fidelity,perceptual", help="decoders of the model")
    parser.add_argument("--codecs", default=CODECS)
    parser.add_argument(
        "--files", type=Path, metavar="DIR", help="keeps other codecs' files for the next run"
    )
    parser.add_argument("--sheet", type=Path, metavar="PNG")
    parser.add_argument("--sheet-stages", type=int, default=3)
    parser.add_argument("--sheet-pictures", default="05,07,23", metavar="NAMES")
    words = parser.parse_args()
    paths = sorted(words.pictures.glob("*.png"))
    ours = Ours(words.model, words.tunes.split(","))
    study = Study(paths, find_rivals(words.codecs.split(",")), ours, {})
    with tempfile.TemporaryDirectory() as folder:
        kept = words.files or Path(folder) / "others"
        study.run(Path(folder) / "ours", kept, lambda name: print(name, flush=True))
        words.out.write_text(json.dumps(study.result(), indent=1) + "\n")
        if words.sheet:
            cells = study.sheet(words.sheet_stages, words.sheet_pictures.split(","))
            draw_sheet(cells, SHEET_PX).save(words.sheet, optimize=True)


if __name__ == "__main__":
    main()
