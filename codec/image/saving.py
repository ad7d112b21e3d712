"""Images out: a Frame becomes a file of the kind its suffix names, whole or not at all."""

import os
import warnings
from dataclasses import replace
from pathlib import PurePath
from typing import BinaryIO

import numpy as np

from ...bitstream.metadata import Metadata
from ...bitstream.streams import write_all
from ..errors import MediaWarning
from ..files.destination import written
from ..frame import Frame
from .exif import with_orientation
from .tags import upright_xmp
from .writers import FORMATS, Format

SUFFIXES = tuple(suffix for form in FORMATS for suffix in form.suffixes)


def find_format(name: str) -> Format:
    """Find a format by suffix or name: ".jpg", "jpg" and "JPEG" are the same.

    Raises:
        ValueError: none that can be written.
    """
    suffix = "." + name.lower().lstrip(".")
    for form in FORMATS:
        if suffix in form.suffixes:
            return form
    raise ValueError(f"cannot write images as {name!r}: expected one of {', '.join(SUFFIXES)}")


def save_image(
    frame: Frame,
    target: str | os.PathLike[str] | BinaryIO,
    format: str | None = None,
    *,
    overwrite: bool = False,
) -> int:
    """Write a frame as an image file.

    The pixels are written upright, with the orientation in EXIF and XMP set to 1. PNG, WebP and TIFF keep the
    pixels without loss; JPEG and AVIF are written at quality 95, 4:4:4.

    Args:
        frame: the picture.
        target: a path, written atomically, or a binary stream, which need not be seekable.
        format: suffix or name of the format; by default the suffix of the path. A stream needs it.
        overwrite: replace an existing file.
    Returns:
        bytes written.
    Warns:
        MediaWarning: 16 bits are rounded to 8, or metadata left out, since the format cannot hold them.
    Raises:
        ValueError: unknown format, or one that cannot hold this frame: its alpha, colour, size or metadata.
        FileExistsError: the file exists and overwrite is False.
        OSError: the disk's fault; filename is the path.
    """
    is_path = isinstance(target, (str, os.PathLike))
    name = format or (PurePath(target).suffix if is_path else "")
    if not name:
        reason = f"'{os.fspath(target)}' has no suffix" if is_path else "a stream has no suffix"
        raise ValueError(f"{reason} to tell the format: expected one of {', '.join(SUFFIXES)}")
    form = find_format(name)
    fitting = _fitted(frame, form)
    with written(target, overwrite) as stream:  # asks for an existing file before the work is done
        write_all(stream, data := _encoded(fitting, form))
    return len(data)


def _encoded(frame: Frame, form: Format) -> bytes:
    try:
        return form.encode(frame)
    except Exception as error:  # nothing here touches the disk: what fails is what the format cannot hold
        if isinstance(error, MemoryError):
            raise
        raise ValueError(f"cannot write this picture as {form.name}: {error}") from error


def _fitted(frame: Frame, form: Format) -> Frame:
    """The frame upright and as the format can hold it; what is lost is warned of, never alpha."""
    frame = frame.oriented()
    if max(frame.width, frame.height) > form.max_side:
        raise ValueError(
            f"{form.name} holds at most {form.max_side} pixels a side, "
            f"the picture has {frame.width}x{frame.height}: save as .png"
        )
    if frame.alpha is not None and not form.has_alpha:
        if np.any(frame.alpha != np.iinfo(frame.alpha.dtype).max):
            raise ValueError(f"{form.name} cannot hold transparency: save as .png, .webp, .avif or .tif")
        frame = replace(frame, alpha=None)  # opaque everywhere: nothing is lost
    if frame.bit_depth > form.bit_depth:
        warnings.warn(
            f"{form.name} holds {form.bit_depth} bits a sample: rounded from {frame.bit_depth}",
            MediaWarning,
            stacklevel=3,
        )
        frame = frame.to_eight_bits()
    return replace(frame, metadata=_metadata_for(frame.metadata, form))


def _metadata_for(metadata: Metadata, form: Format) -> Metadata:
    """Metadata as it is written: upright, without what the format has no place for."""
    upright = Metadata(
        icc=metadata.icc,
        exif=with_orientation(metadata.exif, 1) if metadata.exif else None,
        xmp=upright_xmp(metadata.xmp) if metadata.xmp else None,
    )
    parts = {"icc": ("ICC profile", None), "exif": ("EXIF", form.most_exif), "xmp": ("XMP", form.most_xmp)}
    lost: dict[str, str] = {}
    for part, (name, most) in parts.items():
        size = len(getattr(upright, part) or b"")
        if size and not form.has_metadata:
            lost[part] = name
        elif most is not None and size > most:
            lost[part] = f"{name} of {size} bytes"
    if lost:
        names = ", ".join(lost.values())
        warnings.warn(f"{form.name} cannot hold metadata: {names} left out", MediaWarning, stacklevel=4)
    return replace(upright, **dict.fromkeys(lost))
