"""Clips of released versions decode to the same integers, times, sound, and picture but for a level."""

from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
from PIL import Image
from video_samples import UNEVEN

import linnet
from linnet.bitstream import CodedFrame, FrameKind, PacketGroup

GOLDENS = [  # file, its format, and the kinds of its frames
    ("v1.1_fast_uneven", "1.1", [FrameKind.KEY] * 4),
    ("v1.2_video_uneven", "1.2", [FrameKind.KEY, *[FrameKind.INTER] * 3]),
]
FOLDER = Path(__file__).parent / "conformance" / "clips"
SOUND = (10, 0x06356C01)  # packets, and a CRC-32 of them all


@pytest.mark.parametrize(("name", "_", "kinds"), GOLDENS)
def test_golden_clips_still_decode(name: str, _: str, kinds: list[FrameKind]) -> None:
    golden = FOLDER / f"{name}.lnt"
    report = linnet.verify(golden, full=True)  # the hashes in the file are the golden integers
    assert (report.ok, report.frames) == (True, 4)
    with linnet.VideoReader(golden) as video:
        assert [item.head.kind for item in video.reader.items() if isinstance(item, CodedFrame)] == kinds
        assert [frame.ticks for frame in video] == list(UNEVEN[:4])
        decoded = video[2].pixels.astype(int)
    with Image.open(golden.with_suffix(".png")) as stored:
        expected = np.asarray(stored).astype(int)
    assert decoded.shape == expected.shape
    assert np.abs(decoded - expected).max() <= 1


@pytest.mark.parametrize(("name", "version", "_"), GOLDENS)
def test_golden_clips_still_say_what_they_are_and_keep_their_sound(
    name: str, version: str, _: list[FrameKind]
) -> None:
    golden = FOLDER / f"{name}.lnt"
    found = linnet.info(golden)
    assert (found.format_version, found.width, found.height, found.orientation) == (version, 64, 96, 8)
    assert found.video is not None
    assert (found.video.aspect, found.video.range, found.video.matrix) == ("16/15", "limited", 1)
    assert found.video.tags == {"title": "Golden"}
    with linnet.VideoReader(golden) as video:
        groups = [item for item in video.reader.items() if isinstance(item, PacketGroup)]
    packets = [packet for group in groups for packet in group.packets]
    assert (len(packets), crc32(b"".join(packet.data for packet in packets))) == SOUND
