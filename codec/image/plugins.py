"""Image files opened with Pillow, pixels not yet decoded: which plugin, and who is at fault."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from ...bitstream.errors import LimitExceededError
from ...bitstream.limits import Limits
from ...bitstream.streams import is_seekable
from ..errors import MediaWarning, UnreadableImageError
from .png import without_bulk

_PREFIX_BYTES = 16  # that tell the formats apart
# The plugins are imported, and so registered; no others are tried, whatever else is installed.
_PLUGINS = (
    PngImagePlugin.PngImageFile,
    JpegImagePlugin.JpegImageFile,
    WebPImagePlugin.WebPImageFile,
    AvifImagePlugin.AvifImageFile,
    TiffImagePlugin.TiffImageFile,
    PpmImagePlugin.PpmImageFile,
    BmpImagePlugin.BmpImageFile,
    GifImagePlugin.GifImageFile,
)
FORMATS = tuple(plugin.format for plugin in _PLUGINS if plugin.format)


@contextmanager
def blaming(name: str) -> Iterator[None]:
    """Say in our words who is at fault: Pillow raises SyntaxError, ValueError, struct.error and others."""
    try:
        yield
    except (LimitExceededError, MemoryError):
        raise
    except Image.DecompressionBombError as error:  # some plugins ask for themselves
        raise LimitExceededError(f"{name}: {error} (PIL.Image.MAX_IMAGE_PIXELS)") from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk's fault; Pillow's own OSErrors have no number
        reason = f"{error}" or type(error).__name__
        raise UnreadableImageError(f"{name} cannot be read as an image: {reason}") from error


def open_image(stream: BinaryIO, limits: Limits, name: str) -> ImageFile.ImageFile:
    """Open with the plugin that accepts the first bytes.

    Not with Image.open, whose size limit is a global of the process and unlike ours.
    """
    prefix = b""
    while len(prefix) < _PREFIX_BYTES and (more := stream.read(_PREFIX_BYTES - len(prefix))):
        prefix += more
    if not prefix:
        raise UnreadableImageError("it is empty")
    for form in FORMATS:
        factory, accepts = Image.OPEN[form]
        if accepts is None or accepts(prefix) is True:
            break
    else:  # before a pipe is read to its end, if it has one
        raise UnreadableImageError(f"{_found(prefix)}; expected one of {', '.join(FORMATS)}")
    if not is_seekable(stream) or isinstance(stream, io.RawIOBase) or stream.tell() != len(prefix):
        # Plugins seek from the beginning, and take a short read for the end.
        stream = io.BytesIO(prefix + stream.read())
    stream.seek(0)
    try:
        return factory(stream, "")
    except ValueError as error:
        if form != "PNG" or "MAX_TEXT_CHUNK" not in str(error):
            raise
    stream.seek(0)
    return _open_png(stream.read(), limits, name)


def _open_png(data: bytes, limits: Limits, name: str) -> ImageFile.ImageFile:
    """Open a PNG with more compressed metadata than Pillow takes."""
    rest, profile, lost = without_bulk(data, limits.max_metadata_bytes)
    if lost:
        warnings.warn(
            f"{name}: more than a mebibyte of compressed metadata in one chunk is left out",
            MediaWarning,
            stacklevel=1,
        )
    image = PngImagePlugin.PngImageFile(io.BytesIO(rest), "")
    if profile is not None:
        image.info["icc_profile"] = profile
    return image


def _found(prefix: bytes) -> str:
    if prefix.startswith(b"\x89LNT"):
        return "it is a Linnet file already"
    if prefix[4:8] == b"ftyp":
        return f"it is an ISO media file of the brand {prefix[8:12].decode('ascii', 'replace')!r}"
    return f"it starts with {prefix!r}"
