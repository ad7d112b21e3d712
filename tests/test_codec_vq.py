"""The shipped `vq` model: stages add up, both decoders read one file, and every machine the same integers."""

import io
import os
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from machine_settings import outputs_of
from model_samples import psnr_db
from numpy.typing import NDArray
from PIL import Image

import linnet
from linnet.bitstream import CorruptFileError, TruncatedError
from linnet.models import zoo
from linnet.models.vq.codec import load

PROGRAM = """
import sys, torch, linnet
threads, folder, picture, number = sys.argv[1:]
torch.set_num_threads(int(threads))
print(linnet.verify(f"{folder}/here.lnt", full=True).parts)  # it would have raised for other integers
linnet.encode(picture, f"{folder}/{number}.lnt", model="vq", quality=100)
"""
SETTINGS = [
    ("1", {"ONEDNN_MAX_CPU_ISA": "SSE41", "ATEN_CPU_CAPABILITY": "default"}),
    ("2", {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}),
    ("4", {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE", "ONEDNN_DEFAULT_FPMATH_MODE": "BF16"}),
]
SPEC = zoo.find("vq")
STAGES = SPEC.stages


@pytest.fixture(scope="module")
def crop(photo_path: Path) -> Image.Image:
    with Image.open(photo_path) as photo:
        return photo.convert("RGB").crop((0, 0, 400, 280))


@pytest.fixture(scope="module")
def coded(crop: Image.Image) -> list[bytes]:
    """A file of each number of stages."""
    return [linnet.encode(crop, model="vq", stages=stages).data or b"" for stages in range(1, STAGES + 1)]


def shown(data: bytes, tune: Literal["fidelity", "perceptual"] = "fidelity") -> NDArray[np.uint8]:
    return np.asarray(linnet.decode(data, tune=tune).to_pil())


def test_stages_are_those_of_the_model_file_and_of_its_index_model() -> None:
    codec = load(SPEC)
    assert len(codec.strides) == STAGES
    assert codec.codes == codec.index_model.codes


def raw_bits(crop: Image.Image) -> int:
    """Of all indices of a picture, each as a number of its codebook."""
    codec = load(SPEC)
    return sum(
        (codes.bit_length() - 1) * -(-crop.width // stride) * -(-crop.height // stride)
        for stride, codes in zip(codec.strides, codec.codes, strict=True)
    )


def test_every_stage_costs_bytes_and_gains_fidelity(crop: Image.Image, coded: list[bytes]) -> None:
    sizes = [len(data) for data in coded]
    assert sizes == sorted(set(sizes))
    assert sizes[-1] * 8 < raw_bits(crop) + 8 * 100  # and the container
    found = [psnr_db(np.asarray(crop), shown(data)) for data in coded]
    assert found == sorted(found)
    assert found[-1] > found[0] + 2


def test_indices_cost_less_than_their_number_of_bits(crop: Image.Image, coded: list[bytes]) -> None:
    assert 8 * (len(coded[-1]) - 110) < 0.93 * raw_bits(crop)


def test_the_perceptual_decoder_reads_the_same_file(crop: Image.Image, coded: list[bytes]) -> None:
    plain, other = shown(coded[-1]), shown(coded[-1], "perceptual")
    assert not np.array_equal(plain, other)
    assert psnr_db(plain, other) > 20
    sharpness = [np.abs(np.diff(p.astype(int), axis=1)).mean() for p in (plain, other)]
    assert sharpness[1] > sharpness[0]


def test_a_model_with_one_decoder_says_so(crop: Image.Image) -> None:
    data = linnet.encode(crop, quality=5).data or b""
    with pytest.raises(ValueError, match="has one decoder"):
        linnet.decode(data, tune="perceptual")


def test_a_truncated_file_is_a_picture_of_fewer_stages(coded: list[bytes]) -> None:
    cut = coded[-1][: len(coded[-1]) - 12]
    with pytest.raises((TruncatedError, CorruptFileError)):
        linnet.decode(cut)
    frame = linnet.decode(cut, allow_partial=True)
    assert frame.losses
    whole = io.BytesIO()
    linnet.cut(coded[-1], whole, stages=STAGES - 1)
    assert np.array_equal(frame.pixels, linnet.decode(whole.getvalue()).pixels)


@pytest.mark.parametrize("size", [(1, 1), (33, 17), (16, 47), (130, 64)])
def test_odd_sizes_round_trip(crop: Image.Image, size: tuple[int, int]) -> None:
    data = linnet.encode(crop.crop((50, 60, 50 + size[0], 60 + size[1])), model="vq", quality=90).data or b""
    assert linnet.verify(data, full=True).ok
    assert linnet.decode(data).pixels.shape == (size[1], size[0], 3)


def test_every_setting_reads_and_writes_the_same_integers(crop: Image.Image, tmp_path: Path) -> None:
    picture = tmp_path / "crop.png"
    crop.crop((0, 0, 200, 150)).save(picture)
    linnet.encode(picture, tmp_path / "here.lnt", model="vq", quality=100)
    runs = [
        ([threads, str(tmp_path), str(picture), str(number)], {**os.environ, **settings})
        for number, (threads, settings) in enumerate(SETTINGS)
    ]
    assert outputs_of(PROGRAM, runs) == [str(STAGES)] * len(SETTINGS)
    assert all(linnet.verify(tmp_path / f"{number}.lnt", full=True).ok for number in range(len(SETTINGS)))
