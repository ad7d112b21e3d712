"""Pictures and .lnt files into tokens, and back: the VQ model without its entropy coder."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Literal, TypeGuard

import numpy as np
from PIL import Image

from ...bitstream.chunks import SIGNATURE
from ...bitstream.errors import LinnetError, ModelMismatchError
from ...bitstream.header import STAGED_MINOR, Colour, Header, Kind
from ...bitstream.limits import Limits
from ...bitstream.reader import Reader
from ...models import codecs, zoo
from ...models.codecs import StagedCodec
from ...models.spec import ModelSpec
from ...models.vq.config import Stage
from ..decode import model_of
from ..device import device_name, on_its_devices
from ..files.opening import Source, opened
from ..frame import Frame
from ..picture import Picture, as_frame
from ..still.canvas import LatentCanvas, paint
from ..still.header import header_of
from ..still.hidden import with_hidden_filled
from ..still.staged import PartDecoder
from ..still.tiles import analysed, blocks_of, whole_box
from .tokens import Tokens, check_stages, grids_of

_ALL_STAGES = 100.0  # a quality


@on_its_devices
def tokenize(
    source: Picture,
    *,
    model: str = "vq",
    stages: int | None = None,
    device: str = "auto",
    name: str | None = None,
    limits: Limits | None = None,
) -> Tokens:
    """The codebook indices of a picture.

    Damage that enough other shares of a resilient file make good is no error: the tokens' `repairs` tell it.

    Args:
        source: what `linnet.encode` takes, or a .lnt file of a VQ model, whose indices are read as they are.
        model: of pictures; a .lnt file names its own.
        stages: how many to give; None for all that the model, or the file, has.
        device: auto, cpu or cuda:N.
        name: to keep with the tokens; None for the name of the file.
        limits: the largest picture to accept.
    Returns:
        tokens of the upright picture; of a .lnt file as it is stored, with its orientation. Alpha and
        metadata are not part of them.
    Raises:
        ValueError: a model without stages, more stages than there are, or a device out of range.
        UnreadableImageError: no picture. LimitExceededError: larger than `limits`.
        FormatError: a .lnt file damaged beyond that, or of other weights. OSError.
    """
    limits, where = limits or Limits(), device_name(device)
    if name is None:
        name = Path(source).name if isinstance(source, (str, os.PathLike)) else ""
    source = _read_ahead(source)
    if _is_linnet_file(source):
        with opened(source) as stream:
            repairs: list[LinnetError] = []
            tokens = _of_file(Reader(stream, limits, on_repair=repairs.append), where, stages)
            tokens = replace(tokens, repairs=tuple(repairs))
    else:
        codec = codecs.load_staged(spec := zoo.find(model), where)
        zoo.check_stages(spec, stages)
        tokens = _of_picture(with_hidden_filled(as_frame(source, limits)).oriented(), codec, stages)
    return replace(tokens, name=name)


@on_its_devices
def detokenize(
    tokens: Tokens,
    *,
    stages: int | None = None,
    tune: Literal["fidelity", "perceptual"] = "fidelity",
    device: str = "auto",
) -> Frame:
    """The picture that tokens stand for, upright, RGB of 8 bits.

    Args:
        stages: how many of them to use, from the first on; None for all.
        tune: "perceptual" for the decoder that adds probable detail, of models that have one.
        device: auto, cpu or cuda:N.
    Raises:
        ValueError: more stages than there are, stages or a decoder that the model does not have, or a device
            out of range.
        ModelMismatchError: tokens of weights that are not here.
    """
    if stages is not None:
        tokens = tokens.first(stages)
    codec = codecs.load_staged(_spec_of(tokens), device_name(device), tune)
    own = stages_of(codec)
    if own[: len(tokens.stages)] != tokens.stages:
        raise ValueError(f"the tokens have {tokens.stages}, model '{tokens.model}' has {own}")
    header = Header(
        kind=Kind.IMAGE,
        width=tokens.width,
        height=tokens.height,
        bit_depth=8,
        colour=Colour.RGB,
        has_alpha=False,
        orientation=tokens.orientation,
        quality_centi=round(_ALL_STAGES * 100),
        model=codec.spec.wire_id,
        weights_hash=codec.spec.weights_hash,
        minor=STAGED_MINOR,
        stages=len(tokens.stages),
    )
    canvas = LatentCanvas(header, whole_box(header), (0, 0), tokens.array(len(own)))
    pixels = paint(canvas, blocks_of(canvas.region, header), codec, lambda done: None)
    return Frame(pixels, orientation=tokens.orientation).oriented()


def stages_of(codec: StagedCodec) -> tuple[Stage, ...]:
    """The stages that a codec has."""
    return tuple(Stage(*pair) for pair in zip(codec.strides, codec.codes, strict=True))


def _read_ahead(source: Picture) -> Picture:
    """A stream as its bytes: what is in it can then be told without losing them."""
    if isinstance(source, (str, os.PathLike, bytes, np.ndarray, Image.Image, Frame)):
        return source
    return bytes(source) if isinstance(source, (bytearray, memoryview)) else source.read()


def _is_linnet_file(source: Picture) -> TypeGuard[Source]:
    """Whether a path or bytes hold a Linnet file."""
    if isinstance(source, (str, os.PathLike)):
        with Path(source).open("rb") as stream:
            return stream.read(len(SIGNATURE)) == SIGNATURE
    return isinstance(source, bytes) and source.startswith(SIGNATURE)


def _of_picture(frame: Frame, codec: StagedCodec, stages: int | None) -> Tokens:
    """Analyse a picture, tile by tile."""
    own = stages_of(codec)
    header = header_of(frame, codec, _ALL_STAGES, stages=len(own))
    canvas = LatentCanvas.empty(header, whole_box(header), codec, len(own))
    for tile, tokens in analysed(frame, header, codec):
        canvas.place(header.tile_box(tile), tokens.to("cpu").numpy())
    return _tokens(canvas, codec, len(own) if stages is None else stages)


def _of_file(reader: Reader, device: str, stages: int | None) -> Tokens:
    """Read the indices of a file; what comes behind the last stage wanted is checked, not decoded."""
    header = reader.header
    spec = model_of(header)
    if not spec.stages:
        raise ValueError(f"a file of model '{spec.name}' has no tokens: give one of 'vq', or a picture")
    wanted = header.stages if stages is None else stages
    check_stages(wanted, header.stages, "the file")
    codec = codecs.load_staged(spec, device)
    decoder = PartDecoder(header, codec)
    for part in reader.tiles():
        if part.stage < wanted:
            decoder.take(part)
    canvas = LatentCanvas.empty(header, whole_box(header), codec, len(codec.strides))
    for tile, tokens in decoder.tokens.items():
        canvas.place(header.tile_box(tile), tokens)
    return _tokens(canvas, codec, wanted)


def _tokens(canvas: LatentCanvas, codec: StagedCodec, stages: int) -> Tokens:
    header, kept = canvas.header, stages_of(codec)[:stages]
    return Tokens(
        grids=grids_of(canvas.y_hat, kept),
        stages=kept,
        width=header.width,
        height=header.height,
        model=codec.spec.name,
        weights_hash=codec.spec.weights_hash.hex(),
        orientation=header.orientation,
    )


def _spec_of(tokens: Tokens) -> ModelSpec:
    """The weights at hand that made the tokens. Raises ModelMismatchError."""
    for spec in zoo.all_specs():
        if spec.weights_hash.hex() == tokens.weights_hash:
            return spec
    raise ModelMismatchError(
        f"the tokens were made with weights {tokens.weights_hash} of model '{tokens.model}', which are not "
        "here: install the version, or add the model, that made them"
    )
