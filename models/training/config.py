"""The training configuration: a small TOML file, every key known, every value checked."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from ..haar import BLOCK_PX
from ..image import HYPER_STRIDE
from ..quality import LEVELS
from ..transforms import ImageConfig
from ..zoo import SPECS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """What to train, on what, for how long.

    kind: `image`, `inter` for the model of the frames of a clip that are predicted, or `vq`.
    data: folder of pictures (of clips, for an inter model), or a `.npz` made by `--pack`. run: folder of
    checkpoints and curves.
    start: a `best.pt` to fine-tune; its moving average becomes the first weights. Or a model file, or the
    name of a model that ships (see `recover`). An image model may start from one of fewer latents (see
    `growth`), or from one of narrower or fewer blocks (see `widening`). An inter model may start from an
    image model of the same widths, but for its latents: it then begins by coding the residual as if it were
    a picture.
    steps: planned total, the schedule ends there. decay_share: in this last part of the steps the learning
    rate falls by a cosine, before it is level. crop_px (a multiple of 64; of a VQ model, of 32), batch (of
    each process): first stage; the last `late_share` of the steps uses late_crop_px and late_batch.
    optimiser: `soap` is for going on from trained weights; from the start `adam` learns faster. Its steps
    take a fifth longer. valid_crops: held-out pictures per evaluation. metric: what distortion is.
    sample_power: each sample's loss is raised to it, so that below 1 flat pictures weigh more (held-out
    losses stay those of 1). correction: see `objective.TrainingModel`. level_low, level_high: quality
    levels drawn in training. compile: torch.compile with CUDA graphs; `auto` is on a GPU only. precision: of
    the transforms; `auto` is bf16 where this machine multiplies faster in it.
    Of an inter model: stills, pictures that are set in motion beside the clips. frames: of a chain, the key
    frame included. key_model: a model that ships, for the key frames.
    Of a VQ model: key_model, whose transforms it starts with. It may `start` from a model of fewer fine
    stages. revive_steps: as often, until the learning rate has fallen to half, codes that are hardly used
    move to where many vectors share one; 0 for never.
    """

    data: Path
    run: Path
    start: Path | None = None
    steps: int = 20_000
    batch: int = 8
    crop_px: int = 128
    late_share: float = 0.2
    late_batch: int = 4
    late_crop_px: int = 256
    learning_rate: float = 5e-4
    final_learning_rate: float = 1e-6
    shortcut_rate: float = 0.1
    decay_share: float = 1.0
    warm_up_steps: int = 500
    gradient_clip: float = 0.5
    optimiser: str = "adam"
    average_decay: float = 0.999
    valid_crops: int = 16
    save_minutes: float = 4.0
    seed: int = 1
    level_low: float = 0.0
    level_high: float = LEVELS - 1.0
    metric: str = "mse"
    sample_power: float = 1.0
    correction: float = 0.0
    compile: str = "auto"
    precision: str = "auto"
    kind: str = "image"
    stills: Path | None = None
    frames: int = 3
    key_model: str = "fast"
    revive_steps: int = 0
    model: ImageConfig = field(default_factory=ImageConfig)


CHOICES = {
    "kind": ("image", "inter", "vq"),
    "key_model": tuple(spec.name for spec in SPECS if spec.kind == "image"),
    "metric": ("mse", "ms-ssim"),
    "optimiser": ("adam", "soap"),
    "compile": ("auto", "on", "off"),
    "precision": ("auto", "bf16", "float32"),
}
SHIPPED_MODELS = {spec.name for spec in SPECS}
SHIPPED = Path(__file__).parent / "configs"
PATHS = ("data", "run", "start", "stills")
REQUIRED = ("data", "run")
MS_SSIM_SIDE = 161  # px: five scales of an 11 px window
HYPER_PX = BLOCK_PX * HYPER_STRIDE
MOST_HYPER = 254  # channels that a table of 255 rows and SKIP can tell apart


def find_config(name: str) -> Path:
    """A file, or one of the configurations that ship, by name. Raises FileNotFoundError naming them."""
    known = sorted(path.stem for path in SHIPPED.glob("*.toml"))
    if name in known and not Path(name).is_file():
        return SHIPPED / f"{name}.toml"
    if not Path(name).is_file():
        raise FileNotFoundError(f"no configuration at {name}: give a TOML file, or one of {', '.join(known)}")
    return Path(name)


def read_config(path: Path, given: Mapping[str, Path | None] | None = None) -> TrainConfig:
    """Read a TOML file; paths in it are relative to it.

    Args:
        given: values of `data`, `run` and `start` that go before those of the file; None leaves the file's.
    Raises:
        ValueError: no TOML, an unknown or missing key, or a value of the wrong type or range.
        OSError: the file cannot be read.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: no TOML: {error}") from error
    model = ImageConfig(**_checked(ImageConfig, values.pop("model", {}), f"{path} [model]"))
    for key in PATHS:
        path_given = (given or {}).get(key)
        if path_given:
            values[key] = path_given
        elif isinstance(values.get(key), str):
            beside = (path.parent / values[key]).resolve()
            ships = key == "start" and values[key] in SHIPPED_MODELS and not beside.is_file()
            values[key] = Path(values[key]) if ships else beside
        elif key in values or key in REQUIRED:
            raise ValueError(f"{path}: name a path for '{key}', in the file or as --{key} PATH")
    config = TrainConfig(**_checked(TrainConfig, values, str(path)), model=model)
    if not 0 <= config.level_low <= config.level_high <= LEVELS - 1:
        raise ValueError(f"{path}: level_low and level_high must rise and lie in 0..{LEVELS - 1}")
    for key in ("decay_share", "sample_power"):
        if not 0 < (value := getattr(config, key)) <= 1:
            raise ValueError(f"{path}: {key} = {value} must be above 0 and at most 1")
    if config.correction > 1 or (config.correction and config.kind != "image"):
        raise ValueError(f"{path}: correction = {config.correction} must be 0 to 1, and of an image model")
    if config.kind == "inter" and (config.frames < 2 or config.metric != "mse"):
        raise ValueError(f"{path}: an inter model needs 2 frames or more and metric = 'mse'")
    if config.kind == "vq" and config.metric != "mse":
        raise ValueError(f"{path}: a VQ model's loss is fixed: leave metric = {config.metric!r} out")
    if config.revive_steps and config.kind != "vq":
        raise ValueError(f"{path}: revive_steps = {config.revive_steps} is of VQ models: leave it out")
    if config.model.hyper > MOST_HYPER:
        raise ValueError(f"{path} [model]: hyper = {config.model.hyper} must be at most {MOST_HYPER}")
    _check_crops(config, path)
    return config


