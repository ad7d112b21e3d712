"""The photograph that the tests share: it comes with matplotlib."""

from pathlib import Path

import matplotlib
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def photo_path() -> Path:
    """A real photograph: JPEG, RGB, 512x600."""
    return Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"


@pytest.fixture
def photo(photo_path: Path) -> Image.Image:
    """The same as a loaded Pillow image; each test has its own."""
    with Image.open(photo_path) as image:
        return image.convert("RGB")
