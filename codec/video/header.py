"""The header of a clip: what is said of it before its first frame."""

from dataclasses import replace

from ...bitstream.clip import ClipFormat
from ...bitstream.header import CLIP_MINOR, INTER_MINOR, Colour, Header, Kind, ModelRef
from ...models import zoo
from ...models.codecs import StillCodec


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
