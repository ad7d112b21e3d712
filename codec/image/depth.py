"""Files with more bits a sample than Pillow gives: which these are, and their samples."""

import warnings

from PIL import Image, ImageFile, PngImagePlugin, PpmImagePlugin, TiffImagePlugin

from ..errors import MediaWarning, UnreadableImageError
from ..frame import Samples
from .deep import decode_deep


def deep_codec(image: Image.Image) -> str | None:
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


def avif_bits(image: Image.Image) -> int:
    """Bits a sample of an AVIF file, of which Pillow gives 8; 0 of any other.

    Source: AV1 Codec ISO Media File Format Binding, section 2.3.
    """
    if image.format != "AVIF":
        return 0
    data = file_bytes(image)
    place = data.find(b"av1C") + 6
    flags = data[place] if 6 <= place < len(data) else 0
    return 8 if not flags & 0x40 else 12 if flags & 0x20 else 10


def file_bytes(image: Image.Image) -> bytes:
    """The bytes of an opened file, nothing of any other image."""
    if not isinstance(image, ImageFile.ImageFile) or image.fp is None:
        return b""
    place = image.fp.tell()
    image.fp.seek(0)
    data = image.fp.read()
    image.fp.seek(place)
    return data


def deep_samples(image: Image.Image, data: bytes, codec: str, name: str) -> Samples | None:
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
        warnings.warn(
            f"{name} has 16 bits a sample, of which only 8 could be read: {error}", MediaWarning, stacklevel=1
        )
        return None
    return samples
