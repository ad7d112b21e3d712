"""Clips of released versions decode to the same integers, times, sound, and picture but for a level."""

from pathlib import Path
from zlib import crc32

import numpy as np
from PIL import Image
from video_samples import UNEVEN

import linnet
from linnet.bitstream import PacketGroup

GOLDEN = Path(__file__).parent / "conformance" / "clips" / "v1.1_fast_uneven.lnt"
SOUND = (10, 0x06356C01)  # packets, and a CRC-32 of them all


def test_golden_clip_still_decodes() -> None:
    report = linnet.verify(GOLDEN, full=True)  # the hashes in the file are the golden integers
    assert (report.ok, report.frames) == (True, 4)
    with linnet.VideoReader(GOLDEN) as video:
        assert [frame.ticks for frame in video] == list(UNEVEN[:4])
        decoded = video[2].pixels.astype(int)
    with Image.open(GOLDEN.with_suffix(".png")) as stored:
        expected = np.asarray(stored).astype(int)
    assert decoded.shape == expected.shape
    assert np.abs(decoded - expected).max() <= 1


def test_golden_clip_still_says_what_it_is_and_keeps_its_sound() -> None:
    found = linnet.info(GOLDEN)
    assert (found.format_version, found.width, found.height, found.orientation) == ("1.1", 64, 96, 8)
    assert found.video is not None
    assert (found.video.aspect, found.video.range, found.video.matrix) == ("16/15", "limited", 1)
    assert found.video.tags == {"title": "Golden"}
    with linnet.VideoReader(GOLDEN) as video:
        groups = [item for item in video.reader.items() if isinstance(item, PacketGroup)]
    packets = [packet for group in groups for packet in group.packets]
    assert (len(packets), crc32(b"".join(packet.data for packet in packets))) == SOUND
