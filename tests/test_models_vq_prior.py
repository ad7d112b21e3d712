"""The index model's float twin: what it learns on tokens of a photograph, and what is left in integers."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from index_samples import COARSE, CODES, own_grid, photo_tokens
from numpy.typing import NDArray
from PIL import Image

from linnet.entropy.indices import IndexModel
from linnet.entropy.range_coder import SymbolDecoder, SymbolEncoder
from linnet.entropy.tables import PRECISION
from linnet.models.training import vq_prior
from linnet.models.training.quantise_indices import calibrate_prior, exact_bits, exact_model, quantise_prior
from linnet.models.training.vq_prior import PriorTraining
from linnet.models.training.vq_prior_costs import held_out_bits, stage_counts, static_bits
from linnet.models.training.vq_prior_start import start_from
from linnet.models.training.vq_tokens import WINDOW, Tokens, left_out, odd_places, read_tokens
from linnet.models.vq.prior import IndexPrior, PriorConfig

STEPS = 100
SMALL = PriorConfig(CODES, COARSE, width=32, blocks=2)


def save(path: Path, arrays: list[NDArray[np.int32]], **more: NDArray[np.generic]) -> Path:
    flat = np.concatenate([array.reshape(-1) for array in arrays]).astype(np.int16)
    np.savez(
        str(path), allow_pickle=False, tokens=flat, shapes=np.array([array.shape for array in arrays]), **more
    )
    return path


@pytest.fixture(scope="module")
def tokens(photo_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Tokens:
    """Of the whole photograph, and of cuts of it."""
    with Image.open(photo_path) as image:
        photo = image.convert("RGB")
    cuts = [photo.crop((x, y, x + 256 + x, y + 320)) for x in (0, 110) for y in (0, 90, 250)]
    arrays = [photo_tokens(picture) for picture in (photo, *cuts)]
    return read_tokens(save(tmp_path_factory.mktemp("tokens") / "tokens.npz", arrays), CODES)


@pytest.fixture(scope="module")
def net(tokens: Tokens) -> IndexPrior:
    """A network that has learned a little."""
    run = PriorTraining(SMALL, tokens, learning_rate=5e-3, batch=4, decay=0.0)
    for step in range(STEPS):
        run.update((step + 1) / STEPS)
    return run.averaged


@pytest.fixture(scope="module")
def exact(net: IndexPrior, tokens: Tokens) -> IndexModel:
    """The same in integers."""
    return exact_model(quantise_prior(net, calibrate_prior(net, tokens)))


@pytest.fixture
def other_tokens(photo: Image.Image, tmp_path: Path) -> Tokens:
    return read_tokens(save(tmp_path / "other.npz", [photo_tokens(photo.resize((384, 450)))[:, :-1]]), CODES)


def test_windows_are_cut_from_the_arrays_on_the_coarse_grid(tokens: Tokens) -> None:
    windows = tokens.windows(12, torch.Generator().manual_seed(1))
    assert windows.shape == (12, len(CODES), WINDOW, WINDOW)
    arrays = [tokens.array(number) for number in range(len(tokens))]
    for window in windows:
        height = int((window[0].amax(1) > 0).sum())
        width = int((window[0].amax(0) > 0).sum())
        cut = window[:, :height, :width]
        assert min(height, width) == WINDOW
        found = [
            torch.equal(array[:, top : top + height, left : left + width], cut)
            for array in arrays
            for top in range(0, array.shape[1] - height + 1, 2)
            for left in range(0, array.shape[2] - width + 1, 2)
        ]
        assert any(found)


def test_what_is_to_be_found_is_what_is_left_out(tokens: Tokens) -> None:
    generator = torch.Generator().manual_seed(2)
    fine = tokens.windows(64, generator)[:, COARSE:]
    odd = odd_places(WINDOW, WINDOW)
    patterns = set[str]()
    for stage in range(3):
        known, target = left_out(fine, stage, generator)
        assert torch.equal(known[known > 0], fine[known > 0])
        assert torch.equal(target[target > 0], fine[:, stage][target > 0])
        assert not ((known[:, stage] > 0) & (target > 0)).any()
        for sample in range(64):
            coded = bool((known[sample, :stage] > 0).all()) and not known[sample, stage + 1 :].any()
            first = coded and bool((target[sample] > 0).eq(~odd).all()) and not known[sample, stage].any()
            second = coded and bool((target[sample] > 0).eq(odd).all())
            second = second and bool((known[sample, stage] > 0).eq(~odd).all())
            patterns.add("first" if first else "second" if second else "masked")
    assert patterns == {"first", "second", "masked"}
    known, _ = left_out(fine, 3, generator)
    assert 0.5 < float((known > 0).float().mean()) < 1


def test_a_fresh_network_is_as_good_as_the_frequencies(tokens: Tokens, other_tokens: Tokens) -> None:
    run = PriorTraining(SMALL, tokens, learning_rate=1e-3, batch=1, decay=0.0)
    static = static_bits(tokens, tokens, SMALL)
    assert torch.allclose(held_out_bits(run.net, tokens), static, atol=0.03)
    exact = exact_model(quantise_prior(run.net, calibrate_prior(run.net, tokens)))
    assert torch.allclose(exact_bits(exact, tokens, COARSE), static, atol=0.04)
    counts = stage_counts(other_tokens, SMALL)
    assert [int(count.sum()) for count in counts] == [12 * 14] * 2 + [28 * 23] * 3
    assert (static_bits(tokens, other_tokens, SMALL) <= PRECISION).all()


def test_training_beats_the_frequencies_and_integers_lose_little(
    tokens: Tokens, other_tokens: Tokens, net: IndexPrior, exact: IndexModel
) -> None:
    static = static_bits(tokens, other_tokens, SMALL).sum()
    found = held_out_bits(net, other_tokens).sum()
    assert found < 0.8 * static
    assert exact_bits(exact, other_tokens, COARSE).sum() < 1.005 * found
    known = other_tokens.array(0).permute(1, 2, 0).to(torch.int32).contiguous().numpy()
    for stage in range(len(CODES)):
        encoder = SymbolEncoder()
        exact.code(encoder, stage, known, own_grid(known, stage))
        decoder = SymbolDecoder(encoder.finish())
        assert np.array_equal(exact.code(decoder, stage, known), own_grid(known, stage))
        decoder.finish()


def test_what_is_filled_in_is_right_more_often_than_the_most_frequent_index(
    other_tokens: Tokens, exact: IndexModel
) -> None:
    full = other_tokens.array(0).permute(1, 2, 0).to(torch.int32).contiguous().numpy()
    lost = np.random.default_rng(3).random(full.shape[:2]) < 0.2
    known = full.copy()
    known[lost, 4] = 0
    filled = exact.fill(known, len(CODES))
    assert np.array_equal(filled[~lost], full[~lost])
    common = np.bincount(full[..., 4].reshape(-1)).argmax()
    assert (filled == full)[lost, 4].mean() > 1.5 * (full[lost, 4] == common).mean()


def test_files_that_are_no_tokens_are_refused(photo: Image.Image, tmp_path: Path) -> None:
    array = photo_tokens(photo)
    beyond, unknown = array.copy(), array.copy()
    beyond[0, 0, 2], unknown[3, 3, 1] = CODES[2] + 1, 0
    for wrong in (array[..., :4], beyond, unknown):
        with pytest.raises(ValueError, match=r"tokens|stages"):
            read_tokens(save(tmp_path / "wrong.npz", [wrong]), CODES)
    np.savez(
        str(tmp_path / "short.npz"), tokens=array.reshape(-1)[:-1].astype(np.int16), shapes=[array.shape]
    )
    with pytest.raises(ValueError, match="shapes say"):
        read_tokens(tmp_path / "short.npz", CODES)


def test_the_command_trains_reports_and_saves_integers(
    photo: Image.Image, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stages = np.array([(32 if stage < COARSE else 16, codes) for stage, codes in enumerate(CODES)])
    data = save(tmp_path / "data.npz", [photo_tokens(photo)], stages=stages)
    out = tmp_path / "prior.pt"
    words = [str(data), "--valid", str(data), "--out", str(out), "--minutes", "0.002"]
    threads = torch.get_num_threads()
    shape = ["--width", "16", "--blocks", "1", "--batch", "2", "--threads", str(threads)]
    assert vq_prior.main([*words, *shape]) == 0
    report = capsys.readouterr().out
    assert "static frequencies" in report
    assert "exact: " in report
    saved = torch.load(out, weights_only=True)
    assert exact_model(saved["exact"]).codes == CODES
    assert saved["config"]["width"] == 16
    IndexPrior(PriorConfig(**saved["config"])).load_state_dict(saved["model"])
    assert vq_prior.main([str(tmp_path / "none.npz"), *words[1:]]) == 3
    unnamed = save(tmp_path / "unnamed.npz", [photo_tokens(photo)])
    assert vq_prior.main([str(unnamed), *words[1:]]) == 2
    assert "does not say what stages" in capsys.readouterr().err


def test_token_vectors_begin_as_images_of_the_codebooks(photo: Image.Image, tmp_path: Path) -> None:
    array = photo_tokens(photo)
    generator = np.random.default_rng(5)
    books = {f"codebook{n}": generator.normal(3, 2, (codes, 4)) for n, codes in enumerate(CODES)}
    for book in books.values():
        book[1] = book[0]
    flat = array.reshape(-1).astype(np.int16)
    np.savez(str(tmp_path / "books.npz"), tokens=flat, shapes=[array.shape], **books)
    run = PriorTraining(
        SMALL, read_tokens(tmp_path / "books.npz", CODES), learning_rate=1e-3, batch=1, decay=0.0
    )
    for embedding in (*run.net.coarse.embeddings, *run.averaged.fine.embeddings):
        vectors = next(embedding.parameters())
        assert torch.equal(vectors[1], vectors[2])
        assert not torch.equal(vectors[1], vectors[3])
    books["codebook2"] = books["codebook2"][1:]
    np.savez(str(tmp_path / "short.npz"), tokens=flat, shapes=[array.shape], **books)
    with pytest.raises(ValueError, match="codebooks"):
        read_tokens(tmp_path / "short.npz", CODES)


def test_a_start_keeps_what_was_learned_when_codes_are_renumbered_split_and_added(
    tokens: Tokens, other_tokens: Tokens, net: IndexPrior
) -> None:
    generator = torch.Generator().manual_seed(6)
    books = [torch.randn(codes, 4, generator=generator) for codes in CODES]
    state = {"model": net.state_dict(), "config": asdict(SMALL), "codebooks": books}
    orders = [torch.randperm(codes, generator=generator) for codes in CODES]
    added = torch.randn(8, 4, generator=generator)
    renumbered = [*(book[order] for book, order in zip(books, orders, strict=True)), added]
    twin = renumbered[0][3:4] + 1e-3  # as near to the old code as its other half
    renumbered[0] = torch.cat([renumbered[0], twin])

    def moved(given: Tokens) -> Tokens:
        parts = []
        for number in range(len(given)):
            array = given.array(number)
            new = [order.argsort()[stage - 1] + 1 for order, stage in zip(orders, array, strict=True)]
            parts.append(torch.stack([*new, array[-1]]).permute(1, 2, 0).reshape(-1))
        shapes = given.shapes + torch.tensor([0, 0, 1])
        sizes = shapes.prod(1)
        return Tokens(torch.cat(parts).short(), shapes, sizes.cumsum(0) - sizes)

    config = PriorConfig((CODES[0] + 1, *CODES[1:], 8), COARSE, width=32, blocks=2)
    run = PriorTraining(config, moved(tokens), learning_rate=1e-3, batch=1, decay=0.0)
    start_from(run.net, state, renumbered)
    expected = held_out_bits(net, other_tokens)
    found = held_out_bits(run.net, moved(other_tokens))
    assert torch.allclose(found[: len(CODES)], expected, atol=0.02)
    with pytest.raises(ValueError, match="needs its codebooks"):
        start_from(run.net, {**state, "codebooks": []}, renumbered)
    with pytest.raises(ValueError, match="of another shape"):
        start_from(run.net, {**state, "config": {**asdict(SMALL), "width": 48}}, renumbered)
