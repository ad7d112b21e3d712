"""The image formats Linnet writes: what each can hold, and how a Frame becomes its bytes."""

import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, PngImagePlugin

from ...bitstream.header import Colour
from ...bitstream.metadata import Metadata
from ..frame import Frame
from .deep import encode_deep
from .exif import PREFIX, without_orientation
from .tiff import encode_tiff


@dataclass(frozen=True, slots=True)
class Format:
    """One file format; `encode` takes an upright frame whose depth and alpha the format holds."""

    name: str
    suffixes: tuple[str, ...]
    encode: Callable[[Frame], bytes]
    max_side: int  # pixels
    bit_depth: int = 8  # the most that it holds
    has_alpha: bool = True
    has_metadata: bool = True
    most_exif: int | None = None  # bytes of the block that fit; None for any number
    most_xmp: int | None = None


def _pil(frame: Frame) -> Image.Image:
    """The bare pixels as a Pillow image of 8 bits (or I;16), without metadata in its info."""
    samples = frame.with_alpha()
    return Image.fromarray(samples[:, :, 0] if samples.shape[2] == 1 else samples)


def _saved(frame: Frame, plugin: str, **options: object) -> bytes:
    stream = io.BytesIO()
    _pil(frame).save(stream, plugin, **options)
    return stream.getvalue()


def _blocks(metadata: Metadata) -> dict[str, bytes]:
    """Pillow's names for the metadata that is there."""
    named = {"icc_profile": metadata.icc, "exif": metadata.exif, "xmp": metadata.xmp}
    return {name: data for name, data in named.items() if data}


def encode_png(frame: Frame) -> bytes:
    """PNG of 8 or 16 bits. Metadata goes in as the bytes it is, behind the header chunk."""
    grey = frame.colour is Colour.GREY and frame.alpha is None
    if frame.bit_depth == 16 and not grey:
        data = encode_deep(frame.with_alpha().astype(np.uint16, copy=False), "png")
    else:
        data = _saved(frame, "PNG")
    stream = io.BytesIO()
    header_end = 8 + 12 + 13  # signature; length, type and CRC of IHDR; its payload
    stream.write(data[:header_end])
    metadata = frame.metadata
    # Source: PNG specification, third edition, 11.3 (iCCP, iTXt, eXIf).
    if metadata.icc:
        PngImagePlugin.putchunk(stream, b"iCCP", b"ICC profile\0\0" + zlib.compress(metadata.icc))
    if metadata.xmp:
        PngImagePlugin.putchunk(stream, b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + metadata.xmp)
    if metadata.exif:
        PngImagePlugin.putchunk(stream, b"eXIf", metadata.exif)
    stream.write(data[header_end:])
    return stream.getvalue()


def encode_jpeg(frame: Frame) -> bytes:
    """JPEG at quality 95 without chroma subsampling: the loss shall be Linnet's, not JPEG's."""
    blocks = _blocks(frame.metadata)
    if "exif" in blocks:
        blocks["exif"] = PREFIX + blocks["exif"]
    return _saved(frame, "JPEG", quality=95, subsampling="4:4:4", optimize=True, **blocks)


def encode_webp(frame: Frame) -> bytes:
    """WebP without loss, colours under transparent pixels included."""
    return _saved(frame, "WEBP", lossless=True, exact=True, **_blocks(frame.metadata))


def encode_avif(frame: Frame) -> bytes:
    """AVIF at quality 95 without chroma subsampling."""
    blocks = _blocks(frame.metadata)
    if "exif" in blocks:
        # Pillow would take the tag out itself and rewrite the whole block, which breaks maker notes.
        blocks["exif"] = without_orientation(blocks["exif"])
    subsampling = "4:0:0" if frame.colour is Colour.GREY and frame.alpha is None else "4:4:4"
    return _saved(frame, "AVIF", quality=95, subsampling=subsampling, **blocks)


def encode_bmp(frame: Frame) -> bytes:
    """BMP of 8 bits."""
    return _saved(frame, "BMP")


def encode_tif(frame: Frame) -> bytes:
    """TIFF of 8 or 16 bits."""
    metadata = frame.metadata
    return encode_tiff(frame.with_alpha(), metadata.icc, metadata.exif, metadata.xmp)


def encode_pnm(frame: Frame) -> bytes:
    """PGM of a grey frame, PPM of an RGB one, 8 or 16 bits."""
    if frame.bit_depth == 8:
        return _saved(frame, "PPM")
    codec = "pgm" if frame.colour is Colour.GREY else "ppm"
    return encode_deep(frame.pixels.astype(np.uint16, copy=False), codec)


def _encode_pgm(frame: Frame) -> bytes:
    if frame.colour is not Colour.GREY:
        raise ValueError("it holds grey only: save as .ppm or .png")
    return encode_pnm(frame)


def _encode_ppm(frame: Frame) -> bytes:
    if frame.colour is Colour.GREY:
        frame = Frame(np.repeat(frame.pixels, 3, axis=2))
    return encode_pnm(frame)


_ANY_SIDE = 2**31 - 1
FORMATS = (
    Format("PNG", (".png",), encode_png, _ANY_SIDE, bit_depth=16),
    Format(  # libjpeg's JPEG_MAX_DIMENSION; segments have 65,533 bytes, the names of what they hold included
        "JPEG", (".jpg", ".jpeg"), encode_jpeg, 65500, has_alpha=False, most_exif=65527, most_xmp=65504
    ),
    Format("WebP", (".webp",), encode_webp, 16383),
    Format("AVIF", (".avif",), encode_avif, 65536),
    Format("TIFF", (".tif", ".tiff"), encode_tif, _ANY_SIDE, bit_depth=16),
    Format("PPM", (".ppm",), _encode_ppm, _ANY_SIDE, bit_depth=16, has_alpha=False, has_metadata=False),
    Format("PGM", (".pgm",), _encode_pgm, _ANY_SIDE, bit_depth=16, has_alpha=False, has_metadata=False),
    Format("PNM", (".pnm",), encode_pnm, _ANY_SIDE, bit_depth=16, has_alpha=False, has_metadata=False),
    Format("BMP", (".bmp",), encode_bmp, _ANY_SIDE, has_alpha=False, has_metadata=False),
)
