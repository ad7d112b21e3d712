"""A still image through the model: a Frame into a Writer, a Reader into a Frame."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from operator import index as whole
from typing import Protocol

import numpy as np
from torch import Tensor

from ..bitstream.errors import CorruptFileError, FormatError, LinnetError, ModelMismatchError
from ..bitstream.header import RESAMPLED_MINOR, STAGED_MINOR, Header, Kind
from ..bitstream.reader import Reader, Tile
from ..bitstream.resampling import Resampling
from ..bitstream.writer import Writer
from ..entropy.coder import SymbolCoder
from ..entropy.latents import Latents
from ..entropy.range_coder import SymbolDecoder, SymbolEncoder
from ..entropy.rate import RateCounter
from ..entropy.tables import CdfTable, Int32
from ..models.codecs import Codec, StillCodec
from .alpha import alpha_from_png, alpha_to_png
from .frame import Frame, Samples
from .inpainting import smooth_over
from .losses import losses_of
from .orientation import stored_region, swaps_sides
from .resampling import coded_box, enlarged, reduced
from .tiles import Box, LatentCanvas, analyse_tile, blocks_of, latents_across, part_of

Progress = Callable[[int, int], None]
DEFAULT_TILE_LOG2 = 10


class MeasuredEncoder:
    """An encoder that also counts what its model says the symbols cost."""

    def __init__(self) -> None:
        self.encoder, self.counter = SymbolEncoder(), RateCounter()

    def code(self, symbols: Int32 | None, rows: np.ndarray, table: CdfTable) -> Int32:
        """See entropy.coder.SymbolCoder."""
        self.counter.code(symbols, rows, table)
        return self.encoder.code(symbols, rows, table)

    def code_each(self, symbols: Int32 | None, weights: Int32) -> Int32:
        """See entropy.coder.IndexCoder."""
        self.counter.code_each(symbols, weights)
        return self.encoder.code_each(symbols, weights)


def header_of(
    frame: Frame,
    codec: Codec,
    quality: float,
    tile_log2: int = DEFAULT_TILE_LOG2,
    stages: int = 0,
    resampling: int = 1,
) -> Header:
    """The header of a still; `stages` of one that comes in these, `resampling` by which sides are divided."""
    scale = Resampling.of(resampling, frame.width, frame.height)
    return Header(
        kind=Kind.IMAGE,
        width=-(-frame.width // resampling),
        height=-(-frame.height // resampling),
        bit_depth=frame.bit_depth,
        colour=frame.colour,
        has_alpha=frame.alpha is not None,
        orientation=frame.orientation,
        quality_centi=round(quality * 100),
        model=codec.spec.wire_id,
        weights_hash=codec.spec.weights_hash,
        tile_log2=tile_log2,
        minor=STAGED_MINOR if stages else RESAMPLED_MINOR if scale else 0,
        stages=stages,
        resampling=scale,
    )


@dataclass(frozen=True, slots=True)
class Coded:
    """What of a frame goes into a still: the picture as it is coded, and alpha as PNG."""

    picture: Frame
    alpha: bytes | None

    @classmethod
    def of(cls, frame: Frame, header: Header) -> "Coded":
        """That of a frame whose header is given."""
        return cls(reduced(frame, header), None if frame.alpha is None else alpha_to_png(frame.alpha))


def write_still(coded: Coded, writer: Writer, header: Header, codec: StillCodec, progress: Progress) -> float:
    """Encode all tiles and finish the file; returns what the model says the tiles cost, in bits."""
    if coded.alpha is not None:
        writer.write_alpha(coded.alpha)
    bits = 0.0
    for done, (index, y) in enumerate(analysed(coded.picture, header, codec)):
        progress(done, header.tile_count)
        coder = MeasuredEncoder()
        latents = codec.encode_latents(coder, y, header.quality)
        writer.write_tile(index, latents.hash(), coder.encoder.finish())
        bits += coder.counter.bits
    writer.finish()
    progress(header.tile_count, header.tile_count)
    return bits


def analysed(frame: Frame, header: Header, codec: Codec) -> Iterator[tuple[int, Tensor]]:
    """The number of each tile, and its latents or tokens [h, w, channels]; several small ones at a time."""
    for block in blocks_of((0, 0, header.width, header.height), header):
        y = analyse_tile(codec, frame, block, header.quality)
        for tile in header.tiles_in(block):
            yield tile, part_of(y, block, header.tile_box(tile))


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


def read_still(
    reader: Reader,
    codec: StillCodec,
    region: Box | None,
    progress: Progress,
    damage: list[LinnetError] | None = None,
) -> Frame:
    """Decode a still, or the part of it that a region (of the upright picture) covers; upright.

    Args:
        damage: what the reader has passed over so far, and tells from now on: tiles that do not decode are
            then added to it, left out and reported in the frame's `losses`. None to raise.
    """
    header = reader.header
    stored = stored_box(region, header)
    canvas = LatentCanvas.covering(header, coded_box(stored, header), codec)
    wanted = [i for i in range(header.tile_count) if canvas.needs(header.tile_box(i))]
    boxes = blocks_of(canvas.region, header)
    total = len(wanted) + len(boxes)
    some = reader.seekable and region is not None and damage is None
    known: dict[int, int] = {}
    done = 0
    for tile in (reader.tile(i) for i in wanted) if some else reader.tiles():
        progress(done, total)
        known[tile.index] = 1
        if canvas.needs(header.tile_box(tile.index)):
            try:
                canvas.place(header.tile_box(tile.index), decode_tile(tile, header, codec).y_hat)
            except FormatError as error:
                if damage is None:
                    raise
                damage.append(error)
                del known[tile.index]
            done += 1
    if damage and known.keys().isdisjoint(wanted):
        raise damage[0]
    return finished(
        reader, canvas, codec, lambda box: progress(done + box, total), damage or (), known, stored
    )


def finished(
    reader: Reader,
    canvas: LatentCanvas,
    codec: Codec,
    step: Callable[[int], None],
    damage: Sequence[LinnetError],
    known: dict[int, int],
    stored: Box,
    holes: Sequence[Box] = (),
) -> Frame:
    """The upright picture of a box of the full one, with alpha and metadata, and what it has lost.

    Args:
        stored: that box; it needs the canvas's region.
        holes: boxes to smooth over; for this the canvas has the whole picture, whatever its region.
    """
    header = reader.header
    seen = (0, 0, header.width, header.height) if holes else canvas.region
    boxes = blocks_of(seen, header)
    pixels = paint(replace(canvas, region=seen), boxes, codec, step)
    step(len(boxes))
    if holes:
        smooth_over(pixels, holes)
        left, top, width, height = canvas.region
        pixels = np.ascontiguousarray(pixels[top : top + height, left : left + width])
    pixels = enlarged(pixels, canvas.region, stored, header)
    alpha_lost = header.has_alpha and reader.alpha is None
    losses = losses_of(header, damage, known, alpha_lost, reader.intact_shares)
    frame = Frame(pixels, _alpha(reader, stored), header.orientation, reader.metadata, losses)
    return replace(frame.oriented(), metadata=reader.metadata)


def paint(canvas: LatentCanvas, boxes: list[Box], codec: Codec, step: Callable[[int], None]) -> Samples:
    """The pixels [H, W, channels] of a canvas's region, box by box; `step` is told how many are done."""
    left, top, width, height = canvas.region
    header = canvas.header
    pixels = np.empty((height, width, header.channels), np.uint8 if header.bit_depth == 8 else np.uint16)
    for done, box in enumerate(boxes):
        step(done)
        x, y = box[0] - left, box[1] - top
        pixels[y : y + box[3], x : x + box[2]] = canvas.pixels(codec, box)
    return pixels


def stored_box(region: Box | None, header: Header) -> Box:
    """Where a region of the upright picture, or all of it, is stored. Raises ValueError outside of it."""
    size = header.full_width, header.full_height
    if region is None:
        return 0, 0, *size
    width, height = size[::-1] if swaps_sides(header.orientation) else size
    x, y, w, h = region = tuple(whole(side) for side in region)
    if not (x >= 0 and y >= 0 and w > 0 and h > 0 and x + w <= width and y + h <= height):
        raise ValueError(f"region {x},{y},{w},{h} is not inside the picture of {width}x{height} pixels")
    return stored_region(region, (width, height), header.orientation)


def _alpha(reader: Reader, stored: Box) -> Samples | None:
    header = reader.header
    if reader.alpha is None:
        return None
    alpha = alpha_from_png(reader.alpha, header.full_width, header.full_height, header.bit_depth)
    left, top, width, height = stored
    return np.ascontiguousarray(alpha[top : top + height, left : left + width])
