"""A still in stages through the model: a Frame into a Writer, a Reader into a Frame."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from ...bitstream.body import Tile
from ...bitstream.errors import CorruptFileError, FormatError, LinnetError
from ...bitstream.header import Header
from ...bitstream.reader import Reader
from ...bitstream.writer import Writer
from ...entropy.coder import IndexCoder
from ...entropy.range_coder import SymbolDecoder
from ...entropy.tables import Int32
from ...models.codecs import STRIDE, StagedCodec
from ..frame import Frame
from ..progress import Progress
from .agreement import check_hash, decoding
from .alpha import alpha_to_png
from .canvas import LatentCanvas
from .concealment import conceal
from .finishing import finished, stored_box
from .measured import MeasuredEncoder
from .tiles import Box, analysed, blocks_of, latents_across, whole_box


def write_staged(
    frame: Frame, writer: Writer, header: Header, codec: StagedCodec, progress: Progress
) -> list[float]:
    """Encode all parts and finish the file; returns what the model says that each stage costs, in bits."""
    count = header.tile_count
    total = count + header.part_count
    if frame.alpha is not None:
        writer.write_alpha(alpha_to_png(frame.alpha))
    tokens: dict[int, Int32] = {}
    for tile, y in analysed(frame, header, codec):
        progress(len(tokens), total)
        tokens[tile] = y.to("cpu").numpy().astype(np.int32)
    bits = [0.0] * header.stages
    for number in range(header.part_count):
        progress(count + number, total)
        stage, tile = divmod(number, count)
        step = codec.strides[stage] // STRIDE
        coder, given = MeasuredEncoder(), tokens[tile][::step, ::step, stage] - 1
        indices = code_part(codec, coder, stage, tokens[tile], given)
        writer.write_tile(tile, hash_of(indices), coder.encoder.finish(), stage)
        bits[stage] += coder.counter.bits
    writer.finish()
    progress(total, total)
    return bits


def quality_of(stages: int, count: int) -> float:
    """The lowest quality, in hundredths, with which `stages` of a model's `count` stages are coded."""
    return -(-10000 * (stages - 1) // count) / 100


def code_part(
    codec: StagedCodec, coder: IndexCoder, stage: int, tokens: Int32, given: Int32 | None = None
) -> Int32:
    """Code the indices [hs, ws] of one stage of a tile, whose tokens [h, w, stages] are known before it."""
    known = tokens.copy()
    known[..., stage:] = 0  # both sides see the same, whatever they have
    return codec.code_stage(coder, stage, known, given)


def hash_of(indices: Int32) -> int:
    """CRC-32 of indices as little-endian int32 in raster order (FORMAT.md section 8)."""
    return zlib.crc32(indices.astype("<i4").tobytes())


@dataclass(slots=True)
class PartDecoder:
    """Decodes parts in the order of the file.

    Attributes:
        tokens: of each tile of which something was decoded, [h, w, stages]; 0 where not known.
        known: of the same tiles, how many stages were decoded, from the first one on.
    """

    header: Header
    codec: StagedCodec
    tokens: dict[int, Int32] = field(default_factory=dict)
    known: dict[int, int] = field(default_factory=dict)

    def can_decode(self, part: Tile) -> bool:
        """Whether all stages before this one were decoded."""
        return self.known.get(part.index, 0) == part.stage

    def take(self, part: Tile) -> None:
        """Decode a part and compare its hash.

        Raises:
            CorruptFileError: the payload is damaged, or a stage before it is not there.
            ModelMismatchError: it decodes, but to other integers.
        """
        name = f"stage {part.stage} of tile {part.index}"
        if not self.can_decode(part):
            raise CorruptFileError(
                f"{name} cannot be decoded without the stages before it", chunk="part", offset=part.offset
            )
        tokens = self.tokens.get(part.index)
        if tokens is None:
            _, _, width, height = self.header.tile_box(part.index)
            shape = latents_across(height), latents_across(width), len(self.codec.strides)
            tokens = np.zeros(shape, np.int32)
        with decoding(part, name, "part"):
            coder = SymbolDecoder(part.payload)
            indices = code_part(self.codec, coder, part.stage, tokens)
            coder.finish()
        check_hash(hash_of(indices), part, name, "part")
        step = self.codec.strides[part.stage] // STRIDE
        places = indices.repeat(step, 0).repeat(step, 1)
        tokens[..., part.stage] = places[: tokens.shape[0], : tokens.shape[1]] + 1
        self.tokens[part.index], self.known[part.index] = tokens, part.stage + 1


def read_staged(
    reader: Reader,
    codec: StagedCodec,
    region: Box | None,
    progress: Progress,
    damage: list[LinnetError] | None = None,
) -> Frame:
    """Decode a still in stages, or the part of it that a region (of the upright picture) covers; upright.

    Args:
        damage: what the reader has passed over so far, and tells from now on: what does not decode is then
            added to it, concealed and reported in the frame's `losses`. None to raise.
    """
    header = reader.header
    stored = stored_box(region, header)
    # Around a hole all tiles are needed, and where holes are is known only once all have been read.
    seen = stored if damage is None else whole_box(header)
    canvas = LatentCanvas.empty(header, seen, codec, len(codec.strides))
    wanted = [tile for tile in range(header.tile_count) if canvas.needs(header.tile_box(tile))]
    parts = len(wanted) * header.stages
    boxes = len(blocks_of(stored if damage is None else seen, header))
    decoder = PartDecoder(header, codec)
    some = reader.seekable and region is not None and damage is None
    for done, part in enumerate(_chosen(reader, wanted, some)):
        progress(done, parts + boxes)
        if damage is not None and not decoder.can_decode(part):
            continue  # lost with the stage before it
        try:
            decoder.take(part)
        except FormatError as error:
            if damage is None:
                raise
            damage.append(error)
    if damage and not decoder.known:
        raise damage[0]
    for tile, tokens in decoder.tokens.items():
        canvas.place(header.tile_box(tile), tokens)
    holes = [header.tile_box(tile) for tile in wanted if tile not in decoder.known]
    if holes:
        conceal(canvas.y_hat, header, codec)
    canvas = replace(canvas, region=stored)
    return finished(
        reader,
        canvas,
        codec,
        lambda box: progress(parts + box, parts + boxes),
        damage or (),
        decoder.known,
        stored,
        holes,
    )


def _chosen(reader: Reader, wanted: list[int], some: bool) -> Iterator[Tile]:
    """The parts of the wanted tiles, in order: found one by one, or in a walk over the whole file."""
    if some:
        for stage in range(reader.header.stages):
            yield from (reader.tile(tile, stage) for tile in wanted)
    else:
        chosen = set(wanted)
        yield from (part for part in reader.tiles() if part.index in chosen)
