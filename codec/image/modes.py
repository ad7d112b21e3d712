"""Colour: from Pillow's pixel modes to the grey and RGB that are coded."""

import io
import warnings

import numpy as np
from numpy import typing as npt
from PIL import Image, ImageCms, TiffImagePlugin

from ..errors import MediaWarning, UnreadableImageError
from ..frame import Samples

_GREY = {"1", "L", "LA", "La"}
_DEEP_GREY = {"I;16", "I;16L", "I;16B", "I;16N"}


def samples_of(image: Image.Image) -> Samples:
    """Give the pixels of a loaded Pillow image.

    1 bit and palettes become 8 bits; CMYK becomes sRGB, through the profile in image.info where there is one.

    Returns:
        [H, W, C] uint8 or uint16, full range, C from 1 to 4: grey, grey + alpha, RGB, RGBA (straight).
    Raises:
        UnreadableImageError: a mode that has no faithful form in 8 or 16 bits (32-bit integers, floats).
    """
    if image.mode in _DEEP_GREY or image.mode == "I":
        return _deep_grey(image)
    if image.mode == "F":
        raise UnreadableImageError("pixels are 32-bit floats: convert them to 8 or 16 bits first")
    if image.mode in ("CMYK", "LAB"):
        image = _to_srgb(image)
    mode = ("L" if image.mode in _GREY else "RGB") + ("A" if image.has_transparency_data else "")
    try:
        samples = np.asarray(image if image.mode == mode else image.convert(mode), np.uint8)
    except ValueError as error:
        raise UnreadableImageError(f"pixels of mode {image.mode} cannot be read: {error}") from error
    return samples[:, :, None] if samples.ndim == 2 else samples


def scale_transparent_level(image: Image.Image, raw: object) -> None:
    """Bring the transparent level of a grey PNG of 1 (older Pillows), 2 or 4 bits to 8, as Pillow its pixels.

    Args:
        image: loaded; its info changes.
        raw: how the file holds the pixels, of image.tile, which is empty once they are loaded.
    """
    largest = {"1": 1, "L;2": 3, "L;4": 15}.get(raw) if isinstance(raw, str) else None
    level = image.info.get("transparency")
    if largest and isinstance(level, int):
        # PNG (W3C), section 11.3.2.1: bits above those of a sample do not count.
        image.info["transparency"] = (level & largest) * (255 // largest)


def _deep_grey(image: Image.Image) -> Samples:
    """[H, W, 1 or 2] uint16 of modes I;16 and I; a transparent grey level becomes alpha."""
    values = np.asarray(image)
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > 65535:
        raise UnreadableImageError(
            f"pixels are 32-bit integers from {low} to {high}: scale them to 0..65535 first"
        )
    grey = values.astype(np.uint16)
    if isinstance(image, TiffImagePlugin.TiffImageFile) and image.mode == "I;16":
        grey = _full_range(grey, image.tag_v2)
    transparent = image.info.get("transparency")
    if not isinstance(transparent, int):
        return grey[:, :, None]
    return np.dstack([grey, np.where(grey == transparent, 0, 65535).astype(np.uint16)])


def _full_range(grey: npt.NDArray[np.uint16], tags: TiffImagePlugin.ImageFileDirectory_v2) -> Samples:
    """Levels of a TIFF as black 0 to white 65535: Pillow leaves 12 bits, and white as 0, as they are."""
    (bits,) = tags.get(TiffImagePlugin.BITSPERSAMPLE, (16,))
    if bits < 16:
        largest = 2**bits - 1
        grey = np.rint(np.arange(2**bits) * (65535 / largest)).astype(np.uint16)[grey]
    white_is_zero = tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == 0
    return ~grey if white_is_zero else grey


def _to_srgb(image: Image.Image) -> Image.Image:
    """CMYK or Lab to RGB: through the profile, else as Pillow does it without one."""
    icc = image.info.get("icc_profile")
    if image.mode == "LAB":
        source = ImageCms.createProfile("LAB")
    elif not icc:
        return image.convert("RGB")
    else:
        source = io.BytesIO(icc)
    try:
        profile = ImageCms.ImageCmsProfile(source)
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
        converted = ImageCms.profileToProfile(image, profile, srgb, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError) as error:
        if image.mode == "LAB":
            raise UnreadableImageError(f"Lab pixels cannot be converted to sRGB: {error}") from error
        warnings.warn(
            f"the profile of this {image.mode} image does not fit it ({error}): colours are approximate",
            MediaWarning,
            stacklevel=2,
        )
        return image.convert("RGB")
    if converted is None:  # only with inPlace
        raise UnreadableImageError(f"{image.mode} pixels cannot be converted to sRGB")
    return converted
