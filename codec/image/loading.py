"""Images in: any file that Pillow or PyAV can read becomes a Frame; size limits come before pixels."""

import io
import os
import warnings
from pathlib import Path
from typing import BinaryIO, TypeAlias

from PIL import Image, PngImagePlugin

from ...bitstream.limits import Limits
from ..errors import MediaWarning, UnreadableImageError
from ..files.opening import check_stream
from ..frame import Frame
from .depth import avif_bits, deep_codec, deep_samples, file_bytes
from .modes import samples_of, scale_transparent_level
from .plugins import blaming, open_image
from .png import count_pixel_bytes
from .tags import orientation_in, read_metadata

ImageSource: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | Image.Image


def load_image(source: ImageSource, limits: Limits | None = None) -> Frame:
    """Read an image.

    Args:
        source: a path, the bytes of a file, a binary stream (also a pipe), or a Pillow image.
        limits: what to refuse, before pixels are decoded.
    Returns:
        a frame with the pixels as stored and the orientation beside them.
    Warns:
        MediaWarning: only the first of several frames is used; samples of more than 8
            bits could be read as 8 only; metadata in a PNG that is too large.
    Raises:
        UnreadableImageError: no image, a damaged one, or pixels of an unsupported kind.
        LimitExceededError: larger than limits.
        OSError: the disk's fault (missing, a directory, not allowed).
        ValueError: nothing that holds an image.
    """
    limits = limits or Limits()
    if isinstance(source, Image.Image):
        return _frame_of(source, limits, "the image")
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _load_stream(io.BytesIO(source), limits, "the data")
    if isinstance(source, (str, os.PathLike)):
        with Path(source).open("rb") as stream:
            return _load_stream(stream, limits, f"'{os.fspath(source)}'")
    check_stream(source)
    return _load_stream(source, limits, f"'{getattr(source, 'name', 'the stream')}'")


def _load_stream(stream: BinaryIO, limits: Limits, name: str) -> Frame:
    with blaming(name):
        image = open_image(stream, limits, name)
    return _frame_of(image, limits, name)


def _frame_of(image: Image.Image, limits: Limits, name: str) -> Frame:
    """Check the size, then decode."""
    limits.check_size(*image.size)
    with blaming(name):
        if 0 in image.size:
            raise UnreadableImageError(f"it has no pixels ({image.width}x{image.height})")
        if (bits := avif_bits(image)) > 8:
            warnings.warn(f"{name} has {bits} bits a sample: read as 8", MediaWarning, stacklevel=1)
        if getattr(image, "is_animated", False):
            warnings.warn(
                f"{name} holds several pictures: only the first is used", MediaWarning, stacklevel=1
            )
        metadata, codec = read_metadata(image), deep_codec(image)
        data = file_bytes(image) if codec else b""
        _load(image)
        if image.format == "PNG":
            metadata = read_metadata(image)  # chunks behind the pixels count too
        deep = deep_samples(image, data, codec, name) if codec else None
        # Pillow has turned a TIFF upright by now, PyAV has not.
        turned = deep is None and image.format == "TIFF"
        return Frame.from_array(
            samples_of(image) if deep is None else deep,
            orientation=1 if turned else orientation_in(metadata),
            metadata=metadata,
        )


def _load(image: Image.Image) -> None:
    """Decode; of a PNG also see to what Pillow does not: rows that are missing, the level that is clear."""
    if not isinstance(image, PngImagePlugin.PngImageFile) or image.fp is None or not image.tile:
        image.load()
        return
    there, due = count_pixel_bytes(image.fp)
    if there < due:
        raise UnreadableImageError(
            f"its pixels inflate to {there} bytes where {due} are due: it is cut off or damaged"
        )
    raw = image.tile[0].args
    image.load()
    scale_transparent_level(image, raw)
