"""Pillow reads and writes .lnt once this is imported: Image.open("a.lnt"), image.save("b.lnt", quality=40).

save takes `quality` (0 to 100, by default 50), `model`, `icc_profile`, `exif` and `xmp`. As with Pillow's own
formats, the ICC profile of an image goes along by itself, EXIF and XMP only where they are passed.
"""

from __future__ import annotations  # Image.core.PixelAccess is a type only, not there at run time

from typing import IO, BinaryIO, cast

from PIL import Image, ImageFile

from .bitstream.chunks import SIGNATURE
from .bitstream.header import Colour, Header
from .bitstream.reader import Reader
from .codec.image.exif import PREFIX, with_orientation
from .codec.image.tags import upright_xmp

_NAME = "LNT"


def _mode(header: Header) -> str:
    """The mode that Frame.to_pil makes of such a file."""
    if header.bit_depth == 16 and header.colour is Colour.GREY and not header.has_alpha:
        return "I;16"
    return ("L" if header.colour is Colour.GREY else "RGB") + ("A" if header.has_alpha else "")


class LinnetImageFile(ImageFile.ImageFile):
    """A Linnet still: opening reads the header and the metadata, pixels are decoded when first needed.

    They stand upright, and EXIF and XMP say so. Errors are Linnet's own (linnet.FormatError and so on):
    they name the place and the cure.
    """

    format = _NAME
    format_description = "Linnet image"

    def _open(self) -> None:
        reader = Reader(self._stream())
        header, metadata = reader.header, reader.metadata
        self._mode = _mode(header)
        sides = header.full_width, header.full_height
        self._size = sides[::-1] if header.orientation >= 5 else sides  # 5 to 8 swap them
        if metadata.icc:
            self.info["icc_profile"] = metadata.icc
        if metadata.exif:
            self.info["exif"] = PREFIX + with_orientation(metadata.exif, 1)
        if metadata.xmp:
            self.info["xmp"] = upright_xmp(metadata.xmp)

    def _stream(self) -> BinaryIO:
        """The file from its beginning."""
        if self.fp is None:
            raise ValueError("operation on a closed image")
        self.fp.seek(0)
        return cast("BinaryIO", self.fp)

    def load(self) -> Image.core.PixelAccess | None:
        """Decode the pixels if that has not been done."""
        if self._im is None:
            from .codec.decode import decode  # only now: it loads torch

            self.im = decode(self._stream()).to_pil().im
            self.readonly = 0
            if self._exclusive_fp and self.fp is not None:
                self.fp.close()
                self.fp = None
        return super().load()

    def verify(self) -> None:
        """Check the container to its last byte without decoding; afterwards the image must be opened anew."""
        for _ in Reader(self._stream()).tiles():
            pass
        super().verify()


def _accept(prefix: bytes) -> bool:
    return prefix.startswith(SIGNATURE)


def _save(image: Image.Image, stream: IO[bytes], filename: str | bytes) -> None:
    from .codec.encode import encode
    from .codec.image.loading import load_image

    options = image.encoderinfo
    copy = image.copy()
    for name in ("exif", "xmp"):
        copy.info.pop(name, None)
    for name in ("exif", "xmp", "icc_profile"):
        if name in options:
            value = options[name]
            copy.info[name] = value.tobytes() if isinstance(value, Image.Exif) else value
    settings = {name: options[name] for name in ("quality", "model") if name in options}
    encode(load_image(copy), cast("BinaryIO", stream), **settings)


Image.register_open(_NAME, LinnetImageFile, _accept)
Image.register_save(_NAME, _save)
Image.register_extension(_NAME, ".lnt")
