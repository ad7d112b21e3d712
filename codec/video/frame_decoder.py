"""Frames of a clip through the model: the tiles of a frame chunk to integers, and those to pixels."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from ...bitstream.clip_frames import CodedFrame, FrameKind
from ...bitstream.errors import CorruptFileError, FormatError
from ...bitstream.header import Header
from ...models import codecs, zoo
from ...models.codecs import StillCodec
from ..frame import Samples
from ..still.tile_coding import decode_tile
from .inter import InterIntegers, InterPath, inter_path
from .key import KeyPicture


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
