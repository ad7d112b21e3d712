"""A file decodes to the same integers whatever threads, instruction set and number type either side has."""

import os
from pathlib import Path

import pytest
from machine_settings import outputs_of

import linnet
from linnet.bitstream import Reader

PROGRAM = """
import io, sys, zlib
import torch
threads, dtype, coded, picture, target = sys.argv[1:]
torch.set_num_threads(int(threads))
from linnet.bitstream import Reader
from linnet.codec.still import decode_tile
from linnet.models import image_codec, zoo
import linnet
codec = image_codec.load(zoo.find("fast"), "cpu", getattr(torch, dtype))
def hashes(data):
    reader = Reader(data)
    return [decode_tile(tile, reader.header, codec).hash() for tile in reader.tiles()]
print(hashes(open(coded, "rb").read()))
linnet.encode(picture, target, quality=45)
"""

SETTINGS = [
    ("1", "float32", {"ONEDNN_MAX_CPU_ISA": "SSE41", "ATEN_CPU_CAPABILITY": "default"}),
    ("2", "float32", {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}),
    ("4", "float32", {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"}),
    ("2", "float64", {}),
    ("1", "float32", {"ONEDNN_DEFAULT_FPMATH_MODE": "BF16"}),
]


@pytest.fixture(scope="module")
def outcomes(photo_path: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A folder with one file written here and one by each setting, and what each setting read of ours."""
    folder = tmp_path_factory.mktemp("machines")
    coded = folder / "here.lnt"
    linnet.encode(photo_path, coded, quality=45)

    runs = [
        (
            [threads, dtype, str(coded), str(photo_path), str(folder / f"{number}.lnt")],
            {**os.environ, **settings},
        )
        for number, (threads, dtype, settings) in enumerate(SETTINGS)
    ]
    return folder, outputs_of(PROGRAM, runs)


def test_every_setting_decodes_our_file_to_the_hash_in_it(outcomes: tuple[Path, list[str]]) -> None:
    folder, read = outcomes
    expected = [tile.latent_hash for tile in Reader((folder / "here.lnt").read_bytes()).tiles()]
    assert read == [str(expected)] * len(SETTINGS)


def test_files_of_every_setting_decode_here(outcomes: tuple[Path, list[str]]) -> None:
    folder, _ = outcomes
    for number in range(len(SETTINGS)):
        assert linnet.verify(folder / f"{number}.lnt", full=True).ok
