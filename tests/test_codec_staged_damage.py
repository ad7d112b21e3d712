"""Damaged stills in stages: what is left is a picture, and what is lost is told."""

import io

import numpy as np
import pytest
import vq_samples
from PIL import Image
from staged_samples import Photo, encoded, expected, partial, tile_of
from vq_samples import BlocksCodec, starts, without

import linnet
from linnet.bitstream import Reader, Writer
from linnet.codec.frame import Frame
from linnet.models import codecs

pytestmark = pytest.mark.usefixtures("blocks_model")


def rewritten(data: bytes, number: int, latent_hash: int = 0, payload: bytes | None = None) -> bytes:
    """The file with another hash or payload of one part, in a valid container."""
    reader, stream = Reader(data), io.BytesIO()
    writer = Writer(stream, reader.header)
    for place, part in enumerate(reader.tiles()):
        changed = place == number
        value = part.latent_hash ^ latent_hash if changed else part.latent_hash
        body = payload if changed and payload is not None else part.payload
        writer.write_tile(part.index, value, body, part.stage)
    writer.finish()
    return stream.getvalue()


def test_truncation_between_stages_equals_a_cut(pixels: Photo) -> None:
    data = encoded(pixels)
    for stages, place in enumerate(starts(data)[1:], 1):
        with pytest.raises(linnet.TruncatedError):
            linnet.decode(data[:place])
        shown, losses = partial(data[:place])
        assert np.array_equal(shown, linnet.decode(linnet.cut(data, stages=stages).data or b"").pixels)
        assert losses.coarser == (((0, stages),) if stages < 3 else ())
        assert losses.lost == 3 - stages
    with pytest.raises(linnet.TruncatedError):
        linnet.decode(data[: starts(data)[1] - 1], allow_partial=True)


def test_truncation_within_a_stage_shows_some_tiles_coarser(pixels: Photo, tiled: bytes) -> None:
    header, places = Reader(tiled).header, starts(tiled)
    pictures = [expected(pixels, stages) for stages in (1, 2, 3)]
    for count in range(20, 60, 7):
        shown, losses = partial(tiled[: places[count] + 3])
        assert (losses.parts, losses.lost, losses.concealed) == (60, 60 - count, ())
        stages = [sum(stage * 20 + tile < count for stage in range(3)) for tile in range(20)]
        assert dict(losses.coarser) == {tile: n for tile, n in enumerate(stages) if n < 3}
        for tile, n in enumerate(stages):
            assert np.array_equal(tile_of(header, shown, tile), tile_of(header, pictures[n - 1], tile))


def test_a_fifth_of_all_parts_lost_still_gives_a_picture_and_a_report(pixels: Photo, tiled: bytes) -> None:
    header, whole = Reader(tiled).header, expected(pixels)
    rng = np.random.default_rng(3)
    for _ in range(10):
        gone = {int(number) for number in rng.choice(60, 12, replace=False)}
        shown, losses = partial(without(tiled, gone))
        # a stage without those before it is lost with them
        known = [next((s for s in range(3) if 20 * s + tile in gone), 3) for tile in range(20)]
        assert losses.lost == 60 - sum(known)
        assert losses.concealed == tuple(tile for tile, n in enumerate(known) if n == 0)
        assert losses.coarser == tuple((tile, n) for tile, n in enumerate(known) if 0 < n < 3)
        for tile, n in enumerate(known):
            same = np.array_equal(tile_of(header, shown, tile), tile_of(header, whole, tile))
            assert same or n < 3
        error = np.abs(shown.astype(float) - pixels).mean()
        assert error < 2 * np.abs(whole.astype(float) - pixels).mean()


def test_the_report_in_words(tiled: bytes) -> None:
    _, losses = partial(without(tiled, [2, 24, 46, 47]))
    assert losses.describe() == (
        "7 of 60 parts lost: tile 2 concealed from its neighbours, tiles 6, 7 shown with 2 of 3 stages, "
        "tile 4 shown with 1 of 3 stages"
    )
    _, losses = partial(without(tiled, range(10)))
    assert "tiles 0, 1, 2, 3, 4, 5, 6, 7 and 2 more concealed from their neighbours" in losses.describe()


def test_a_hole_looks_like_its_neighbours(pixels: Photo, tiled: bytes) -> None:
    header = Reader(tiled).header
    ours, grey = [], []
    for tile in range(20):
        shown, losses = partial(without(tiled, [tile]))
        assert losses.concealed == (tile,)
        original = tile_of(header, pixels, tile).astype(float)
        ours.append(np.mean((tile_of(header, shown, tile) - original) ** 2))
        grey.append(np.mean((128 - original) ** 2))
    assert np.mean(ours) < 0.8 * np.mean(grey)


