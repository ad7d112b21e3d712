"""Images in: any file that Pillow or PyAV can read becomes a Frame; size limits come before pixels."""

import io
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeAlias

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

from ..bitstream.errors import LimitExceededError
from ..bitstream.limits import Limits
from .deep import decode_deep
from .errors import MediaWarning, UnreadableImageError
from .frame import Frame, Samples
from .modes import samples_of, scale_transparent_level
from .opening import check_stream
from .png import count_pixel_bytes, without_bulk
from .tags import orientation_in, read_metadata

ImageSource: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | Image.Image

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
    with _blaming(name):
        image = _open(stream, limits, name)
    return _frame_of(image, limits, name)


@contextmanager
def _blaming(name: str) -> Iterator[None]:
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


def _open(stream: BinaryIO, limits: Limits, name: str) -> ImageFile.ImageFile:
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
    if not stream.seekable() or stream.tell() != len(prefix):
        stream = io.BytesIO(prefix + stream.read())  # plugins seek from the beginning
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
        _warn(f"{name}: more than a mebibyte of compressed metadata in one chunk is left out")
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


def _frame_of(image: Image.Image, limits: Limits, name: str) -> Frame:
    """Check the size, then decode."""
    limits.check_size(*image.size)
    with _blaming(name):
        if 0 in image.size:
            raise UnreadableImageError(f"it has no pixels ({image.width}x{image.height})")
        if (bits := _avif_bits(image)) > 8:
            _warn(f"{name} has {bits} bits a sample: read as 8")
        if getattr(image, "is_animated", False):
            _warn(f"{name} holds several pictures: only the first is used")
        metadata, codec = read_metadata(image), _deep_codec(image)
        data = _whole_file(image) if codec else b""
        _load(image)
        if image.format == "PNG":
            metadata = read_metadata(image)  # chunks behind the pixels count too
        deep = _deep_samples(image, data, codec, name) if codec else None
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


def _warn(message: str) -> None:
    warnings.warn(message, MediaWarning, stacklevel=2)


def _deep_codec(image: Image.Image) -> str | None:
    """PyAV's codec for an opened file whose colours have 16 bits, which Pillow would cut to 8."""
    if not isinstance(image, ImageFile.ImageFile) or not image.tile:
        return None
    args = image.tile[0].args
    if isinstance(image, PngImagePlugin.PngImageFile):
        return "png" if args in ("RGB;16B", "RGBA;16B", "LA;16B") else None
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        bits = image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE, ())
        return "tiff" if len(bits) > 1 and max(bits) > 8 else None
    if isinstance(image, PpmImagePlugin.PpmImageFile) and image.mode == "RGB" and isinstance(args, tuple):
        return "ppm" if int(args[1]) > 255 else None
    return None


def _avif_bits(image: Image.Image) -> int:
    """Bits a sample of an AVIF file, of which Pillow gives 8; 0 of any other.

    Source: AV1 Codec ISO Media File Format Binding, section 2.3.
    """
    if image.format != "AVIF":
        return 0
    data = _whole_file(image)
    place = data.find(b"av1C") + 6
    flags = data[place] if 6 <= place < len(data) else 0
    return 8 if not flags & 0x40 else 12 if flags & 0x20 else 10


def _whole_file(image: Image.Image) -> bytes:
    if not isinstance(image, ImageFile.ImageFile) or image.fp is None:
        return b""
    place = image.fp.tell()
    image.fp.seek(0)
    data = image.fp.read()
    image.fp.seek(place)
    return data


def _deep_samples(image: Image.Image, data: bytes, codec: str, name: str) -> Samples | None:
    """[H, W, C] uint16 of a file, or None, with a warning, where only Pillow can read it."""
    try:
        samples = decode_deep(data, codec)
        if isinstance(image, TiffImagePlugin.TiffImageFile):
            kinds = image.tag_v2.get(TiffImagePlugin.EXTRASAMPLES, ())
            if samples.shape[2] != len(image.getbands()) or 1 in kinds:
                raise UnreadableImageError("extra samples or premultiplied alpha")
        if {*samples.shape[:2]} != {*image.size}:  # a set: Pillow has turned TIFF
            raise UnreadableImageError(f"PyAV finds {samples.shape[1]}x{samples.shape[0]} pixels in it")
    except UnreadableImageError as error:
        _warn(f"{name} has 16 bits a sample, of which only 8 could be read: {error}")
        return None
    return samples
