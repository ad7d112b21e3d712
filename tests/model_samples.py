"""What several tests of the models share: a small training set of real crops, and the shipped model."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from linnet.models import image_codec, zoo
from linnet.models.image_codec import ImageCodec
from linnet.models.transforms import ImageConfig
from linnet.models.weights import read_card

SMALL = """
data = "pictures"
run = "run"
steps = 80
batch = 2
crop_px = 64
late_share = 0.0
warm_up_steps = 5
learning_rate = 0.001
valid_crops = 2
[model]
latent = 64
analysis = 32
analysis_blocks = 1
synthesis = 32
synthesis_blocks = 1
hyper = 16
prior = 64
"""


def fast(dtype: torch.dtype | None = None) -> ImageCodec:
    """The shipped `fast` model on the CPU."""
    return image_codec.load(zoo.find("fast"), "cpu", dtype)


def shape_of(name: str) -> ImageConfig:
    """The widths and depths of a model that ships."""
    return read_card(zoo.find(name).path)[0]


def training_folder(folder: Path, photo: Image.Image) -> Path:
    """A folder with a configuration and twelve crops of the photograph; returns the configuration."""
    pictures = folder / "pictures"
    pictures.mkdir(parents=True)
    rng = np.random.default_rng(1)
    for number in range(40):
        left, top = rng.integers(0, photo.width - 128), rng.integers(0, photo.height - 128)
        photo.crop((left, top, left + 128, top + 128)).save(pictures / f"crop_{number:03d}.png")
    config = folder / "small.toml"
    config.write_text(SMALL)
    return config


def psnr_db(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """PSNR of two 8-bit pictures."""
    error = np.mean((one.astype(np.float64) - other) ** 2)
    return float(10 * np.log10(255**2 / error))
