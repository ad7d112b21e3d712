"""The pictures of a benchmark: hashed, and loaded as every codec gets them."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ...bitstream.limits import Limits
from ..image.loading import ImageSource, load_image
from ..still.hidden import with_hidden_filled
from .adapters.base import Pixels
from .items import Item


def load_rgb(source: ImageSource, limits: Limits | None = None) -> Pixels:
    """[H, W, 3] uint8, upright; grey becomes RGB, 16 bits become 8.

    Alpha is left out, and colours that it hides are replaced as encoders do: nobody sees them.

    Raises:
        UnreadableImageError, LimitExceededError, OSError: as load_image.
    """
    pixels = with_hidden_filled(load_image(source, limits)).oriented().to_eight_bits().pixels.astype(np.uint8)
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


def open_pictures(files: list[tuple[str, Path]]) -> Iterator[tuple[str, Item | Exception]]:
    """Read every file once: a picture, or why it is none."""
    for name, path in files:
        try:
            data = path.read_bytes()
            pixels = load_rgb(data)
        except (ValueError, OSError, MemoryError) as error:
            yield name, error
            continue
        digest = hashlib.sha256(data).hexdigest()
        yield name, Item(name, path, digest, pixels.shape[1], pixels.shape[0])
