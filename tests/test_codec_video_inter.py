"""Inter frames in clips: decoders of other arithmetic stay together, and damaged motion is named."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from model_samples import fast
from PIL import Image
from video_samples import drifting

import linnet
from linnet.bitstream import ClipReader, CodedFrame, FormatError, Header
from linnet.bitstream.clip_frames import Motion
from linnet.codec.frame import Samples
from linnet.codec.still.tile_coding import decode_tile
from linnet.codec.video.frame_decoder import FrameDecoder
from linnet.codec.video.inter import InterPath
from linnet.codec.video.key import KeyPicture
from linnet.models import zoo
from linnet.models.inter import codec as inter_codec

CHAIN = 24  # frames, of which one is a key frame


def clip_of(frames: list[Samples], quality: float) -> bytes:
    """A clip of one group of pictures."""
    made = io.BytesIO()
    with linnet.VideoWriter(made, rate=25, quality=quality, gop=len(frames)) as video:
        for pixels in frames:
            video.write(pixels)
    return made.getvalue()


def own_header(header: Header, frame: CodedFrame) -> Header:
    quality = frame.head.quality_centi
    return header if quality is None else replace(header, quality_centi=quality)


def decode_in(data: bytes, bf16: bool) -> list[Samples]:
    """All frames, with the transforms in bf16 or in float32."""
    image = replace(fast(), bf16=bf16)
    path = InterPath(replace(inter_codec.load(zoo.find("video")), bf16=bf16))
    reader, found = ClipReader(data), []
    for frame in reader.items():
        assert isinstance(frame, CodedFrame)
        header = own_header(reader.header, frame)
        if frame.motion is None:
            picture = KeyPicture(header, image)
            for tile in frame.tiles:
                picture.place(tile.index, decode_tile(tile, header, image))
            found.append(picture.pixels())
            path.read_key()
            path.draw_key(found[-1])
        else:
            found.append(path.draw(path.read(frame, header), header))
    return found


def apart(one: Samples, other: Samples) -> float:
    """Mean difference in levels."""
    return float(np.abs(one.astype(np.float64) - other).mean())


def error_of(one: Samples, other: Samples) -> float:
    """Mean squared error in levels."""
    return float(((one.astype(np.float64) - other) ** 2).mean())


def test_a_chain_decoded_in_bf16_stays_with_one_decoded_in_float32(photo: Image.Image) -> None:
    frames = drifting(photo, CHAIN, (64, 48))
    data = clip_of(frames, 60)
    float32, bf16 = decode_in(data, False), decode_in(data, True)
    differences = [apart(one, other) for one, other in zip(float32, bf16, strict=True)]
    assert 0 < differences[1] < 0.2
    assert max(differences) < 1  # levels of 255; without end, it would be one picture over another
    for frame, one, other in zip(frames, float32, bf16, strict=True):
        assert abs(error_of(frame, one) / error_of(frame, other) - 1) < 0.05


@pytest.fixture(scope="module")
def pair(photo_path: Path) -> bytes:
    """A key frame and an inter frame."""
    with Image.open(photo_path) as photo:
        return clip_of(drifting(photo.convert("RGB"), 2, (48, 32)), 50)


UNDECODABLE = "its motion does not decode"


@pytest.mark.parametrize(
    ("damaged", "said"),
    [
        (lambda motion: replace(motion, hash=motion.hash ^ 1), "its motion has hash [0-9a-f]{8}, the enc"),
        (lambda motion: replace(motion, payload=motion.payload + bytes(4)), UNDECODABLE),
        (lambda motion: replace(motion, payload=motion.payload[:-4]), UNDECODABLE),
        (lambda motion: replace(motion, payload=motion.payload[:-1]), UNDECODABLE),
        (lambda motion: replace(motion, payload=2 * motion.payload[::-1]), UNDECODABLE),
    ],
    ids=["hash", "longer", "shorter", "no-words", "other"],
)
def test_damaged_motion_is_named_and_nothing_is_shown_of_its_frame(
    pair: bytes, damaged: Callable[[Motion], Motion], said: str
) -> None:
    reader = ClipReader(pair)
    key, inter = (item for item in reader.items() if isinstance(item, CodedFrame))
    assert inter.motion is not None
    wrong = replace(inter, motion=damaged(inter.motion))
    decoder = FrameDecoder.load(reader.header, "cpu")
    for act in (decoder.read, decoder.decode):
        act(key)
        with pytest.raises(FormatError, match=f"frame 1: {said}") as caught:
            act(wrong)
        assert caught.value.offset == inter.offset
        assert not decoder.can_decode(inter)
        act(key)
        act(inter)
