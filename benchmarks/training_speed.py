"""Steps of training a minute, as one process with every core and as several with a core each.

    python benchmarks/training_speed.py CONFIG --out benchmarks/results/training_speed.json

CONFIG is a training configuration; its batch is what a step takes of all processes together. Each setting
trains the same number of steps from the same start, twice, the settings taking turns; the better one counts.
"""

import argparse
import csv
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

from linnet.models.training.config import read_config

MODULE = "linnet.models.training"


def words_of(processes: int) -> list[str]:
    """The command that starts training in so many processes."""
    if processes == 1:
        return [sys.executable, "-m", MODULE]
    return [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(processes), "-m", MODULE]


def one_run(config: Path, steps: int, processes: int, threads: int, preload: str) -> dict[str, float]:
    """Steps a minute, and the share of the peak of a matrix product, that a short run writes down."""
    settings = read_config(config)
    with tempfile.TemporaryDirectory() as folder:
        short = Path(folder, "short.toml")
        taken = {"steps", "batch", "late_share", "save_minutes", "valid_crops", "data", "run", "start"}
        kept = [line for line in config.read_text().splitlines() if line.split(" =")[0] not in taken]
        changed = [f"steps = {steps}", f"batch = {settings.batch // processes}", "late_share = 0.0"]
        changed += [f'data = "{settings.data}"', f'run = "{folder}/run"', "save_minutes = 1000.0"]
        changed += [f'start = "{settings.start}"'] if settings.start else []
        short.write_text("\n".join([*changed, "valid_crops = 1", *kept]))
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "LD_PRELOAD": preload}
        command = [*words_of(processes), str(short)]
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
        with Path(folder, "run", "curve.csv").open() as file:
            row = next(csv.DictReader(file))
    return {name: float(row[name]) for name in ("steps_per_minute", "peak_share")}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--preload", type=Path, help="an allocator to try as well, such as libtcmalloc")
    words = parser.parse_args()
    cores = os.cpu_count() or 1
    settings = {"one process": (1, cores, ""), f"{cores} processes": (cores, 1, "")}
    if words.preload:
        settings[f"one process, {words.preload.name.partition('.')[0]}"] = (1, cores, str(words.preload))
    found: dict[str, dict[str, float]] = {}
    for _ in range(2):
        for name, setting in settings.items():
            run = one_run(words.config, words.steps, *setting)
            print(name, run, flush=True)
            found[name] = max(found.get(name, run), run, key=lambda r: r["steps_per_minute"])
    preload = f" --preload {words.preload.name}" if words.preload else ""
    report = {
        "command": f"python benchmarks/training_speed.py CONFIG --steps {words.steps}{preload}",
        "machine": {"cpu_cores": cores, "processor": platform.machine(), "torch": torch.__version__},
        "pictures_a_step": read_config(words.config).batch,
        "crop_px": read_config(words.config).crop_px,
        "settings": found,
    }
    words.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
