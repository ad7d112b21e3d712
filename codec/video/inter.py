"""Inter frames: what one takes from the frame before it, and how its motion and tiles are coded."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...bitstream.clip_frames import CodedFrame, Motion
from ...bitstream.errors import CorruptFileError, ModelMismatchError
from ...bitstream.header import Header
from ...entropy.coder import SymbolCoder
from ...entropy.latents import Latents
from ...entropy.motion import Field, motion_hash
from ...entropy.prior import Int32
from ...entropy.range_coder import SymbolDecoder, SymbolEncoder
from ...entropy.skips import SkipMap
from ...models import zoo
from ...models.inter import codec as inter_codec
from ...models.inter.codec import InterCodec, Past
from ..frame import Samples
from ..still.tile_coding import decode_tile
from ..still.tiles import Box, from_planes, latents_across, padded, to_planes

CodedTile = tuple[int, bytes]  # hash and entropy-coded bytes
# A prediction this bad, as a share of how far pixels are from the mean of their block, is no help.
_HOPELESS = 0.8


@dataclass(frozen=True, slots=True)
class InterIntegers:
    """All that is decoded of an inter frame: motion, skip map [h, w], and latents [h, w, latent]."""

    field: Field
    skips: SkipMap
    y_hat: Int32


class InterPath:
    """Codes inter frames of one clip in both directions.

    Keeps the integers of the frame before and, apart from them, its pixels: integers may be decoded ahead.
    """

    def __init__(self, codec: InterCodec) -> None:
        self._codec = codec
        self._known = Past(None)  # no pixels
        self._shown = Past(None)

    def read_key(self) -> None:
        """The integers of a key frame were decoded, of which inter frames need none."""
        self._known = Past(None)

    def draw_key(self, pixels: Samples) -> None:
        """Go on from the pixels [H, W, channels] of a key frame."""
        self._shown = Past(to_planes(pixels))

    def encode(self, pixels: Samples, header: Header) -> tuple[CodedTile, list[CodedTile]] | None:
        """Motion and tiles of the next frame; None if the frame before is no help (a cut, for example)."""
        codec, reference = self._codec, self._shown.reference
        assert reference is not None, "a key frame comes first"
        frame = to_planes(pixels)
        field = codec.find_motion(frame, reference, header.quality, self._shown.motion)
        predicted = codec.predict(self._shown, field)
        if _is_hopeless(frame, predicted[:3]):
            return None
        y = codec.analyse(frame, predicted, header.quality)
        skips = codec.choose_skips(frame, predicted, y, header.quality)
        coder = SymbolEncoder()
        codec.code_motion(coder, _size(header), field)
        codec.code_skips(coder, self._known, field, header.quality, skips)
        context = codec.context(self._known, field)
        y_hat = np.zeros(y.shape, np.int32)
        tiles: list[CodedTile] = []
        for index in range(header.tile_count):
            part = _latents_of(header.tile_box(index))
            tile_coder = SymbolEncoder()
            latents = codec.encode_latents(tile_coder, y[part], header.quality, context[part], skips[part])
            y_hat[part] = latents.y_hat
            tiles.append((latents.hash(), tile_coder.finish()))
        found = InterIntegers(field, skips, y_hat)
        self._know(found, header)
        self._show(found, predicted, header)
        return (motion_hash(field, skips), coder.finish()), tiles

    def read(self, frame: CodedFrame, header: Header) -> InterIntegers:
        """The integers of the next frame.

        Raises:
            CorruptFileError: the payload is damaged. ModelMismatchError: it decodes, but to other integers.
        """
        assert frame.motion is not None, "a reader gives inter frames motion"
        field, skips = self._decode_motion(frame.motion, header)
        context = self._codec.context(self._known, field)
        y_hat = np.zeros((*context.shape[:2], self._codec.entropy.latent), np.int32)
        for tile in frame.tiles:
            part = _latents_of(header.tile_box(tile.index))
            y_hat[part] = decode_tile(tile, header, _InContext(self._codec, context[part], skips[part])).y_hat
        found = InterIntegers(field, skips, y_hat)
        self._know(found, header)
        return found

    def draw(self, found: InterIntegers, header: Header) -> Samples:
        """Pixels [H, W, channels] of the next frame."""
        assert self._shown.reference is not None, "a key frame comes first"
        return self._show(found, self._codec.predict(self._shown, found.field), header)

    def _decode_motion(self, motion: Motion, header: Header) -> tuple[Field, SkipMap]:
        try:
            coder = SymbolDecoder(motion.payload)
            field = self._codec.code_motion(coder, _size(header))
            skips = self._codec.code_skips(coder, self._known, field, header.quality)
            coder.finish()
        except CorruptFileError as error:
            raise CorruptFileError(f"its motion does not decode: {error.message}", chunk="frame") from error
        if (found := motion_hash(field, skips)) != motion.hash:
            raise ModelMismatchError(
                f"its motion has hash {found:08x}, the encoder had {motion.hash:08x}: "
                "this machine is out of step with it; try --device cpu, and report it",
                chunk="frame",
            )
        return field, skips

    def _know(self, found: InterIntegers, header: Header) -> None:
        self._known = self._known.then(None, found.field, found.y_hat, header.quality, found.skips)

    def _show(self, found: InterIntegers, predicted: Tensor, header: Header) -> Samples:
        """The frame's pixels, which the next frame is predicted from."""
        planes = self._codec.synthesise(found.y_hat, found.skips, predicted, header.quality)
        shown = planes[:, : header.height, : header.width]
        pixels = from_planes(shown, header.channels, header.bit_depth)
        # Not rounded: where the arithmetic of two decoders differs, rounding would turn nearly nothing into
        # whole levels, which pile up from frame to frame.
        kept = shown.clamp(0, 1) if header.channels > 1 else shown.clamp(0, 1).mean(0, keepdim=True)
        self._shown = self._shown.then(padded(kept), found.field, found.y_hat, header.quality, found.skips)
        return pixels


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


class _InContext:
    """The model, with the context and the skip map of one tile."""

    def __init__(self, codec: InterCodec, context: Tensor, skips: SkipMap) -> None:
        self._codec, self._context, self._skips = codec, context, skips

    def decode_latents(self, coder: SymbolCoder, size: tuple[int, int], quality: float) -> Latents:
        """See models.codecs.StillCodec."""
        return self._codec.decode_latents(coder, size, quality, self._context, self._skips)


def _size(header: Header) -> tuple[int, int]:
    """(H, W) of the frame's planes."""
    return 16 * latents_across(header.height), 16 * latents_across(header.width)


def _latents_of(box: Box) -> tuple[slice, slice]:
    """Where the latents of a tile lie in those of the frame."""
    left, top, width, height = box
    return (
        slice(top // 16, top // 16 + latents_across(height)),
        slice(left // 16, left // 16 + latents_across(width)),
    )


def _is_hopeless(frame: Tensor, predicted: Tensor) -> bool:
    """Whether coding the frame on its own promises fewer bits than coding what the prediction lacks."""
    mean = torch.nn.functional.avg_pool2d(frame[None], 8)
    flat = mean.repeat_interleave(8, 2).repeat_interleave(8, 3)[0]
    return bool((frame - predicted).abs().mean() > _HOPELESS * (frame - flat).abs().mean() + 2 / 255)
