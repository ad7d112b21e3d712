"""A file decodes to the same integers whatever threads, instruction set and number type either side has."""

import os
from pathlib import Path

import numpy as np
import pytest
from machine_settings import outputs_of
from PIL import Image
from video_samples import drifting

import linnet
from linnet.bitstream import Reader

PROGRAM = """
import sys
from dataclasses import replace
import numpy as np
import torch
threads, dtype, folder, picture, number = sys.argv[1:]
torch.set_num_threads(int(threads))
from linnet.bitstream import ClipReader, Reader
from linnet.codec.still.tile_coding import decode_tile
from linnet.codec.video.inter import InterPath
from linnet.models import image_codec, zoo
from linnet.models.inter import codec as inter_codec
import linnet
codec = image_codec.load(zoo.find("fast"), "cpu", getattr(torch, dtype))
path = InterPath(inter_codec.load(zoo.find("video"), "cpu", getattr(torch, dtype)))
def hashes(data):
    reader = Reader(data)
    return [decode_tile(tile, reader.header, codec).hash() for tile in reader.tiles()]
print(hashes(open(f"{folder}/here.lnt", "rb").read()))
linnet.encode(picture, f"{folder}/{number}.lnt", quality=45)
reader, checked = ClipReader(open(f"{folder}/here_clip.lnt", "rb").read()), 0
for frame in reader.items():
    if frame.motion is None:
        path.read_key()
        continue
    own = frame.head.quality_centi
    path.read(frame, reader.header if own is None else replace(reader.header, quality_centi=own))
    checked += 1  # no hash was another: it would have raised
print(checked)
with linnet.VideoWriter(f"{folder}/{number}_clip.lnt", rate=25, quality=45, gop=3) as video:
    for frame in np.load(f"{folder}/frames.npy"):
        video.write(frame)
"""

FRAMES = 3  # of the clip: a key frame, one behind it, and one that has latents before it
SETTINGS = [
    ("1", "float32", {"ONEDNN_MAX_CPU_ISA": "SSE41", "ATEN_CPU_CAPABILITY": "default"}),
    ("2", "float32", {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}),
    ("4", "float32", {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"}),
    ("2", "float64", {}),
    ("1", "float32", {"ONEDNN_DEFAULT_FPMATH_MODE": "BF16"}),
]


@pytest.fixture(scope="module")
def outcomes(photo_path: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A folder with a still and a clip written here and by each setting, and what each one read of ours."""
    folder = tmp_path_factory.mktemp("machines")
    linnet.encode(photo_path, folder / "here.lnt", quality=45)
    with Image.open(photo_path) as photo:
        frames = drifting(photo.convert("RGB"), FRAMES, (72, 40))
    np.save(folder / "frames.npy", np.stack(frames))
    with linnet.VideoWriter(folder / "here_clip.lnt", rate=25, quality=45, gop=3) as video:
        for frame in frames:
            video.write(frame)

    runs = [
        ([threads, dtype, str(folder), str(photo_path), str(number)], {**os.environ, **settings})
        for number, (threads, dtype, settings) in enumerate(SETTINGS)
    ]
    return folder, outputs_of(PROGRAM, runs)


def test_every_setting_decodes_our_files_to_the_hashes_in_them(outcomes: tuple[Path, list[str]]) -> None:
    folder, read = outcomes
    expected = [tile.latent_hash for tile in Reader((folder / "here.lnt").read_bytes()).tiles()]
    assert [words.splitlines() for words in read] == [[str(expected), str(FRAMES - 1)]] * len(SETTINGS)


def test_files_of_every_setting_decode_here(outcomes: tuple[Path, list[str]]) -> None:
    folder, _ = outcomes
    for number in range(len(SETTINGS)):
        assert linnet.verify(folder / f"{number}.lnt", full=True).ok
        clip = linnet.verify(folder / f"{number}_clip.lnt", full=True)
        assert (clip.ok, clip.frames) == (True, FRAMES)
        found = linnet.info(folder / f"{number}_clip.lnt").video
        assert found is not None
        assert found.key_frames == 1
