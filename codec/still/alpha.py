"""Alpha without loss: a grey PNG datastream of 8 or 16 bits, carried as an opaque chunk."""

import io

import numpy as np
from PIL import Image, PngImagePlugin

from ...bitstream.errors import CorruptFileError
from ..frame import Samples
from ..image.png import count_pixel_bytes, only_pixels

_MODES = {8: "L", 16: "I;16"}


def alpha_to_png(alpha: Samples) -> bytes:
    """Code an alpha plane.

    Args:
        alpha: [H, W] uint8 or uint16, full range.
    Returns:
        a PNG datastream: one grey channel of the same depth.
    Raises:
        ValueError: another shape or dtype.
    """
    if alpha.ndim != 2 or alpha.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"alpha must be [H, W] uint8 or uint16, not {list(alpha.shape)} {alpha.dtype}")
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(alpha)).save(stream, "PNG", compress_level=9)
    return stream.getvalue()


def alpha_from_png(data: bytes, width: int, height: int, bit_depth: int) -> Samples:
    """Decode an alpha plane.

    Args:
        data: a PNG datastream as alpha_to_png makes it.
        width, height: pixels of the picture it belongs to.
        bit_depth: 8 or 16, that of the picture.
    Returns:
        [height, width] uint8 or uint16.
    Raises:
        CorruptFileError: not such a PNG, or not of this size and depth; known before pixels are decoded.
    """
    stream = io.BytesIO(only_pixels(data))  # Pillow refuses odd chunks that do not matter here
    try:
        # The class itself, not Image.open: no other format is tried, and Pillow's size limit stays out of it.
        image = PngImagePlugin.PngImageFile(stream)
    except Exception as error:  # Pillow raises SyntaxError, ValueError, struct.error and others
        raise CorruptFileError(f"the alpha plane is not a PNG datastream: {error}", chunk="alpha") from error
    expected = (_MODES[bit_depth], (width, height))
    if (image.mode, image.size) != expected:
        raise CorruptFileError(
            f"the alpha plane is {image.mode} {image.width}x{image.height}, "
            f"the picture needs {expected[0]} {width}x{height}",
            chunk="alpha",
        )
    header = stream.getvalue()[12:29]  # of a PNG: IHDR, width, height, depth, colour type, 2 more, interlaced
    if (header[:4], header[12], header[13], header[16]) != (b"IHDR", bit_depth, 0, 0):
        raise CorruptFileError(
            f"the alpha plane is not of {bit_depth}-bit grey samples in one pass", chunk="alpha"
        )
    there, due = count_pixel_bytes(stream)
    if there != due:
        raise CorruptFileError(
            f"the alpha plane inflates to {'more' if there > due else there} bytes where {due} are due: "
            "it is cut off or damaged",
            chunk="alpha",
        )
    try:
        image.load()
    except Exception as error:  # as above, and OSError for a truncated stream
        raise CorruptFileError(f"the alpha plane is damaged: {error}", chunk="alpha") from error
    return np.array(image, dtype=np.uint8 if bit_depth == 8 else np.uint16)
