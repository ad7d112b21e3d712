"""A picture as the page of a report holds it."""

import io
from enum import Enum
from typing import Any

from PIL import Image

from .adapters.base import Pixels


class View(str, Enum):
    """How the report holds pictures: lossy is a tenth of the size, and off by less than can be seen."""

    LOSSY = "lossy"
    EXACT = "exact"
    NONE = "none"


_FORMATS: dict[View, tuple[str, str, dict[str, Any]]] = {
    View.LOSSY: (".avif", "AVIF", {"quality": 90, "subsampling": "4:4:4", "speed": 8, "max_threads": 1}),
    View.EXACT: (".webp", "WEBP", {"lossless": True, "method": 3}),
}


def view_suffix(view: View) -> str:
    """Of the files that a view is made of."""
    return _FORMATS[view][0]


def stored(pixels: Pixels, view: View) -> bytes:
    """A picture's file."""
    _, format, options = _FORMATS[view]
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format, **options)
    return stream.getvalue()
