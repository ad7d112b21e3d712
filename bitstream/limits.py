"""Limits that are checked before anything is allocated; all can be set by the caller."""

from dataclasses import dataclass, fields

from .errors import LimitExceededError


@dataclass(frozen=True, slots=True)
class Limits:
    """What a reader accepts. Every value is an int of at least 0.

    Source: FORMAT.md section 14.
    """

    max_pixels: int = 2**28  # width x height
    max_side: int = 65535  # pixels, width and height each
    max_metadata_bytes: int = 16 * 2**20  # ICC, EXIF and XMP together, or streams and tags
    max_alpha_bytes: int = 2**30  # coded alpha; 2**28 samples of 16 bits take half of it raw
    max_tile_bytes: int = 2**28  # coded payload of one tile
    max_frame_bytes: int = 2**28  # one coded frame of a clip
    max_packets_bytes: int = 2**26  # one chunk of sound or subtitles
    max_tile_side: int = 2048  # pixels, as far as the picture reaches; networks see a tile as a whole

    @classmethod
    def none(cls) -> "Limits":
        """Those of a reader that trusts its file, since it has just been written here."""
        return cls(**{field.name: 2**62 for field in fields(cls)})

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, int) or value < 0:
                raise ValueError(f"{field.name} must be an integer of at least 0, not {value!r}")

    def check_size(
        self, width: int, height: int, *, chunk: str | None = None, offset: int | None = None
    ) -> None:
        """Refuse a picture that is too large.

        Args:
            width, height: pixels.
            chunk, offset: where a file claims that size, for the message.
        Raises:
            LimitExceededError: a side above max_side, or more than max_pixels.
        """
        if max(width, height) > self.max_side:
            raise LimitExceededError(
                f"the picture is {width}x{height} pixels, at most {self.max_side} a side (Limits.max_side)",
                chunk=chunk,
                offset=offset,
            )
        if width * height > self.max_pixels:
            raise LimitExceededError(
                f"the picture is {width}x{height} = {width * height} pixels, "
                f"at most {self.max_pixels} (Limits.max_pixels)",
                chunk=chunk,
                offset=offset,
            )

    def check_tile(self, side: int, *, chunk: str | None = None, offset: int | None = None) -> None:
        """Refuse tiles that are too large: each of their pixels takes tens of bytes to decode.

        Args:
            side: the longer one of the largest tile, pixels.
            chunk, offset: where a file claims it, for the message.
        Raises:
            LimitExceededError: above max_tile_side.
        """
        if side > self.max_tile_side:
            raise LimitExceededError(
                f"the tiles are {side} pixels wide or high, at most {self.max_tile_side} "
                "(Limits.max_tile_side)",
                chunk=chunk,
                offset=offset,
            )
