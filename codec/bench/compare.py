"""Two or more files measured against one, and shown over each other: all pictures, or all clips."""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from PIL import Image

from ...bitstream.limits import Limits
from ..video.kind import holds_clip, is_clip
from .adapters.base import Pixels
from .metrics import DEFAULT_METRICS, METRICS, Metric, check_metric, find_metrics, measure_all
from .page import BROWSER_FORMATS, Page, PagePicture, Version, data_uri
from .pictures import load_rgb

_NOTE = (
    "PNG, JPEG, WebP and AVIF files are shown as they are, others as PNG of their pixels. Alpha is left "
    "out of the metrics, and what it hides replaced by what is around it."
)


@dataclass(frozen=True, slots=True)
class Compared:
    """What one file came to; fields: what JSON tells beside the version."""

    version: Version
    fields: Mapping[str, Any]


class Comparison(Protocol):
    """A file that others are measured against."""

    @property
    def metrics(self) -> Sequence[Metric]:
        """What is measured."""
        ...

    def measure(self, path: Path) -> Compared:
        """Measure one file; its version for a page too.

        Raises:
            ValueError: of another kind, size or length. UnreadableImageError, FormatError, OSError: no file
            that can be read.
        """
        ...

    def page(self, versions: Sequence[Version]) -> Page:
        """The metrics, and the slider over all that was measured, the reference first."""
        ...


def open_comparison(reference: Path, names: Sequence[str], limits: Limits | None = None) -> Comparison:
    """Read the reference.

    Args:
        names: of metrics; none for the usual ones.
        limits: of pictures.
    Raises:
        ValueError: no such metric. NotInstalledError: it cannot be measured here.
        UnreadableImageError, FormatError, OSError: neither a picture nor a clip.
    """
    if _is_clip(reference):
        from .compare_clips import ClipComparison  # pictures need none of it

        return ClipComparison(reference, names)
    return PictureComparison(reference, names, limits)


def _is_clip(path: Path) -> bool:
    return holds_clip(path) or (path.suffix.lower() != ".lnt" and is_clip(str(path)))


class PictureComparison:
    """See Comparison."""

    def __init__(self, reference: Path, names: Sequence[str], limits: Limits | None) -> None:
        self._metrics = find_metrics(names or DEFAULT_METRICS, METRICS)
        for metric in self._metrics:
            check_metric(metric)
        self._limits = limits
        self._path, self._pixels = reference, _read_picture(reference, limits)

    @property
    def metrics(self) -> Sequence[Metric]:
        """See Comparison."""
        return self._metrics

    def measure(self, path: Path) -> Compared:
        """See Comparison. The version holds the whole file."""
        if _is_clip(path):
            raise ValueError(f"{path} is a clip, and {self._path.name} is a picture: they cannot be compared")
        pixels = _read_picture(path, self._limits)
        figures = measure_all(self._metrics, self._pixels, pixels)
        size = path.stat().st_size
        bpp = size * 8 / (pixels.shape[0] * pixels.shape[1])
        return Compared(Version(str(path), _uri(path, pixels), bytes=size, bpp=bpp, metrics=figures), {})

    def page(self, versions: Sequence[Version]) -> Page:
        """See Comparison."""
        original = Version(str(self._path), _uri(self._path, self._pixels))
        height, width = self._pixels.shape[:2]
        shown = PagePicture(self._path.name, width, height, [original, *versions])
        return comparison_page(shown, versions, self._metrics, _NOTE, f"{width}x{height} pixels")


def comparison_page(
    shown: PagePicture, versions: Iterable[Version], metrics: Sequence[Metric], note: str, summary: str
) -> Page:
    """A page with one picture."""
    return Page(
        title=f"Compared with {shown.name}",
        summary=summary,
        metrics=metrics,
        pictures=[shown],
        view_note=note,
        comparison=list(versions),
    )


def png_uri(pixels: Pixels) -> str:
    """Pixels as a data URI, without loss."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return data_uri(stream.getvalue(), ".png")


def _read_picture(path: Path, limits: Limits | None) -> Pixels:
    """[H, W, 3] uint8 of any picture, also of a Linnet file."""
    if path.suffix.lower() == ".lnt":
        from ..decode import decode

        return load_rgb(decode(path, limits=limits).to_pil(), limits)
    return load_rgb(path, limits)


def _uri(path: Path, pixels: Pixels) -> str:
    suffix = {".jpeg": ".jpg"}.get(path.suffix.lower(), path.suffix.lower())
    return data_uri(path.read_bytes(), suffix) if suffix in BROWSER_FORMATS else png_uri(pixels)
