"""`linnet.decode`: a file to the picture in it."""

from dataclasses import replace
from typing import Literal

from ..bitstream.errors import LinnetError
from ..bitstream.header import Header
from ..bitstream.limits import Limits
from ..bitstream.reader import Reader
from ..models import codecs, zoo
from ..models.spec import ModelSpec
from .device import device_name, on_its_devices
from .files.opening import Source, opened
from .frame import Frame
from .progress import Progress, quiet
from .still.coding import read_still
from .still.staged import read_staged
from .still.tiles import Box


@on_its_devices
def decode(
    source: Source,
    *,
    device: str = "auto",
    region: Box | None = None,
    limits: Limits | None = None,
    allow_partial: bool = False,
    tune: Literal["fidelity", "perceptual"] = "fidelity",
    progress: Progress | None = None,
) -> Frame:
    """Decode a picture, upright.

    Damage that enough other shares of a resilient file make good is no error: the frame's `repairs` tell it.

    Args:
        source: a path, the file's bytes, or a binary stream (also a pipe).
        device: auto, cpu or cuda:N.
        region: (left, top, width, height) of the upright picture; only the tiles that it needs are decoded.
        limits: what to refuse before anything is allocated.
        allow_partial: make a picture of what is left of a damaged file; the frame's `losses` say what is not.
            A file that begins with damage has nothing left.
        tune: "perceptual" for the decoder that adds probable detail, of models that have one.
        progress: called with (steps done, steps).
    Raises:
        FormatError: a child says whether it is damaged, cut off, no Linnet file, or made by a newer one.
        LimitExceededError: larger than `limits`. OSError.
        ValueError: region or device out of range, or a decoder that the model does not have.
    """
    name = device_name(device)
    with opened(source) as stream:
        damage: list[LinnetError] | None = [] if allow_partial else None
        repairs: list[LinnetError] = []
        reader = Reader(stream, limits, None if damage is None else damage.append, repairs.append)
        spec = model_of(reader.header)
        if spec.stages:
            codec = codecs.load_staged(spec, name, tune)
            frame = read_staged(reader, codec, region, progress or quiet, damage)
            return replace(frame, repairs=tuple(repairs))
        if tune != "fidelity":
            raise ValueError(f"model '{spec.name}' has one decoder: leave out tune='{tune}'")
        return read_still(reader, codecs.load(spec, name), region, progress or quiet, damage)


def model_of(header: Header) -> ModelSpec:
    """The model that codes a still. Raises ModelMismatchError where it is not here."""
    return zoo.find_still_wire(header.model, header.weights_hash, header.quality, header.stages)
