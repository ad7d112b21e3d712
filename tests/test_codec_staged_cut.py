"""Stills in stages with the last ones left out: the file that had fewer."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from staged_samples import Photo, encoded, expected
from vq_samples import starts, without

import linnet
from linnet.bitstream import Reader

pytestmark = pytest.mark.usefixtures("blocks_model")
Settings = dict[str, Any]


def test_a_cut_is_the_file_that_had_fewer_stages(pixels: Photo, tiled: bytes, tmp_path: Path) -> None:
    for stages in (1, 2, 3):
        result = linnet.cut(tiled, stages=stages)
        data = result.data or b""
        assert (result.stages, result.stages_before, result.bytes) == (stages, 3, len(data))
        fresh = encoded(pixels, stages, 64)
        assert [tile.payload for tile in Reader(data).tiles()] == [t.payload for t in Reader(fresh).tiles()]
        assert len(data) == len(fresh)
        assert np.array_equal(linnet.decode(data).pixels, expected(pixels, stages))
        assert linnet.cut(tiled, target_size=len(data)).data == data
        assert linnet.info(data).stages == stages
    assert linnet.cut(tiled, stages=3).data == tiled
    assert linnet.cut(tiled, tmp_path / "small.lnt", stages=1).path == tmp_path / "small.lnt"
    assert linnet.info(tmp_path / "small.lnt").parts == 20


def test_a_cut_needs_only_what_it_keeps(tiled: bytes) -> None:
    places = starts(tiled)
    whole = linnet.cut(tiled, stages=2).data
    assert linnet.cut(tiled[: places[40]], stages=2).data == whole
    assert linnet.cut(io.BytesIO(tiled[: places[45]]), stages=2).data == whole
    with pytest.raises(linnet.TruncatedError):
        linnet.cut(tiled[: places[39]], stages=2)
    with pytest.raises(linnet.TruncatedError):
        linnet.cut(tiled[: places[45]], target_size=10**6)
    with pytest.raises(linnet.CorruptFileError, match="comes where"):
        linnet.cut(without(tiled, [3]), stages=2)


def test_what_cannot_be_cut_is_said(pixels: Photo, tiled: bytes) -> None:
    cases: tuple[tuple[Settings, str], ...] = (
        ({}, "either how many stages"),
        ({"stages": 1, "target_size": 9}, "either how many stages"),
        ({"stages": 4}, "has 3 stages: 4 cannot"),
        ({"stages": 0}, "0 cannot be kept"),
        ({"target_size": 100}, "one stage alone takes"),
    )
    for settings, why in cases:
        with pytest.raises(ValueError, match=why):
            linnet.cut(tiled, **settings)
    plain = linnet.encode(pixels[:20, :20], quality=0).data or b""
    with pytest.raises(ValueError, match="does not come in stages"):
        linnet.cut(plain, stages=1)