def test_holes_of_a_large_picture_are_filled_a_window_at_a_time(photo: Image.Image) -> None:
    sizes: list[int] = []

    class Watched(BlocksCodec):
        def fill(self, known: vq_samples.Int32, stages: int) -> vq_samples.Int32:
            sizes.append(max(known.shape[:2]) * 16)
            assert known[..., 0].any(), "it goes from what is known into what is not"
            return super().fill(known, stages)

    large = np.asarray(photo.resize((2100, 1100)))
    data = encoded(large, 1, 1024)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(codecs, "load_staged", lambda spec, device, tune="fidelity": Watched())
        shown, losses = partial(without(data, [0, 1, 3]))
    assert losses.concealed == (0, 1, 3)
    assert len(sizes) == 3
    assert max(sizes) <= 1024 + 2 * 256
    assert np.abs(shown.astype(float) - large).mean() < 80


def test_nothing_left_of_the_first_stage_is_an_error(tiled: bytes) -> None:
    for data in (without(tiled, range(20)), without(tiled, range(60))):
        with pytest.raises(linnet.CorruptFileError):
            linnet.decode(data, allow_partial=True)


def test_damage_anywhere_is_never_silent(pixels: Photo) -> None:
    intact, rng = encoded(pixels[:100, :130], tile=64), np.random.default_rng(11)
    whole = linnet.decode(intact).pixels
    outcomes = {"refused": 0, "partial": 0}
    for _ in range(200):
        damaged = bytearray(intact)
        for _ in range(rng.integers(1, 4)):
            damaged[rng.integers(len(damaged))] ^= int(rng.integers(1, 256))
        with pytest.raises(linnet.LinnetError):
            linnet.decode(bytes(damaged))
        try:
            frame = linnet.decode(bytes(damaged), allow_partial=True)
        except linnet.LinnetError:
            outcomes["refused"] += 1
            continue
        outcomes["partial"] += 1
        assert frame.losses is not None
        assert frame.losses.lost or np.array_equal(frame.pixels, whole)
    assert outcomes["partial"] > 150


def test_a_wrong_hash_is_out_of_step_and_never_shown(tiled: bytes) -> None:
    data = rewritten(tiled, 23, latent_hash=1)
    assert linnet.verify(data).ok
    for read in (linnet.decode, lambda data: linnet.verify(data, full=True)):
        with pytest.raises(linnet.ModelMismatchError, match="stage 1 of tile 3 has hash"):
            read(data)
    _, losses = partial(data)
    assert (losses.lost, losses.coarser) == (2, ((3, 1),))


def test_random_payloads_behind_a_right_checksum_never_decode(tiled: bytes) -> None:
    rng = np.random.default_rng(5)
    for number in (0, 25, 59):
        for length in (0, 3, 4, 12, 40):
            payload = rng.integers(0, 256, length, np.uint8).tobytes()
            data = rewritten(tiled, number, payload=payload)
            with pytest.raises(linnet.FormatError, match=f"stage {number // 20} of tile {number % 20}"):
                linnet.decode(data)
            _, losses = partial(data)
            assert losses.lost == 3 - number // 20


def test_lost_alpha_is_told(pixels: Photo) -> None:
    data = bytearray(encoded(Frame(pixels, np.full(pixels.shape[:2], 9, np.uint8))))
    data[data.index(b"\x89PNG") + 20] ^= 1
    frame = linnet.decode(bytes(data), allow_partial=True)
    assert frame.losses is not None
    assert (frame.alpha, frame.losses.alpha, frame.losses.lost) == (None, True, 0)
    assert frame.losses.describe() == "none of 3 parts lost: alpha lost: shown opaque"


def test_lost_tiles_of_a_plain_still_are_told_and_grey(pixels: Photo) -> None:
    data = linnet.encode(pixels[:64, :192], tile=64, quality=40).data or b""
    header, damaged = Reader(data).header, bytearray(data)
    damaged[Reader(data).tile(2).offset + 10] ^= 1
    with pytest.raises(linnet.CorruptFileError):
        linnet.decode(bytes(damaged))
    shown, losses = partial(bytes(damaged))
    assert (losses.parts, losses.lost, losses.concealed, losses.stages) == (3, 1, (2,), 0)
    assert losses.describe() == "1 of 3 tiles lost: tile 2 shown grey"
    whole = linnet.decode(data).pixels.astype(int)
    assert np.abs(tile_of(header, shown - whole, 0)).max() <= 1
    assert np.abs(tile_of(header, shown - whole, 2)).max() > 30
    with pytest.raises(linnet.CorruptFileError):
        linnet.decode(bytes(damaged), region=(150, 0, 40, 64), allow_partial=False)
