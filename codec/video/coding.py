"""Frames of a clip through the model: pixels to the tiles of a frame chunk, and back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from ...bitstream.clip import ClipFormat
from ...bitstream.clip_frames import CodedFrame, FrameKind
from ...bitstream.errors import CorruptFileError, FormatError, ModelMismatchError
from ...bitstream.header import CLIP_MINOR, INTER_MINOR, Colour, Header, Kind, ModelRef
from ...entropy.latents import Latents
from ...entropy.range_coder import SymbolEncoder
from ...models import codecs, zoo
from ...models.codecs import StillCodec
from ...models.inter import codec as inter_codec
from ..canvas import LatentCanvas, paint
from ..frame import Frame, Samples
from ..tile_coding import decode_tile, encode_tile
from ..tiles import boxes_of
from .inter import InterIntegers, InterPath


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


def with_inter(header: Header, spec: zoo.ModelSpec) -> Header:
    """The header of a clip that may have inter frames of a model."""
    return replace(header, minor=INTER_MINOR, inter=ModelRef(spec.wire_id, spec.weights_hash))


@dataclass(frozen=True, slots=True)
class CodedPicture:
    """What a frame chunk needs beside number and times; motion and tiles are hash and entropy-coded bytes."""

    kind: FrameKind
    quality_centi: int | None  # if not the header's
    motion: tuple[int, bytes] | None  # of an inter frame, and only there
    tiles: list[tuple[int, bytes]]

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
        tiles: list[tuple[int, bytes]] = []
        for index in range(header.tile_count):
            coder = SymbolEncoder()
            latents = encode_tile(frame, index, header, self._codec, coder)
            picture.place(index, latents)
            tiles.append((latents.hash(), coder.finish()))
        if self._inter is not None:
            self._inter.read_key()
            self._inter.draw_key(picture.pixels())
        return CodedPicture(FrameKind.KEY, self._stated(header), None, tiles)


class KeyPicture:
    """The pixels of a key frame from the latents of its tiles; the same on both sides."""

    def __init__(self, header: Header, codec: StillCodec) -> None:
        self._header, self._codec = header, codec
        self._whole = (0, 0, header.width, header.height)
        self._canvas = LatentCanvas.covering(header, self._whole, codec)

    def place(self, index: int, latents: Latents) -> None:
        """Put in a tile."""
        self._canvas.place(self._header.tile_box(index), latents.y_hat)

    def pixels(self) -> Samples:
        """[H, W, channels], once all tiles are in."""
        return paint(self._canvas, boxes_of(self._whole, self._header.tile_size), self._codec, _ignore)


def inter_path(header: Header, device: str) -> InterPath | None:
    """What codes inter frames; None if a clip has none. Raises ModelMismatchError without a model."""
    if header.inter is None:
        return None
    spec = zoo.find_wire(header.inter.wire_id, header.inter.weights_hash)
    if spec.kind != "inter":
        raise ModelMismatchError(
            f"the header names model '{spec.name}' for inter frames, which codes pictures"
        )
    return InterPath(inter_codec.load(spec, device))


@dataclass(frozen=True, slots=True)
class Undrawn:
    """The decoded integers of a frame. header: with the frame's own quality."""

    header: Header
    key: KeyPicture | None  # of a key frame
    inter: InterIntegers | None  # of an inter frame


class FrameDecoder:
    """Decodes the frames of a clip, which come in the order of the file, and keeps what an inter frame needs.

    decode() makes pixels. Integers never depend on pixels: read() decodes the integers of a frame and draw()
    makes its pixels, so that one thread may read the frames ahead of another that draws them.
    Any error leaves it without a frame to go on from, so that nothing is shown until the next key frame.
    """

    def __init__(self, header: Header, codec: StillCodec) -> None:
        self._header, self._codec = header, codec
        self._inter = inter_path(header, str(codec.device))
        self._before: int | None = None  # number of the last frame, if it was decoded

    @classmethod
    def load(cls, header: Header, device: str) -> "FrameDecoder":
        """A decoder with the models that a clip's header names. Raises ModelMismatchError without them."""
        spec = zoo.find_still_wire(header.model, header.weights_hash, header.quality)
        return cls(header, codecs.load(spec, device))

    def fresh(self) -> "FrameDecoder":
        """Another decoder of the same clip, for those who walk it independently of this one."""
        return FrameDecoder(self._header, self._codec)

    def reset(self) -> None:
        """Forget all frames: a key frame comes next."""
        self._before = None

    def can_decode(self, frame: CodedFrame) -> bool:
        """Whether the frame is a key frame, or the one before it was decoded."""
        return frame.head.kind == FrameKind.KEY or self._before == frame.head.number - 1

    def decode(self, frame: CodedFrame) -> Samples:
        """Pixels [H, W, channels] of the next frame, as stored; they are the caller's (errors as read)."""
        return self.draw(self.read(frame))

    def read(self, frame: CodedFrame) -> Undrawn:
        """The integers of the next frame, their hashes compared.

        Raises:
            CorruptFileError: the payload is damaged, or the frame before an inter frame was not decoded.
            ModelMismatchError: it decodes, but to other integers.
        """
        with self._next(frame):
            own = self._own_header(frame)
            if frame.head.kind == FrameKind.INTER:
                return Undrawn(own, None, self._inter_frames().read(frame, own))
            picture = KeyPicture(own, self._codec)
            for tile in frame.tiles:
                picture.place(tile.index, decode_tile(tile, own, self._codec))
            if self._inter is not None:
                self._inter.read_key()
            return Undrawn(own, picture, None)

    def draw(self, frame: Undrawn) -> Samples:
        """Pixels [H, W, channels], as stored, of a frame that was read; each one is drawn, in order."""
        if frame.inter is not None:
            return self._inter_frames().draw(frame.inter, frame.header)
        assert frame.key is not None
        pixels = frame.key.pixels()
        if self._inter is not None:
            self._inter.draw_key(pixels)
        return pixels

    @contextmanager
    def _next(self, frame: CodedFrame) -> Iterator[None]:
        """Check that the frame can be decoded, note it if it was, and say which frame an error is about."""
        ready, self._before = self.can_decode(frame), None
        head = frame.head
        if not ready:
            raise CorruptFileError(
                f"frame {head.number} is lost: it depends on frame {head.number - 1}, which was not decoded",
                chunk="frame",
                offset=frame.offset,
            )
        try:
            yield
        except FormatError as error:
            raise type(error)(
                f"frame {head.number}: {error.message}", chunk="frame", offset=frame.offset
            ) from error
        self._before = head.number

    def _inter_frames(self) -> InterPath:
        assert self._inter is not None, "a reader refuses inter frames whose model the header does not name"
        return self._inter

    def _own_header(self, frame: CodedFrame) -> Header:
        """The header with the frame's quality."""
        quality = frame.head.quality_centi
        return self._header if quality is None else replace(self._header, quality_centi=quality)


def _ignore(done: int) -> None:
    """The progress inside a frame, which nobody watches."""
