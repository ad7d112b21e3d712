"""The training configuration: a small TOML file, every key known, every value checked."""

import sys
from dataclasses import dataclass, field, fields
from pathlib import Path

from ..transforms import ImageConfig

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """What to train, on what, for how long.

    data: folder of pictures, or a `.npz` made by `pack`. run: folder of checkpoints and curves.
    steps: planned total, the cosine schedule ends there. crop_px, batch: first stage; the last
    `late_share` of the steps uses late_crop_px and late_batch. valid_crops: held-out pictures per evaluation.
    """

    data: Path
    run: Path
    steps: int = 20_000
    batch: int = 8
    crop_px: int = 128
    late_share: float = 0.2
    late_batch: int = 4
    late_crop_px: int = 256
    learning_rate: float = 5e-4
    final_learning_rate: float = 1e-6
    shortcut_rate: float = 0.1
    warm_up_steps: int = 500
    gradient_clip: float = 0.5
    average_decay: float = 0.999
    valid_crops: int = 16
    save_minutes: float = 4.0
    seed: int = 1
    model: ImageConfig = field(default_factory=ImageConfig)


def read_config(path: Path) -> TrainConfig:
    """Read a TOML file; paths are relative to it. Raises ValueError for an unknown or missing key."""
    values = tomllib.loads(path.read_text())
    model = _known(ImageConfig, values.pop("model", {}), f"{path} [model]")
    for key in ("data", "run"):
        if key not in values:
            raise ValueError(f"{path}: the key '{key}' is missing")
        values[key] = (path.parent / values[key]).resolve()
    return TrainConfig(**_known(TrainConfig, values, str(path)), model=ImageConfig(**model))


def _known(kind: type, values: dict[str, object], place: str) -> dict:
    known = {f.name for f in fields(kind)} - {"model"}
    for key in values:
        if key not in known:
            raise ValueError(f"{place}: unknown key '{key}'; known are {', '.join(sorted(known))}")
    return values
