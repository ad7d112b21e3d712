"""Metadata of Pillow images: ICC profile, EXIF and XMP, byte for byte where the file holds them as blocks."""

import re

from PIL import ExifTags, Image, TiffImagePlugin

from ...bitstream.metadata import Metadata
from .exif import has_orientation, orientation_of, without_prefix

# What describes the picture. All else in a TIFF's first directory says how its pixels are stored.
DESCRIPTIVE_TAGS = (
    ExifTags.Base.ImageDescription,
    ExifTags.Base.Make,
    ExifTags.Base.Model,
    ExifTags.Base.Orientation,
    ExifTags.Base.XResolution,
    ExifTags.Base.YResolution,
    ExifTags.Base.ResolutionUnit,
    ExifTags.Base.Software,
    ExifTags.Base.DateTime,
    ExifTags.Base.Artist,
    ExifTags.Base.HostComputer,
    ExifTags.Base.Copyright,
    ExifTags.Base.ExifOffset,
    ExifTags.Base.GPSInfo,
)
_XMP_ORIENTATION = re.compile(rb'(tiff:Orientation(?:="|>))([1-8])')


def read_metadata(image: Image.Image) -> Metadata:
    """Read what an opened image carries besides pixels.

    A TIFF has no EXIF block: one is built of its descriptive tags. Of a CMYK image no profile is
    returned: its pixels are converted.
    """
    icc = image.info.get("icc_profile") if image.mode not in ("CMYK", "LAB") else None
    return Metadata(icc=_block(icc), exif=_block(_exif(image)), xmp=_block(image.info.get("xmp")))


def _block(value: object) -> bytes | None:
    """Bytes as they are, text as UTF-8, None for nothing or for anything else."""
    if isinstance(value, str):
        value = value.encode()
    return value if isinstance(value, bytes) and value else None


def _exif(image: Image.Image) -> bytes | None:
    """The EXIF block without prefix."""
    exif = image.info.get("exif")
    if isinstance(exif, bytes):
        return without_prefix(exif)
    profile = image.info.get("Raw profile type exif")
    if isinstance(profile, str):  # ImageMagick's form in PNG: newline, name, length, then hexadecimal lines
        try:
            return without_prefix(bytes.fromhex("".join(profile.split("\n")[3:])))
        except ValueError:
            return None
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return _exif_of_tiff(image)
    return None


def _exif_of_tiff(image: TiffImagePlugin.TiffImageFile) -> bytes | None:
    tags = image.getexif()
    copy = Image.Exif()
    copy.endian = "<"
    for tag in DESCRIPTIVE_TAGS:
        if tag in tags:
            value = tags.get_ifd(tag) if tag in TiffImagePlugin.TiffTags.TAGS_V2_GROUPS else tags[tag]
            copy[tag] = value
    return without_prefix(copy.tobytes()) if len(copy) else None


def orientation_in(metadata: Metadata) -> int:
    """EXIF orientation of a picture, 1 to 8: from EXIF, from XMP only where EXIF says nothing of it."""
    if has_orientation(metadata.exif):
        return orientation_of(metadata.exif)
    match = _XMP_ORIENTATION.search(metadata.xmp or b"")
    return int(match[2]) if match else 1


def upright_xmp(xmp: bytes) -> bytes:
    """The XMP packet with its orientation set to 1; nothing else changes."""
    return _XMP_ORIENTATION.sub(rb"\g<1>1", xmp)
