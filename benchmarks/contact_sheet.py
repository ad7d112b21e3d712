"""A contact sheet: pictures in rows, codecs in columns, a caption under each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_GAP, _FONT_PX = 6, 13
_PAPER, _INK = (255, 255, 255), (20, 20, 20)


@dataclass(frozen=True)
class Cell:
    """A picture [H, W, 3] uint8, and lines to write under it."""

    pixels: NDArray[np.uint8]
    caption: Sequence[str]


def draw_sheet(rows: Sequence[Sequence[Cell]], width_px: int) -> Image.Image:
    """Draw rows of cells, each picture reduced to a width; all rows have as many cells as the first.

    Raises:
        ValueError: no cells, or rows of different lengths.
    """
    if not rows or not rows[0] or any(len(row) != len(rows[0]) for row in rows):
        raise ValueError(f"rows of {[len(row) for row in rows]} cells: each needs as many, and at least one")
    strips = [[_tile(cell, width_px) for cell in row] for row in rows]
    heights = [max(tile.height for tile in strip) for strip in strips]
    size = len(rows[0]) * (width_px + _GAP) + _GAP, sum(heights) + _GAP * (len(rows) + 1)
    sheet = Image.new("RGB", size, _PAPER)
    top = _GAP
    for strip, height in zip(strips, heights, strict=True):
        for column, tile in enumerate(strip):
            sheet.paste(tile, (_GAP + column * (width_px + _GAP), top))
        top += height + _GAP
    return sheet


def _tile(cell: Cell, width_px: int) -> Image.Image:
    """One picture with its caption."""
    picture = Image.fromarray(cell.pixels)
    height = round(picture.height * width_px / picture.width)
    line = _FONT_PX + 4
    tile = Image.new("RGB", (width_px, height + line * len(cell.caption)), _PAPER)
    tile.paste(picture.resize((width_px, height), Image.Resampling.LANCZOS))
    pen, font = ImageDraw.Draw(tile), ImageFont.load_default(_FONT_PX)
    for number, text in enumerate(cell.caption):
        pen.text((2, height + line * number), text, _INK, font=font)
    return tile
