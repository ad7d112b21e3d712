"""Whatever holds a picture, made a Frame."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..bitstream.limits import Limits
from .files.opening import Source
from .frame import Frame
from .image.loading import load_image

Picture: TypeAlias = Source | Image.Image | NDArray[np.uint8] | NDArray[np.uint16] | Frame


def as_frame(source: Picture, limits: Limits) -> Frame:
    """A Frame of whatever holds a picture."""
    if isinstance(source, np.ndarray):
        source = Frame.from_array(source)
    if isinstance(source, Frame):
        limits.check_size(source.width, source.height)
        return source
    return load_image(source, limits)
