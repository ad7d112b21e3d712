"""Key frames: pixels from the latents of their tiles, as of a still image."""

from ...bitstream.header import Header
from ...entropy.latents import Latents
from ...models.codecs import StillCodec
from ..frame import Samples
from ..still.canvas import LatentCanvas, paint
from ..still.tiles import boxes_of


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


def _ignore(done: int) -> None:
    """The progress inside a frame, which nobody watches."""
