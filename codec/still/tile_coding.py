"""One tile through the entropy coder: its symbols in, or out with their hash compared."""

from typing import Protocol

from ...bitstream.body import Tile
from ...bitstream.header import Header
from ...entropy.coder import SymbolCoder
from ...entropy.latents import Latents
from ...entropy.range_coder import SymbolDecoder
from ...models.codecs import StillCodec
from ..frame import Frame
from .agreement import check_hash, decoding
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
    box, name = header.tile_box(tile.index), f"tile {tile.index}"
    with decoding(tile, name, "tile"):
        coder = SymbolDecoder(tile.payload)
        latents = codec.decode_latents(
            coder, (latents_across(box[3]), latents_across(box[2])), header.quality
        )
        coder.finish()
    check_hash(latents.hash(), tile, name, "tile")
    return latents
