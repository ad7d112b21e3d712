"""The header of a still, from its frame and how it is coded."""

from ...bitstream.header import RESAMPLED_MINOR, STAGED_MINOR, Header, Kind
from ...bitstream.resampling import Resampling
from ...models.codecs import Codec
from ..frame import Frame

DEFAULT_TILE_LOG2 = 10


def header_of(
    frame: Frame,
    codec: Codec,
    quality: float,
    tile_log2: int = DEFAULT_TILE_LOG2,
    stages: int = 0,
    resampling: int = 1,
) -> Header:
    """The header of a still; `stages` of one that comes in these, `resampling` by which sides are divided."""
    scale = Resampling.of(resampling, frame.width, frame.height)
    return Header(
        kind=Kind.IMAGE,
        width=-(-frame.width // resampling),
        height=-(-frame.height // resampling),
        bit_depth=frame.bit_depth,
        colour=frame.colour,
        has_alpha=frame.alpha is not None,
        orientation=frame.orientation,
        quality_centi=round(quality * 100),
        model=codec.spec.wire_id,
        weights_hash=codec.spec.weights_hash,
        tile_log2=tile_log2,
        minor=STAGED_MINOR if stages else RESAMPLED_MINOR if scale else 0,
        stages=stages,
        resampling=scale,
    )
