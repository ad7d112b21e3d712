"""Decoding the symbols of a file without its pixels: their hashes must be those that the file names."""

from collections.abc import Callable

from ..bitstream.body import Tile
from ..bitstream.clip_frames import CodedFrame
from ..bitstream.header import Header
from ..models import codecs
from .decode import model_of
from .device import device_name, on_its_devices
from .still.alpha import alpha_from_png
from .still.staged import PartDecoder
from .still.tile_coding import decode_tile
from .video.frame_decoder import FrameDecoder


@on_its_devices
def tile_check(header: Header, device: str) -> Callable[[Tile], object]:
    """What decodes the tiles or parts of a still and compares their hashes."""
    spec = model_of(header)
    if spec.stages:
        return on_its_devices(PartDecoder(header, codecs.load_staged(spec, device_name(device))).take)
    codec = codecs.load(spec, device_name(device))
    return on_its_devices(lambda tile: decode_tile(tile, header, codec))


@on_its_devices
def frame_check(header: Header, device: str) -> Callable[[CodedFrame], object]:
    """What decodes the frames of a clip and compares their hashes."""
    return on_its_devices(FrameDecoder.load(header, device_name(device)).read)


def check_alpha(data: bytes, header: Header) -> None:
    """Read an alpha plane. Raises CorruptFileError."""
    alpha_from_png(data, header.full_width, header.full_height, header.bit_depth)
