"""Frames of a clip through the model: pixels to the tiles of a frame chunk, and back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from ...bitstream.clip import ClipFormat
from ...bitstream.clip_frames import CodedFrame
from ...bitstream.errors import FormatError
from ...bitstream.header import CLIP_MINOR, Colour, Header, Kind
from ...entropy.coder import SymbolEncoder
from ...models.codecs import StillCodec
from ..frame import Frame, Samples
from ..still import decode_tile, encode_tile, paint
from ..tiles import LatentCanvas, boxes_of


def clip_header(
    size: tuple[int, int], colour: Colour, bit_depth: int, clip: ClipFormat, codec: StillCodec, quality: float
) -> Header:
    """The header of an upright clip of (width, height) pixels."""
    return Header(
        kind=Kind.VIDEO,
        width=size[0],
        height=size[1],
        bit_depth=bit_depth,
        colour=colour,
        has_alpha=False,
        orientation=1,
        quality_centi=round(quality * 100),
        model=codec.spec.wire_id,
        weights_hash=codec.spec.weights_hash,
        minor=CLIP_MINOR,
        clip=clip,
    )


def encode_pixels(pixels: Samples, header: Header, codec: StillCodec) -> list[tuple[int, bytes]]:
    """Latent hash and entropy-coded bytes of each tile of a key frame [H, W, channels]."""
    frame = Frame(pixels)
    tiles: list[tuple[int, bytes]] = []
    for index in range(header.tile_count):
        coder = SymbolEncoder()
        latent_hash = encode_tile(frame, index, header, codec, coder)
        tiles.append((latent_hash, coder.finish()))
    return tiles


def _own_header(frame: CodedFrame, header: Header) -> Header:
    """The header with the frame's quality."""
    quality = frame.head.quality_centi
    return header if quality is None else replace(header, quality_centi=quality)


def check_symbols(frame: CodedFrame, header: Header, codec: StillCodec) -> None:
    """Decode a frame's integers and compare their hashes (errors as decode_pixels)."""
    own = _own_header(frame, header)
    for tile in frame.tiles:
        with _naming(frame):
            decode_tile(tile, own, codec)


def decode_pixels(frame: CodedFrame, header: Header, codec: StillCodec) -> Samples:
    """Pixels [H, W, channels] of a key frame, as stored.

    Raises:
        CorruptFileError: the payload is damaged. ModelMismatchError: it decodes, but to other integers.
    """
    own = _own_header(frame, header)
    whole = (0, 0, own.width, own.height)
    canvas = LatentCanvas.covering(own, whole, codec)
    for tile in frame.tiles:
        with _naming(frame):
            canvas.place(own.tile_box(tile.index), decode_tile(tile, own, codec).y_hat)
    return paint(canvas, boxes_of(whole, own.tile_size), codec, _ignore)


def _ignore(done: int) -> None:
    """The progress inside a frame, which nobody watches."""


@contextmanager
def _naming(frame: CodedFrame) -> Iterator[None]:
    """Say which frame an error is about."""
    try:
        yield
    except FormatError as error:
        raise type(error)(
            f"frame {frame.head.number}: {error.message}", chunk="frame", offset=frame.offset
        ) from error
