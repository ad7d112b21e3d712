"""A still image through the model: a Frame into a Writer, a Reader into a Frame."""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import numpy as np

from ..bitstream.errors import CorruptFileError, ModelMismatchError
from ..bitstream.header import Header, Kind
from ..bitstream.reader import Reader, Tile
from ..bitstream.writer import Writer
from ..entropy.coder import RateCounter, SymbolCoder, SymbolDecoder, SymbolEncoder
from ..entropy.prior import Int32, Latents
from ..entropy.tables import CdfTable
from ..models.codecs import StillCodec
from .alpha import alpha_from_png, alpha_to_png
from .frame import Frame, Samples
from .orientation import stored_region, swaps_sides
from .tiles import Box, LatentCanvas, analyse_tile, boxes_of, latents_across

Progress = Callable[[int, int], None]


class MeasuredEncoder:
    """An encoder that also counts what its model says the symbols cost."""

    def __init__(self) -> None:
        self.encoder, self.counter = SymbolEncoder(), RateCounter()

    def code(self, symbols: Int32 | None, rows: np.ndarray, table: CdfTable) -> Int32:
        """See entropy.coder.SymbolCoder."""
        self.counter.code(symbols, rows, table)
        return self.encoder.code(symbols, rows, table)


def header_of(frame: Frame, codec: StillCodec, quality: float, tile_log2: int = 10) -> Header:
    """The header of a still."""
    return Header(
        kind=Kind.IMAGE,
        width=frame.width,
        height=frame.height,
        bit_depth=frame.bit_depth,
        colour=frame.colour,
        has_alpha=frame.alpha is not None,
        orientation=frame.orientation,
        quality_centi=round(quality * 100),
        model=codec.spec.wire_id,
        weights_hash=codec.spec.weights_hash,
        tile_log2=tile_log2,
    )


def write_still(frame: Frame, writer: Writer, header: Header, codec: StillCodec, progress: Progress) -> float:
    """Encode all tiles and finish the file; returns what the model says the tiles cost, in bits."""
    if frame.alpha is not None:
        writer.write_alpha(alpha_to_png(frame.alpha))
    bits = 0.0
    for index in range(header.tile_count):
        progress(index, header.tile_count)
        coder = MeasuredEncoder()
        latents = encode_tile(frame, index, header, codec, coder)
        writer.write_tile(index, latents.hash(), coder.encoder.finish())
        bits += coder.counter.bits
    writer.finish()
    progress(header.tile_count, header.tile_count)
    return bits


def encode_tile(frame: Frame, index: int, header: Header, codec: StillCodec, coder: SymbolCoder) -> Latents:
    """Give one tile's symbols to a coder; returns the integers that a decoder will have."""
    y = analyse_tile(codec, frame, header.tile_box(index), header.quality)
    return codec.encode_latents(coder, y, header.quality)


class LatentDecoder(Protocol):
    """What decodes a tile: a StillCodec, or an inter model that knows the tile's context."""

    def decode_latents(self, coder: SymbolCoder, size: tuple[int, int], quality: float) -> Latents:
        """See StillCodec."""
        ...


def decode_tile(tile: Tile, header: Header, codec: LatentDecoder) -> Latents:
    """Decode one tile's integers and compare their hash.

    Raises:
        CorruptFileError: the payload is damaged. ModelMismatchError: it decodes, but to other integers.
    """
    box = header.tile_box(tile.index)
    try:
        coder = SymbolDecoder(tile.payload)
        latents = codec.decode_latents(
            coder, (latents_across(box[3]), latents_across(box[2])), header.quality
        )
        coder.finish()
    except CorruptFileError as error:
        raise CorruptFileError(
            f"tile {tile.index} does not decode: {error.message}", chunk="tile", offset=tile.offset
        ) from error
    if latents.hash() != tile.latent_hash:
        raise ModelMismatchError(
            f"tile {tile.index} has hash {latents.hash():08x}, the encoder had {tile.latent_hash:08x}: "
            "this machine is out of step with it; try --device cpu, and report it",
            chunk="tile",
            offset=tile.offset,
        )
    return latents


def read_still(reader: Reader, codec: StillCodec, region: Box | None, progress: Progress) -> Frame:
    """Decode a still, or the part of it that a region (of the upright picture) covers; upright."""
    header = reader.header
    stored = (0, 0, header.width, header.height) if region is None else _stored(region, header)
    canvas = LatentCanvas.covering(header, stored, codec)
    wanted = [i for i in range(header.tile_count) if canvas.needs(header.tile_box(i))]
    boxes = boxes_of(stored, header.tile_size)
    total = len(wanted) + len(boxes)
    tiles = (reader.tile(i) for i in wanted) if reader.seekable and region is not None else reader.tiles()
    done = 0
    for tile in tiles:
        progress(done, total)
        if canvas.needs(header.tile_box(tile.index)):
            canvas.place(header.tile_box(tile.index), decode_tile(tile, header, codec).y_hat)
            done += 1
    pixels = paint(canvas, boxes, codec, lambda box: progress(done + box, total))
    progress(total, total)
    frame = Frame(pixels, _alpha(reader, stored), header.orientation, reader.metadata)
    return replace(frame.oriented(), metadata=reader.metadata)


def paint(canvas: LatentCanvas, boxes: list[Box], codec: StillCodec, step: Callable[[int], None]) -> Samples:
    """The pixels [H, W, channels] of a canvas's region, box by box; `step` is told how many are done."""
    left, top, width, height = canvas.region
    header = canvas.header
    pixels = np.empty((height, width, header.channels), np.uint8 if header.bit_depth == 8 else np.uint16)
    for done, box in enumerate(boxes):
        step(done)
        x, y = box[0] - left, box[1] - top
        pixels[y : y + box[3], x : x + box[2]] = canvas.pixels(codec, box)
    return pixels


def _stored(region: Box, header: Header) -> Box:
    """Where a region of the upright picture lies in the stored one. Raises ValueError outside of it."""
    size = header.width, header.height
    width, height = size[::-1] if swaps_sides(header.orientation) else size
    x, y, w, h = region
    if not (x >= 0 and y >= 0 and w > 0 and h > 0 and x + w <= width and y + h <= height):
        raise ValueError(f"region {x},{y},{w},{h} is not inside the picture of {width}x{height} pixels")
    return stored_region(region, (width, height), header.orientation)


def _alpha(reader: Reader, stored: Box) -> Samples | None:
    header = reader.header
    if reader.alpha is None:
        return None
    alpha = alpha_from_png(reader.alpha, header.width, header.height, header.bit_depth)
    left, top, width, height = stored
    return np.ascontiguousarray(alpha[top : top + height, left : left + width])
