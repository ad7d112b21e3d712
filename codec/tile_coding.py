"""One tile through the entropy coder: its symbols in, or out with their hash compared."""

from typing import Protocol

from ..bitstream.errors import CorruptFileError, ModelMismatchError
from ..bitstream.header import Header
from ..bitstream.reader import Tile
from ..entropy.coder import SymbolCoder, SymbolDecoder
from ..entropy.prior import Latents
from ..models.codecs import StillCodec
from .frame import Frame
from .tiles import analyse_tile, latents_across


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
