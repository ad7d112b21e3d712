"""Frame: the pixels of one picture and what they mean."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..bitstream.errors import LinnetError
from ..bitstream.header import Colour
from ..bitstream.metadata import Metadata
from .image.exif import with_orientation
from .orientation import check_orientation, swaps_sides, turn_back, turn_upright
from .still.losses import Losses

Samples: TypeAlias = NDArray[np.uint8 | np.uint16]


def to_eight_bits(samples: Samples) -> NDArray[np.uint8]:
    """Round samples of 16 bits to 8 (65535 becomes 255); samples of 8 bits stay as they are."""
    if samples.dtype == np.uint8:
        return samples.astype(np.uint8, copy=False)
    # 65535 = 257 * 255: adding 128 before the division rounds to nearest.
    return ((samples.astype(np.uint32) + 128) // 257).astype(np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture.

    Attributes:
        pixels: [H, W, C] uint8 or uint16, full range; C is 1 (grey) or 3 (RGB). Alpha is apart.
        alpha: [H, W] of the dtype of pixels, not premultiplied; None where the picture has none.
        orientation: 1 to 8, EXIF meaning: how to turn `pixels` for display. 1 is upright.
            It rules; the orientation tag inside metadata.exif is the source's and only kept.
        metadata: ICC profile, EXIF (from the TIFF header on, no "Exif" prefix) and XMP, byte for byte.
        losses: what a damaged file that it was decoded from had lost; None if nothing.
        repairs: damage to that file which its other shares made good: nothing of the picture is lost by it.
    Raises:
        ValueError: shape, dtype or orientation outside the above.
    """

    pixels: Samples
    alpha: Samples | None = None
    orientation: int = 1
    metadata: Metadata = field(default_factory=Metadata)
    losses: Losses | None = None
    repairs: tuple[LinnetError, ...] = ()

    def __post_init__(self) -> None:
        pixels, alpha = self.pixels, self.alpha
        if pixels.dtype not in (np.uint8, np.uint16):
            raise ValueError(f"pixels must be uint8 or uint16, full range, not {pixels.dtype}")
        if pixels.ndim != 3 or pixels.shape[2] not in (1, 3):
            raise ValueError(f"pixels must be [H, W, 1] or [H, W, 3], not {list(pixels.shape)}")
        if 0 in pixels.shape:
            raise ValueError(f"a picture has at least one pixel, not {list(pixels.shape)}")
        if alpha is not None and (alpha.shape != pixels.shape[:2] or alpha.dtype != pixels.dtype):
            raise ValueError(
                f"alpha must be {list(pixels.shape[:2])} {pixels.dtype} as the pixels are, "
                f"not {list(alpha.shape)} {alpha.dtype}"
            )
        check_orientation(self.orientation)

    @classmethod
    def from_array(
        cls, array: NDArray[Any], *, orientation: int = 1, metadata: Metadata | None = None
    ) -> Frame:
        """Make a frame of an array.

        Args:
            array: [H, W], or [H, W, C] with C of 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGB, alpha);
                uint8 or uint16, full range. It is not copied where it needs no rearrangement.
        Raises:
            ValueError: another shape or dtype.
        """
        if array.ndim not in (2, 3):
            raise ValueError(f"an image array is [H, W] or [H, W, C], not {list(array.shape)}")
        planes = array[:, :, None] if array.ndim == 2 else array
        channels = planes.shape[2]
        if channels not in (1, 2, 3, 4):
            raise ValueError(f"an image array has 1 to 4 channels, not {channels} ({list(array.shape)})")
        colours = 1 if channels < 3 else 3
        # Native byte order, also from files that store the other one.
        planes = planes.astype(planes.dtype.newbyteorder("="), copy=False)
        alpha = np.ascontiguousarray(planes[:, :, -1]) if channels in (2, 4) else None
        pixels = np.ascontiguousarray(planes[:, :, :colours])
        return cls(pixels, alpha, orientation, metadata or Metadata())

    @property
    def bit_depth(self) -> int:
        """Bits of a sample: 8 or 16."""
        return self.pixels.dtype.itemsize * 8

    @property
    def colour(self) -> Colour:
        """Grey or RGB."""
        return Colour.GREY if self.pixels.shape[2] == 1 else Colour.RGB

    @property
    def width(self) -> int:
        """Pixels across, as stored (before turning upright)."""
        return self.pixels.shape[1]

    @property
    def height(self) -> int:
        """Pixels down, as stored (before turning upright)."""
        return self.pixels.shape[0]

    @property
    def upright_size(self) -> tuple[int, int]:
        """(width, height) as a viewer shows it."""
        return (self.height, self.width) if swaps_sides(self.orientation) else (self.width, self.height)

    def with_alpha(self) -> Samples:
        """Colour and alpha in one array: [H, W, C + 1], or pixels where there is no alpha."""
        return self.pixels if self.alpha is None else np.dstack([self.pixels, self.alpha])

    def oriented(self) -> Frame:
        """The same picture with its pixels turned upright: orientation is 1. Metadata stays byte for byte."""
        if self.orientation == 1:
            return self
        alpha = None if self.alpha is None else turn_upright(self.alpha, self.orientation)
        return replace(self, pixels=turn_upright(self.pixels, self.orientation), alpha=alpha, orientation=1)

    def stored_as(self, orientation: int) -> Frame:
        """The same picture with its pixels stored in another orientation; undoes oriented().

        Raises:
            ValueError: orientation is not 1 to 8.
        """
        check_orientation(orientation)
        upright = self.oriented()
        alpha = None if upright.alpha is None else turn_back(upright.alpha, orientation)
        return replace(
            upright, pixels=turn_back(upright.pixels, orientation), alpha=alpha, orientation=orientation
        )

    def to_eight_bits(self) -> Frame:
        """The same picture with samples of 8 bits, rounded to nearest."""
        if self.bit_depth == 8:
            return self
        alpha = None if self.alpha is None else to_eight_bits(self.alpha)
        return replace(self, pixels=to_eight_bits(self.pixels), alpha=alpha)

    def to_pil(self) -> Image.Image:
        """Make a Pillow image, upright.

        Modes L, LA, RGB, RGBA, and I;16 for grey of 16 bits. Pillow has no other mode of 16 bits: those are
        rounded to 8. ICC, EXIF (orientation set to 1) and XMP go into image.info.
        """
        frame = self.oriented()
        if frame.bit_depth == 16 and (frame.alpha is not None or frame.colour is Colour.RGB):
            frame = frame.to_eight_bits()
        samples = frame.with_alpha()
        image = Image.fromarray(samples[:, :, 0] if samples.shape[2] == 1 else samples)
        metadata = frame.metadata
        if metadata.icc:
            image.info["icc_profile"] = metadata.icc
        if metadata.exif:
            image.info["exif"] = b"Exif\0\0" + with_orientation(metadata.exif, 1)
        if metadata.xmp:
            image.info["xmp"] = metadata.xmp
        return image
