"""A still image through the model: a Frame into a Writer, a Reader into a Frame."""

from dataclasses import dataclass

from ...bitstream.errors import FormatError, LinnetError
from ...bitstream.header import Header
from ...bitstream.reader import Reader
from ...bitstream.writer import Writer
from ...models.codecs import StillCodec
from ..frame import Frame
from ..progress import Progress
from .alpha import alpha_to_png
from .canvas import LatentCanvas
from .finishing import finished, stored_box
from .measured import MeasuredEncoder
from .resampling import coded_box, reduced
from .tile_coding import decode_tile
from .tiles import Box, analysed, blocks_of


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
