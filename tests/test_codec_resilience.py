"""Resilient files: what is lost of them is made good, or told; never shown as if it were right."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from staged_samples import Photo, encoded
from vq_samples import starts, without

import linnet
from linnet.bitstream import CorruptFileError, LinnetError, Metadata, Reader
from linnet.codec.distortion import psnr_db
from linnet.codec.frame import Frame
from linnet.codec.still.resilience import spread_for

pytestmark = pytest.mark.usefixtures("blocks_model")
SHARES = 24
STAGES = ((12, 1), (9, 2), (6, 3))  # with so many shares lost, so many stages are left


@pytest.fixture(scope="module")
def data(pixels: Photo) -> bytes:
    """The same in 6 tiles and 24 shares."""
    return protected(pixels)


def protected(pixels: Photo | Frame, stages: int = 3) -> bytes:
    """The file in 24 shares, whole without any 6 of them."""
    return encoded(pixels, stages, 128, 25)


def lossy(data: bytes, count: int, seed: int) -> bytes:
    """The file without so many of its shares."""
    gone = np.random.default_rng(seed).choice(SHARES, count, replace=False)
    return without(data, {int(number) for number in gone})


def test_a_resilient_file_gives_the_picture_of_a_plain_one(pixels: Photo, data: bytes) -> None:
    plain = encoded(pixels, tile=128)
    whole = linnet.decode(data)
    assert np.array_equal(whole.pixels, linnet.decode(plain).pixels)
    assert (whole.losses, whole.repairs) == (None, ())
    assert [part.payload for part in Reader(data).tiles()] == [part.payload for part in Reader(plain).tiles()]
    region = linnet.decode(data, region=(100, 90, 120, 70)).pixels
    assert np.array_equal(region, whole.pixels[90:160, 100:220])
    report, found = linnet.verify(data, full=True), linnet.info(data)
    assert (report.ok, report.bytes, report.parts) == (True, len(data), 18)
    assert (found.bytes, found.shares, found.shares_needed, found.shares_least) == (len(data), 24, 18, 12)
    assert linnet.info(plain).parity_bytes == 0 < found.parity_bytes < len(data) - len(plain) // 2


def test_damage_to_any_one_share_changes_nothing(data: bytes) -> None:
    whole = linnet.decode(data).pixels
    for number, place in enumerate(starts(data)[:SHARES]):
        for damaged in (without(data, [number]), data[:place] + bytes(20) + data[place + 20 :]):
            frame = linnet.decode(damaged)
            assert np.array_equal(frame.pixels, whole)
            assert frame.losses is None
            assert frame.repairs
            with pytest.raises(LinnetError, match=r"2[23] of 24 shares are left, enough for the whole"):
                linnet.verify(damaged)
    for partial in (False, True):
        part = linnet.decode(without(data, [3]), region=(10, 20, 90, 80), allow_partial=partial)
        assert np.array_equal(part.pixels, whole[20:100, 10:100])
        assert (bool(part.repairs), part.losses) == (True, None)


@pytest.mark.parametrize("order", ["moved", "swapped", "reversed", "shuffled"])
def test_shares_out_of_order_are_all_used(data: bytes, order: str) -> None:
    numbers = list(range(SHARES))
    orders = {
        "moved": numbers[6:] + numbers[:6],
        "swapped": [number ^ 1 for number in numbers],
        "reversed": numbers[::-1],
        "shuffled": list(np.random.default_rng(3).permutation(SHARES)),
    }
    places = starts(data)
    pieces = [data[a:b] for a, b in pairwise(places)]
    mixed = data[: places[0]] + b"".join(pieces[n] for n in orders[order]) + data[places[-1] :]
    frame = linnet.decode(mixed)
    assert np.array_equal(frame.pixels, linnet.decode(data).pixels)
    assert (len(frame.repairs), frame.losses) == (1, None)
    with pytest.raises(LinnetError, match="24 of 24 shares are left, enough for the whole"):
        linnet.verify(mixed)
    mended = linnet.cut(mixed, stages=linnet.info(data).stages).data
    assert mended == data
    twice = mixed[: places[1]] + pieces[orders[order][0]] + mixed[places[1] :]
    assert np.array_equal(linnet.decode(twice).pixels, linnet.decode(data).pixels)


@pytest.mark.parametrize("count", [1, 6, 7, 9, 10, 12])
def test_what_is_left_says_how_many_stages_are_shown(data: bytes, count: int) -> None:
    stages = max(stages for lost, stages in STAGES if count <= lost)
    expected = linnet.decode(linnet.cut(data, stages=stages).data or b"").pixels
    for seed in range(4):
        damaged = lossy(data, count, seed)
        frame = linnet.decode(damaged, allow_partial=True)
        assert np.array_equal(frame.pixels, expected)
        if stages == 3:
            assert (frame.losses, bool(frame.repairs)) == (None, True)
            assert np.array_equal(linnet.decode(damaged).pixels, expected)
            continue
        assert frame.losses is not None
        assert frame.repairs == ()
        assert (frame.losses.shares, frame.losses.shares_lost) == (24, count)
        assert frame.losses.describe() == f"{count} of 24 shares lost: shown with {stages} of 3 stages"
        with pytest.raises(CorruptFileError):
            linnet.decode(damaged)


def test_too_few_shares_for_any_picture_are_an_error(data: bytes) -> None:
    for count in (13, 24):
        for partial in (False, True):
            with pytest.raises(LinnetError):
                linnet.decode(lossy(data, count, 1), allow_partial=partial)


def test_every_prefix_of_a_file_is_told_and_right(data: bytes) -> None:
    pictures = [linnet.decode(linnet.cut(data, stages=stages).data or b"").pixels for stages in (1, 2, 3)]
    ends = [*starts(data)[12:], len(data) - 1]  # the last one cuts the end chunk only
    for number, end in enumerate(ends, 12):
        lost = max(0, SHARES - number)
        frame = linnet.decode(data[:end], allow_partial=True)
        assert np.array_equal(frame.pixels, pictures[sum(lost <= most for most, _ in STAGES) - 1])
        assert bool(frame.repairs) == (frame.losses is None)


def test_damage_anywhere_is_never_silent(data: bytes) -> None:
    whole, rng = linnet.decode(data).pixels, np.random.default_rng(7)
    outcomes = {"refused": 0, "repaired": 0, "partial": 0}
    for turn in range(150):
        damaged = bytearray(data)
        for _ in range(rng.integers(1, 20)):
            damaged[rng.integers(60, len(damaged))] ^= int(rng.integers(1, 256))
        if turn % 3 == 0:
            start = int(rng.integers(60, len(damaged)))
            del damaged[start : start + int(rng.integers(1, 300))]
        try:
            frame = linnet.decode(bytes(damaged))
            assert frame.repairs
            assert np.array_equal(frame.pixels, whole)
            outcomes["repaired"] += 1
            continue
        except LinnetError:
            pass
        try:
            frame = linnet.decode(bytes(damaged), allow_partial=True)
        except LinnetError:
            outcomes["refused"] += 1
            continue
        outcomes["partial"] += 1
        assert frame.losses is not None
        assert frame.losses.lost
    assert min(outcomes["repaired"], outcomes["partial"]) > 20


def test_a_cut_keeps_the_protection_and_makes_damaged_shares_anew(data: bytes) -> None:
    assert linnet.cut(data, stages=3).data == data
    made = linnet.cut(lossy(data, 6, 3), stages=3)
    assert (made.data, bool(made.repairs)) == (data, True)
    two = linnet.cut(data, stages=2)
    header = Reader(two.data or b"").header
    assert header.spread is not None
    assert (header.spread.count, header.spread.needed) == (24, (12, 15))
    assert two.repairs == ()
    few = lossy(data, 9, 4)  # too many for the third stage
    assert linnet.cut(few, stages=2).data == two.data
    with pytest.raises(CorruptFileError):
        linnet.cut(few, stages=3)


def test_a_target_counts_the_parity(pixels: Photo) -> None:
    sizes = [len(protected(pixels, stages)) for stages in (1, 2, 3)]
    for size, stages in ((sizes[0], 1), (sizes[1] - 1, 1), (sizes[1], 2), (10**6, 3)):
        made = linnet.encode(pixels, model="blocks", target_size=size, tile=128, resilience=25)
        assert (made.stages, made.bytes) == (stages, sizes[stages - 1])
        assert made.data == protected(pixels, stages)


def test_alpha_and_metadata_are_not_protected_and_their_loss_is_told(pixels: Photo) -> None:
    frame = Frame(pixels, np.full(pixels.shape[:2], 9, np.uint8), 1, Metadata(xmp=b"<x/>"))
    whole = bytearray(protected(frame))
    whole[whole.index(b"\x89PNG") + 20] ^= 1
    with pytest.raises(CorruptFileError):
        linnet.decode(bytes(whole))
    shown = linnet.decode(bytes(whole), allow_partial=True)
    assert shown.losses is not None
    assert (shown.losses.alpha, shown.losses.lost, shown.metadata.xmp) == (True, 0, b"<x/>")
    assert shown.losses.describe() == "none of 24 shares lost: alpha lost: shown opaque"


def test_the_whole_survives_what_was_asked_for_and_a_picture_twice_that() -> None:
    for percent in range(1, 41):
        for pixels in (1, 10**6, 10**9):
            for stages in (1, 2, 7, 16):
                spread = spread_for(pixels, stages, percent)
                lost = [spread.count - needed for needed in spread.needed]
                assert lost[0] == spread.count * 2 * percent // 100
                assert stages == 1 or lost[-1] == spread.count * percent // 100
                assert spread.needed[0] >= spread.count // 5
    assert [spread_for(10**n, 1, 1).count for n in range(4, 9)] == [24, 24, 62, 255, 255]


def test_what_cannot_be_asked_for_is_said(pixels: Photo) -> None:
    for percent in (0, 41, -5):
        with pytest.raises(ValueError, match="1 to 40 percent"):
            linnet.encode(pixels, model="blocks", resilience=percent)
    with pytest.raises(ValueError, match="does not code in stages"):
        linnet.encode(pixels, model="fast", resilience=20)


def test_a_fifth_of_the_shipped_models_files_lost_costs_nothing_and_more_costs_detail(
    photo_path: Path,
) -> None:
    with Image.open(photo_path) as image:
        pixels = np.asarray(image.convert("RGB").resize((384, 448)))
    data = linnet.encode(pixels, model="vq", quality=100, resilience=25).data or b""
    whole = linnet.decode(data).pixels
    assert np.array_equal(linnet.decode(lossy(data, 6, 0)).pixels, whole)
    shown = linnet.decode(lossy(data, 10, 0), allow_partial=True)
    assert shown.losses is not None
    assert psnr_db(pixels, whole) > psnr_db(pixels, shown.pixels) > psnr_db(pixels, whole) - 5 > 17
