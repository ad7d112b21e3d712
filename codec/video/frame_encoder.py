"""Frames of a clip through the model: pixels to the tiles of a frame chunk."""

from dataclasses import dataclass, replace

from ...bitstream.clip_frames import FrameKind
from ...bitstream.header import Header
from ...entropy.range_coder import SymbolEncoder
from ...models.codecs import StillCodec
from ..frame import Frame, Samples
from ..still.tile_coding import encode_tile
from .inter import CodedTile, inter_path
from .key import KeyPicture


@dataclass(frozen=True, slots=True)
class CodedPicture:
    """What a frame chunk needs beside number and times; motion and tiles are hash and entropy-coded bytes."""

    kind: FrameKind
    quality_centi: int | None  # if not the header's
    motion: CodedTile | None  # of an inter frame, and only there
    tiles: list[CodedTile]

    @property
    def bits(self) -> int:
        """Of what was entropy-coded."""
        pieces = self.tiles if self.motion is None else [self.motion, *self.tiles]
        return 8 * sum(len(payload) for _, payload in pieces)


class FrameEncoder:
    """Encodes the frames of a clip in order, and keeps what the next inter frame depends on."""

    def __init__(self, header: Header, codec: StillCodec) -> None:
        self._header, self._codec = header, codec
        self._inter = inter_path(header, str(codec.device))

    def encode(self, pixels: Samples, key_quality: float, inter_quality: float | None) -> CodedPicture:
        """Encode the next frame; the first one again and again, if need be.

        Args:
            pixels: [H, W, channels], as the header says; the caller may change them afterwards.
            key_quality: 0 to 100 in hundredths, if it becomes a key frame.
            inter_quality: if it becomes an inter frame, which is no promise; None if it must be a key frame.
        """
        if self._inter is not None and inter_quality is not None:
            own = self._own_header(inter_quality)
            coded = self._inter.encode(pixels, own)
            if coded is not None:
                motion, tiles = coded
                return CodedPicture(FrameKind.INTER, self._stated(own), motion, tiles)
        return self._encode_key(pixels, self._own_header(key_quality))

    def _own_header(self, quality: float) -> Header:
        """The header with a frame's quality."""
        return replace(self._header, quality_centi=round(quality * 100))

    def _stated(self, own: Header) -> int | None:
        """What a frame says of its quality."""
        return None if own.quality_centi == self._header.quality_centi else own.quality_centi

    def _encode_key(self, pixels: Samples, header: Header) -> CodedPicture:
        frame = Frame(pixels)
        picture = KeyPicture(header, self._codec)
        tiles: list[CodedTile] = []
        for index in range(header.tile_count):
            coder = SymbolEncoder()
            latents = encode_tile(frame, index, header, self._codec, coder)
            picture.place(index, latents)
            tiles.append((latents.hash(), coder.finish()))
        if self._inter is not None:
            self._inter.read_key()
            self._inter.draw_key(picture.pixels())
        return CodedPicture(FrameKind.KEY, self._stated(header), None, tiles)
