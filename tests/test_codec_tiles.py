"""Tiles join without a seam: coding in tiles is coding the whole, as far as the pixels show."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from model_samples import fast
from PIL import Image

from linnet.codec.frame import Frame
from linnet.codec.still.canvas import LatentCanvas
from linnet.codec.still.header import header_of
from linnet.codec.still.tiles import analyse_tile, boxes_of, to_planes

QUALITY = 60.0


@pytest.fixture
def frame(photo: Image.Image) -> Frame:
    return Frame.from_array(np.asarray(photo))


def test_latents_of_a_tile_are_those_of_the_whole_picture(frame: Frame) -> None:
    codec = fast()
    whole = codec.analyse(to_planes(frame.pixels), QUALITY)
    for left, top in ((0, 0), (256, 0), (256, 256), (0, 512)):
        width, height = min(256, frame.width - left), min(256, frame.height - top)
        tile = analyse_tile(codec, frame, (left, top, width, height), QUALITY)
        part = whole[top // 16 : -(-(top + height) // 16), left // 16 : (left + width) // 16]
        assert torch.allclose(tile, part, atol=2e-2)


def test_a_smaller_halo_would_show(frame: Frame) -> None:
    codec = replace(fast(), corrects=False)  # corrected latents depend on a few pixels more
    box = (256, 256, 256, 256)
    whole = codec.analyse(to_planes(frame.pixels), QUALITY)[16:32, 16:32]
    bare = codec.analyse(to_planes(frame.pixels[256:512, 256:512]), QUALITY)
    haloed = analyse_tile(codec, frame, box, QUALITY)
    assert (whole - bare).abs().max() > 100 * (whole - haloed).abs().max()


def test_pixels_synthesised_in_tiles_are_those_of_the_whole_picture(frame: Frame) -> None:
    codec = fast()
    header = header_of(frame, codec, QUALITY, tile_log2=8)
    whole = (0, 0, frame.width, frame.height)
    canvas = LatentCanvas.covering(header, whole, codec)
    canvas.y_hat[:] = (codec.analyse(to_planes(frame.pixels), QUALITY) * 64).round().int().numpy()
    untiled = canvas.pixels(codec, whole).astype(int)
    tiled = np.zeros_like(untiled)
    for box in boxes_of(whole, header.tile_size):
        left, top, width, height = box
        tiled[top : top + height, left : left + width] = canvas.pixels(codec, box)
    assert np.abs(tiled - untiled).max() <= 1
    assert np.mean(tiled != untiled) < 1e-3


def test_boxes_cover_a_region_once_along_the_tile_grid() -> None:
    region = (100, 250, 500, 300)
    seen = np.zeros((600, 700), int)
    for left, top, width, height in boxes_of(region, 256):
        assert left // 256 == (left + width - 1) // 256
        seen[top : top + height, left : left + width] += 1
    assert (seen[250:550, 100:600] == 1).all()
    assert seen.sum() == 500 * 300
