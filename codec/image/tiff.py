"""TIFF out, 8 and 16 bits: Pillow's directory writer around one deflated strip (it has no RGB of 16 bits)."""

import io
import warnings
import zlib

import numpy as np
from PIL import Image, TiffImagePlugin

from ..errors import MediaWarning
from ..frame import Samples
from .exif import PREFIX
from .tags import DESCRIPTIVE_TAGS

_DEFLATE = 8
_HORIZONTAL = 2  # predictor: differences along the row
_UNASSOCIATED_ALPHA = 2
_XMP = 700


def encode_tiff(samples: Samples, icc: bytes | None, exif: bytes | None, xmp: bytes | None) -> bytes:
    """Code a picture as a little-endian TIFF.

    Args:
        samples: [H, W, C] uint8 or uint16, C from 1 to 4 (grey, grey + alpha, RGB, RGBA).
        icc, exif, xmp: metadata; of exif the descriptive tags and its EXIF and GPS directories are written.
    Source: TIFF 6.0; Adobe Photoshop TIFF Technical Notes (deflate); predictor: TIFF 6.0, section 14.
    """
    if samples.shape[2] == 2 and samples.dtype == np.uint16:
        # Grey + alpha of 16 bits is rare in TIFF, and Pillow, hence we too, cannot read it.
        samples = samples[:, :, [0, 0, 0, 1]]
    height, width, channels = samples.shape
    tags = TiffImagePlugin.ImageFileDirectory_v2(prefix=b"II")
    _describe(tags, exif)
    tags[TiffImagePlugin.IMAGEWIDTH] = width
    tags[TiffImagePlugin.IMAGELENGTH] = height
    tags[TiffImagePlugin.BITSPERSAMPLE] = (samples.dtype.itemsize * 8,) * channels
    tags[TiffImagePlugin.COMPRESSION] = _DEFLATE
    tags[TiffImagePlugin.PHOTOMETRIC_INTERPRETATION] = 1 if channels < 3 else 2
    tags[TiffImagePlugin.SAMPLESPERPIXEL] = channels
    tags[TiffImagePlugin.PLANAR_CONFIGURATION] = 1
    tags[TiffImagePlugin.PREDICTOR] = _HORIZONTAL
    if channels in (2, 4):
        tags[TiffImagePlugin.EXTRASAMPLES] = _UNASSOCIATED_ALPHA
    if icc:
        tags[TiffImagePlugin.ICCPROFILE] = icc
    if xmp:
        tags[_XMP] = xmp
    strip = zlib.compress(_differences(samples), 6)
    tags[TiffImagePlugin.ROWSPERSTRIP] = height
    tags[TiffImagePlugin.STRIPBYTECOUNTS] = len(strip)
    tags[TiffImagePlugin.STRIPOFFSETS] = 0  # the directory writer adds where the strip comes to lie
    stream = io.BytesIO()
    tags.save(stream)
    stream.write(strip)
    return stream.getvalue()


def _differences(samples: Samples) -> bytes:
    """The predictor: each sample minus its left neighbour, modulo its range, little-endian."""
    residual = samples.copy()
    residual[:, 1:] -= samples[:, :-1]
    return residual.astype(residual.dtype.newbyteorder("<"), copy=False).tobytes()


def _describe(tags: TiffImagePlugin.ImageFileDirectory_v2, exif: bytes | None) -> None:
    """Copy the descriptive tags of an EXIF block."""
    if not exif:
        return
    found = Image.Exif()
    try:
        found.load(PREFIX + exif)
        for tag in DESCRIPTIVE_TAGS:
            if tag in found:
                directory = tag in TiffImagePlugin.TiffTags.TAGS_V2_GROUPS
                tags[tag] = found.get_ifd(tag) if directory else found[tag]
        tags.tobytes()
    except Exception as error:  # Pillow raises SyntaxError, struct.error and others where EXIF is damaged
        for tag in DESCRIPTIVE_TAGS:
            tags.pop(tag, None)
        warnings.warn(f"the EXIF data could not be written as TIFF tags: {error}", MediaWarning, stacklevel=3)
