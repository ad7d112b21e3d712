"""Two or more pictures measured against one, and shown over each other."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from .adapters.base import Pixels
from .metrics import Metric, measure_all
from .page import BROWSER_FORMATS, Page, PagePicture, Version, data_uri
from .pictures import load_rgb

_NOTE = (
    "PNG, JPEG, WebP and AVIF files are shown as they are, others as PNG of their pixels. Alpha is left "
    "out of the metrics."
)


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """The picture that others are measured against."""

    path: Path
    pixels: Pixels


def read_picture(path: Path) -> Pixels:
    """[H, W, 3] uint8 of any picture, also of a Linnet file.

    Raises:
        UnreadableImageError, FormatError, OSError: no picture.
    """
    if path.suffix.lower() == ".lnt":
        from ..api import decode

        return load_rgb(decode(path).to_pil())
    return load_rgb(path)


def compare_picture(reference: Reference, path: Path, metrics: Sequence[Metric]) -> Version:
    """Measure one picture; its version for a page too, whose URI holds the whole file.

    Raises:
        ValueError: of another size. UnreadableImageError, FormatError, OSError: no picture.
    """
    pixels = read_picture(path)
    figures = measure_all(metrics, reference.pixels, pixels)
    size = path.stat().st_size
    bpp = size * 8 / (pixels.shape[0] * pixels.shape[1])
    return Version(str(path), _uri(path, pixels), bytes=size, bpp=bpp, metrics=figures)


def comparison_page(reference: Reference, versions: Sequence[Version], metrics: Sequence[Metric]) -> Page:
    """The metrics, and the slider over all the pictures, the reference first."""
    original = Version(str(reference.path), _uri(reference.path, reference.pixels))
    height, width = reference.pixels.shape[:2]
    return Page(
        title=f"Compared with {reference.path.name}",
        summary=f"{width}x{height} pixels",
        metrics=metrics,
        pictures=[PagePicture(reference.path.name, width, height, [original, *versions])],
        view_note=_NOTE,
        comparison=versions,
    )


def _uri(path: Path, pixels: Pixels) -> str:
    suffix = {".jpeg": ".jpg"}.get(path.suffix.lower(), path.suffix.lower())
    if suffix in BROWSER_FORMATS:
        return data_uri(path.read_bytes(), suffix)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return data_uri(stream.getvalue(), ".png")