def _check_crops(config: TrainConfig, path: Path) -> None:
    multiple = 32 if config.kind == "vq" else HYPER_PX
    least = MS_SSIM_SIDE if config.metric == "ms-ssim" or config.kind == "vq" else 1
    for key in ("crop_px", "late_crop_px") if config.late_share else ("crop_px",):
        side = getattr(config, key)
        if side % multiple or side < least:
            smallest = -(-least // multiple) * multiple
            raise ValueError(
                f"{path}: {key} = {side} must be a multiple of {multiple}, {smallest} px or more"
                f"{' for ms-ssim' * (least > 1)}"
            )


def _checked(kind: type, values: object, place: str) -> dict[str, Any]:
    known = {f.name: f.default for f in fields(kind) if f.name != "model"}
    if not isinstance(values, dict):
        raise ValueError(f"{place}: expected a table of keys and values, not {values!r}")
    for key, value in values.items():
        if key not in known:
            raise ValueError(f"{place}: unknown key '{key}'; known are {', '.join(sorted(known))}")
        if key in PATHS:
            continue
        if key in CHOICES:
            if value not in CHOICES[key]:
                raise ValueError(f"{place}: {key} = {value!r} must be one of {', '.join(CHOICES[key])}")
            continue
        if key in _ABOVE_ZERO and value == 0:
            raise ValueError(f"{place}: {key} = 0 must be above 0: nothing would be learned")
        wanted = int if isinstance(known[key], int) else (int, float)
        if isinstance(value, bool) or not isinstance(value, wanted) or not value >= (key in _AT_LEAST_ONE):
            raise ValueError(f"{place}: {key} = {value!r} must be a {'positive ' * (wanted is int)}number")
        if value > (1 if key in _SHARES else sys.float_info.max):
            raise ValueError(
                f"{place}: {key} = {value!r} must be {'at most 1' if key in _SHARES else 'finite'}"
            )
    return values


_SHARES = {"late_share", "average_decay"}
_ABOVE_ZERO = {"learning_rate", "gradient_clip"}
_AT_LEAST_ONE = {
    "steps",
    "batch",
    "crop_px",
    "late_batch",
    "late_crop_px",
    "valid_crops",
    "frames",
    "warm_up_steps",
} | {f.name for f in fields(ImageConfig)}
