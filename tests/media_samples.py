"""Files and blocks that the tests of media need: image files, deep pixels, EXIF, a CMYK profile."""

import io
import struct

import numpy as np
from PIL import ExifTags, Image, PngImagePlugin


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def deep_photo(photo: Image.Image, channels: int) -> np.ndarray:
    """[H, W, channels] uint16: the photograph with its low bytes filled, as a camera of 14 bits would."""
    eight = np.array(photo.convert("RGB"), np.uint16)[:301, :203]
    noise = np.random.default_rng(7).integers(0, 257, (301, 203, 3), dtype=np.uint16)
    colour = eight * 257 - np.minimum(noise, eight * 257)
    alpha = np.linspace(0, 65535, 203).astype(np.uint16)[None, :, None].repeat(301, axis=0)
    planes = colour[:, :, : 1 if channels < 3 else 3]
    return np.dstack([planes, alpha]) if channels in (2, 4) else np.ascontiguousarray(planes)


def png_file(header: bytes, pixels: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of an IHDR, other chunks, and one IDAT of these bytes, deflated already."""
    stream = io.BytesIO()
    for kind, content in ((b"IHDR", header), *chunks, (b"IDAT", pixels), (b"IEND", b"")):
        PngImagePlugin.putchunk(stream, kind, content)
    return b"\x89PNG\r\n\x1a\n" + stream.getvalue()


def exif_block(orientation: int, endian: str = "<") -> bytes:
    """An EXIF block as a camera writes it: make, orientation, a date, a place."""
    tags = Image.Exif()
    tags.endian = endian
    tags[ExifTags.Base.Make] = "Linnet Optical"
    tags[ExifTags.Base.Orientation] = orientation
    tags.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2024:05:06 07:08:09"
    tags.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    return tags.tobytes()[6:]


def cmyk_profile() -> bytes:
    """A press that prints warm: one table from the 16 corners of CMYK to Lab (ICC.1, lut8Type)."""
    corners = np.stack(np.meshgrid(*[[0, 1]] * 4, indexing="ij"), -1).reshape(16, 4)
    cyan, magenta, yellow, black = corners.T
    lab = [
        235 * (1 - black) * (3 - cyan - magenta - yellow) // 3,
        128 + 60 * (magenta - cyan),
        140 + 70 * yellow,
    ]
    identity = [int(v * 65536) for v in np.eye(3).ravel()]
    ramps = bytes(range(256))
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + struct.pack(">9i", *identity)
    table += ramps * 4 + np.stack(lab, -1).astype(np.uint8).tobytes() + ramps * 3
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    text = b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(78)
    tags, place, directory = [(b"desc", text), (b"wtpt", white), (b"A2B0", table)], 128 + 4 + 3 * 12, b""
    for name, data in tags:
        directory += name + struct.pack(">II", place, len(data))
        place += len(data)
    head = (
        struct.pack(">I4sI4s4s4s", place, b"lcms", 0x02400000, b"prtr", b"CMYK", b"Lab ")
        + bytes(12)
        + b"acsp"
    )
    head = head.ljust(68, b"\0") + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + struct.pack(">I", 3) + directory + b"".join(data for _, data in tags)
