"""The photograph that the tests share: it comes with matplotlib."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib
import numpy as np
import pytest
from PIL import Image

if TYPE_CHECKING:
    from staged_samples import Photo


@pytest.fixture(scope="session")
def photo_path() -> Path:
    """A real photograph: JPEG, RGB, 512x600."""
    return Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"


@pytest.fixture
def photo(photo_path: Path) -> Image.Image:
    """The same as a loaded Pillow image; each test has its own."""
    with Image.open(photo_path) as image:
        return image.convert("RGB")


@pytest.fixture(scope="session")
def pixels(photo_path: Path) -> "Photo":
    """A part of the photograph, 270 x 200."""
    with Image.open(photo_path) as image:
        return np.asarray(image.convert("RGB"))[60:260, 130:400]


@pytest.fixture(scope="module")
def blocks_model() -> Iterator[None]:
    """The small model `blocks`, known to all of a test's module."""
    import vq_samples  # only now: torch takes seconds to load

    with pytest.MonkeyPatch.context() as patch:
        vq_samples.install(patch)
        yield


@pytest.fixture(scope="module")
def tiled(pixels: "Photo", blocks_model: None) -> bytes:
    """The part of the photograph in 20 tiles and 60 parts of that model."""
    from staged_samples import encoded

    return encoded(pixels, tile=64)


@pytest.fixture(scope="session", autouse=True)
def _no_models_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests see the models that ship, and those that they add."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LINNET_MODELS", str(tmp_path_factory.mktemp("no_models")))
        yield


@pytest.fixture(scope="session")
def checkpoints(photo_path: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A trained CompressAI checkpoint by architecture: small ones, made here in seconds."""
    from hyperprior_samples import ARCHITECTURES, save_trained  # only now: compressai takes seconds to load

    folder = tmp_path_factory.mktemp("checkpoints")
    return {name: save_trained(name, photo_path, folder) for name in ARCHITECTURES}


@pytest.fixture(scope="session")
def models_folder(checkpoints: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for LINNET_MODELS with every checkpoint imported under the name of its architecture."""
    from linnet.models.importing.compressai import import_compressai

    folder = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LINNET_MODELS", str(folder))
        for name, path in checkpoints.items():
            import_compressai(name, 3, checkpoint=path, name=name)
    return folder
