"""RGB to YCbCr of BT.709 and back, for the codecs that take planes.

swscale, which PyAV has, drops the fraction of chroma instead of rounding it: a round trip then has 49 dB
where rounding has 53 dB, and a codec would be blamed for the difference at high rates.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Planes: TypeAlias = list[NDArray[np.uint16]]  # Y [H, W]; Cb and Cr [H, W] or [ceil(H/2), ceil(W/2)]

_KR, _KB = 0.2126, 0.0722  # ITU-R BT.709-6, item 3.2
_KG = 1 - _KR - _KB


def luma(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Y of BT.709, [H, W, 3] -> [H, W], 0 to 255, not rounded."""
    red, green, blue = rgb.astype(np.float64).transpose(2, 0, 1)
    return _KR * red + _KG * green + _KB * blue


def to_planes(rgb: NDArray[np.uint8], depth: int = 8, halved: bool = False) -> Planes:
    """RGB [H, W, 3] to full-range planes.

    Args:
        depth: bits of a sample.
        halved: 4:2:0, each chroma sample the mean of four.
    """
    y = luma(rgb)
    cb = (rgb[:, :, 2] - y) / (2 * (1 - _KB))
    cr = (rgb[:, :, 0] - y) / (2 * (1 - _KR))
    if halved:
        half = (-(-rgb.shape[1] // 2), -(-rgb.shape[0] // 2))
        cb, cr = (_resize(plane, half, Image.Resampling.BOX) for plane in (cb, cr))
    top, middle = (1 << depth) - 1, 1 << (depth - 1)
    levels = (y * top / 255, cb * top / 255 + middle, cr * top / 255 + middle)
    return [np.clip(np.rint(plane), 0, top).astype(np.uint16) for plane in levels]


def to_rgb(planes: Planes, depth: int = 8) -> NDArray[np.uint8]:
    """Full-range planes to RGB [H, W, 3]; smaller chroma is enlarged, bicubic."""
    top, middle = (1 << depth) - 1, 1 << (depth - 1)
    y = planes[0] * (255 / top)
    cb, cr = ((plane.astype(np.float64) - middle) * (255 / top) for plane in planes[1:])
    if cb.shape != y.shape:
        size = (y.shape[1], y.shape[0])
        cb, cr = (_resize(plane, size, Image.Resampling.BICUBIC) for plane in (cb, cr))
    red = y + 2 * (1 - _KR) * cr
    blue = y + 2 * (1 - _KB) * cb
    green = (y - _KR * red - _KB * blue) / _KG
    return np.clip(np.rint(np.stack([red, green, blue], axis=2)), 0, 255).astype(np.uint8)


def _resize(plane: NDArray[np.float64], size: tuple[int, int], how: Image.Resampling) -> NDArray[np.float64]:
    image = Image.fromarray(plane.astype(np.float32))
    return np.asarray(image.resize(size, how), dtype=np.float64)
