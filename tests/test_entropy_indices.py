"""The exact index model: against integers of 64 bits, there and back, damaged, and with tokens lost."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from index_samples import COARSE, CODES, model_of, own_grid, photo_tokens, random_tensors, random_tokens
from machine_settings import outputs_of
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from linnet.bitstream.errors import CorruptFileError, FormatError
from linnet.entropy.index_tables import exp_table, frequencies, steps, weights_of
from linnet.entropy.indices import IndexModel
from linnet.entropy.range_coder import SymbolDecoder, SymbolEncoder
from linnet.entropy.rate import RateCounter
from linnet.entropy.tables import CdfTable

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
SIZES = [(1, 1), (1, 7), (2, 2), (5, 3), (17, 16)]
STAGES = range(len(CODES))


class Reference:
    """FORMAT.md section 20 in int64, written again from its text."""

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        self.tensors = {name: tensor.numpy().astype(np.int64) for name, tensor in tensors.items()}

    def layer(self, name: str, x: Int64) -> Int64:
        weight, bias, shift, clamp = (
            self.tensors[f"{name}.{part}"] for part in ("weight", "bias", "shift", "clamp")
        )
        if name.endswith("depthwise"):
            padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
            height, width = x.shape[:2]
            sums = sum(padded[t // 3 : t // 3 + height, t % 3 : t % 3 + width] * weight[t] for t in range(9))
        else:
            sums = x @ weight.T
        return np.clip((sums + bias + (1 << shift >> 1)) >> shift, *clamp)

    def grid(self, name: str, tokens: Int32, blocks: int, start: Int64 | int = 0) -> Int64:
        vectors = [self.tensors[f"{name}.embedding{s}"][tokens[..., s]] for s in range(tokens.shape[2])]
        x = np.clip(np.sum(vectors, 0) + start, -2047, 2047)
        for number in range(blocks):
            block = f"{name}.block{number}"
            mixed = self.layer(f"{block}.depthwise", self.layer(f"{block}.enter", x))
            x = np.clip(x + self.layer(f"{block}.leave", mixed), -2047, 2047)
            groups = np.stack(np.split(self.layer(f"{block}.expand", x), 4, -1))
            added = self.layer(f"{block}.contract", groups.sum(0).clip(max=2047))
            x = np.clip(x + added, -2047, 2047)
        return x

    def logits(self, stage: int, tokens: Int32) -> Int64:
        coarse = self.grid("index.coarse", tokens[::2, ::2, :COARSE], 2)
        if stage < COARSE:
            return self.layer(f"index.coarse.head{stage}", coarse)
        four = self.layer("index.lift", coarse)
        lifted = np.zeros((2 * four.shape[0], 2 * four.shape[1], four.shape[2] // 4), np.int64)
        for below in range(2):
            for right in range(2):
                lifted[below::2, right::2] = four[..., 2 * below + right :: 4]
        lifted = lifted[: tokens.shape[0], : tokens.shape[1]]
        fine = self.grid("index.fine", tokens[..., COARSE:], 1, lifted)
        return self.layer(f"index.fine.head{stage - COARSE}", fine)

    def weights(self, stage: int, known: Int32) -> list[list[int]]:
        """Of all places of the stage in the order of its symbols, in Python's integers."""
        rows: list[list[int]] = []
        codes, table = CODES[stage], self.tensors["index.exp"].tolist()
        for parity in range(2):
            tokens = known.copy()
            tokens[..., stage + 1 :] = 0
            grid = tokens[::2, ::2] if stage < COARSE else tokens
            odd = np.indices(grid.shape[:2]).sum(0) % 2
            grid[..., stage] *= odd < parity
            for row in self.logits(stage, tokens)[odd == parity].tolist():
                shares = [table[min(max(row) - each, len(table) - 1)] for each in row]
                sums = np.cumsum([0, *shares]).tolist()
                scaled = [each * (65536 - codes) // sums[-1] + k for k, each in enumerate(sums)]
                rows.append(np.diff(scaled).tolist())
        return rows


class Listening(RateCounter):
    """A counter that keeps what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[int]] = []

    def code_each(self, symbols: Int32 | None, weights: Int32) -> Int32:
        self.rows += weights.tolist()
        return super().code_each(symbols, weights)


def encoded(model: IndexModel, tokens: Int32, stage: int) -> bytes:
    encoder = SymbolEncoder()
    given = own_grid(tokens, stage)
    assert np.array_equal(model.code(encoder, stage, tokens, given), given)
    return encoder.finish()


def decoded(model: IndexModel, payload: bytes, known: Int32, stage: int) -> Int32:
    decoder = SymbolDecoder(payload)
    indices = model.code(decoder, stage, known)
    decoder.finish()
    return indices


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_weight_equals_the_formats_text_in_integers(dtype: torch.dtype) -> None:
    tensors = random_tensors(seed=3)
    model, reference = model_of(tensors, dtype), Reference(tensors)
    assert model.certify() < 2**24
    spread_out = 0
    for height, width in SIZES:
        tokens = random_tokens(height, width, seed=width)
        for stage in STAGES:
            counter = Listening()
            model.code(counter, stage, tokens, own_grid(tokens, stage))
            expected = reference.weights(stage, tokens)
            assert counter.rows == expected
            spread_out += sum(max(row) < 60000 for row in expected) > len(expected) / 2
    assert spread_out > len(SIZES) * len(CODES) / 2, "the networks must say more than one index"


@pytest.mark.parametrize("size", SIZES)
def test_decoded_stages_are_the_encoded_ones(size: tuple[int, int]) -> None:
    model, tokens = model_of(random_tensors()), random_tokens(*size)
    found = np.zeros_like(tokens)
    for stage in STAGES:
        indices = decoded(model, encoded(model, tokens, stage), found, stage)
        assert indices.dtype == np.int32
        assert np.array_equal(indices, own_grid(tokens, stage))
        found[..., stage] = tokens[..., stage]


def test_tokens_of_a_photograph_survive_at_the_predicted_size(photo: Image.Image) -> None:
    model, tokens = model_of(random_tensors()), photo_tokens(photo)
    for stage in STAGES:
        payload, counter = encoded(model, tokens, stage), RateCounter()
        model.code(counter, stage, tokens, own_grid(tokens, stage))
        assert counter.bits <= 8 * len(payload) <= 1.001 * counter.bits + 64
        assert np.array_equal(decoded(model, payload, tokens, stage), own_grid(tokens, stage))


def test_what_comes_after_a_stage_does_not_change_its_payload() -> None:
    model, tokens = model_of(random_tensors()), random_tokens(6, 9)
    for stage in STAGES:
        before = tokens.copy()
        before[..., stage:] = 0
        encoder = SymbolEncoder()
        model.code(encoder, stage, before, own_grid(tokens, stage))
        assert encoder.finish() == encoded(model, tokens, stage)
    other = tokens.copy()
    other[0, 0, 2] = tokens[0, 0, 2] % CODES[2] + 1
    assert encoded(model, other, 3) != encoded(model, tokens, 3), "but what comes before does"


def test_damaged_payloads_are_corrupt_or_other_indices() -> None:
    model, tokens = model_of(random_tensors()), random_tokens(13, 12)
    for stage in (0, 2):
        payload = encoded(model, tokens, stage)
        for wrong in (payload[:-4], payload + bytes(4), b"", b"\xff" * len(payload)):
            with pytest.raises(CorruptFileError):
                decoded(model, wrong, tokens, stage)
        for bit in range(0, 8 * len(payload), 53):
            damaged = bytearray(payload)
            damaged[bit // 8] ^= 1 << bit % 8
            try:
                found = decoded(model, bytes(damaged), tokens, stage)
            except CorruptFileError:
                continue
            assert not np.array_equal(found, own_grid(tokens, stage))
            assert 0 <= found.min() <= found.max() < CODES[stage]


@pytest.mark.parametrize(
    "name", ["index.coarse.embedding1", "index.lift.weight", "index.fine.block0.depthwise.weight"]
)
def test_one_flipped_weight_changes_the_self_test(name: str) -> None:
    tensors = random_tensors()
    expected = model_of(tensors).self_test()
    assert model_of(random_tensors(), torch.float64).self_test() == expected
    where = (tensors[name] != 0).nonzero()[-1]
    tensors[name][tuple(where)] *= -1
    assert model_of(tensors).self_test() != expected


def test_processes_of_other_settings_come_to_the_same_integers(tmp_path: Path) -> None:
    program = """
import sys
import numpy as np
import torch
torch.set_num_threads(int(sys.argv[1]))
sys.path.insert(0, sys.argv[3])
from index_samples import model_of, random_tensors
from linnet.entropy.range_coder import SymbolDecoder
model = model_of(random_tensors(), getattr(torch, sys.argv[2]))
decoder = SymbolDecoder(open(sys.argv[4] + "/payload", "rb").read())
tokens = np.load(sys.argv[4] + "/tokens.npy")
assert (model.code(decoder, 4, tokens) + 1 == tokens[..., 4]).all()
decoder.finish()
print(model.self_test())
"""
    model, tokens = model_of(random_tensors()), random_tokens(17, 19)
    (tmp_path / "payload").write_bytes(encoded(model, tokens, 4))
    np.save(tmp_path / "tokens.npy", tokens)
    settings = [
        ("1", "float32", {"ONEDNN_MAX_CPU_ISA": "SSE41", "ATEN_CPU_CAPABILITY": "default"}),
        ("2", "float64", {"ONEDNN_DEFAULT_FPMATH_MODE": "BF16"}),
    ]
    here = str(Path(__file__).parent)
    runs = [([a, b, here, str(tmp_path)], {**os.environ, **more}) for a, b, more in settings]
    assert outputs_of(program, runs) == [str(model.self_test())] * len(settings)


def test_filling_leaves_what_is_known_and_knows_everything_afterwards() -> None:
    model, tokens = model_of(random_tensors()), random_tokens(9, 7)
    lost = np.random.default_rng(4).random(tokens.shape) < 0.3
    lost[..., :COARSE] = lost[::2, ::2, :COARSE].repeat(2, 0).repeat(2, 1)[:9, :7]
    known = np.where(lost, 0, tokens)
    before = known.copy()
    full = model.fill(known, 5)
    assert np.array_equal(known, before)
    assert np.array_equal(full[~lost], tokens[~lost])
    assert full.min() > 0
    assert (full.max((0, 1)) <= CODES).all()
    assert np.array_equal(full[..., :COARSE], full[::2, ::2, :COARSE].repeat(2, 0).repeat(2, 1)[:9, :7])
    assert np.array_equal(full, model.fill(known, 5))
    assert np.array_equal(full, model_of(random_tensors(), torch.float64).fill(known, 5))
    assert np.array_equal(full, model.fill(full, 5))


def test_filling_some_stages_leaves_the_later_ones() -> None:
    model, tokens = model_of(random_tensors()), random_tokens(6, 5)
    tokens[..., 1] = 0
    tokens[..., 3:] = 0
    full = model.fill(tokens, 3)
    assert full[..., 1].all()
    assert not full[..., 3:].any()


def test_what_is_filled_in_is_the_most_probable_index() -> None:
    tensors = random_tensors()
    model, reference = model_of(tensors), Reference(tensors)
    tokens = random_tokens(6, 6)
    tokens[2, 4, 3] = 0
    expected = reference.logits(3, tokens)[2, 4].argmax() + 1
    assert model.fill(tokens, 5)[2, 4, 3] == expected


def test_weights_are_never_0_and_sum_to_2_to_the_16() -> None:
    table = exp_table()
    assert table[0] == 2**20
    assert (np.diff(table) <= 0).all()
    assert table[-1] == 0
    generator = np.random.default_rng(1)
    for codes in (2, 256, 1024, 8192):
        extreme = generator.choice(np.array([-(2**15), 0, 2**15], np.int32), (20, codes))
        one = np.full((1, codes), -(2**15), np.int32)
        one[0, -1] = 2**15
        rows = np.concatenate([extreme, one, np.zeros((1, codes), np.int32)])
        weights = weights_of(rows, table)
        assert weights.min() >= 1
        assert (weights.sum(1) == 2**16).all()
        assert weights[-2, -1] == 2**16 - codes + 1
        assert weights[-1].max() - weights[-1].min() <= 1


def test_weights_follow_the_exponential_of_the_logits() -> None:
    logits = np.random.default_rng(2).normal(0, 30, (40, 64)).astype(np.int32)
    weights = weights_of(logits, exp_table())
    shares = np.exp(logits / 16)
    expected = shares / shares.sum(1, keepdims=True) * (2**16 - 64) + 1
    assert np.abs(weights - expected).max() < 1.1


def test_the_steps_visit_every_place_once() -> None:
    for height, width in [*SIZES, (1, 2), (6, 1)]:
        visits = np.zeros((height, width), np.int32)
        for number, places in enumerate(steps(height, width)):
            visits[places] += number + 1
        assert np.array_equal(visits, np.indices((height, width)).sum(0) % 2 + 1)


def some_rows(count: int, codes: int, seed: int = 0) -> tuple[Int32, Int32]:
    """Symbols below the last code, and frequencies, of which each is that of a table row."""
    generator = np.random.default_rng(seed)
    symbols = generator.integers(0, codes - 1, count).astype(np.int32)
    return symbols, frequencies(generator.integers(1, 2**14, (count, codes)) ** 2)


def test_a_distribution_for_each_symbol_codes_as_a_table_row_does() -> None:
    symbols, weights = some_rows(200, 300)
    one, other, count, other_count = SymbolEncoder(), SymbolEncoder(), RateCounter(), RateCounter()
    one.code_each(symbols, weights)
    count.code_each(symbols, weights)
    for row, weight in enumerate(weights):
        cdf = np.concatenate([[0], weight.cumsum()])[None].astype(np.int32)
        table = CdfTable(cdf=cdf, size=np.array([300], np.int32), offset=np.zeros(1, np.int32))
        for coder in (other, other_count):
            coder.code(symbols[row : row + 1], np.zeros(1, np.uint8), table)
    assert one.finish() == other.finish()
    assert count.bits == pytest.approx(other_count.bits, rel=1e-12)


def test_a_batch_beyond_the_memory_limit_is_one_payload() -> None:
    symbols, weights = some_rows(3000, 900)
    whole, parts = SymbolEncoder(), SymbolEncoder()
    whole.code_each(symbols, weights)
    for start in range(0, 3000, 77):
        parts.code_each(symbols[start : start + 77], weights[start : start + 77])
    payload = whole.finish()
    assert parts.finish() == payload
    decoder = SymbolDecoder(payload)
    assert np.array_equal(decoder.code_each(None, weights), symbols)
    decoder.finish()


def test_misfit_arguments_are_the_callers_fault() -> None:
    symbols, weights = some_rows(5, 8)
    unequal, zero = weights.copy(), weights.copy()
    unequal[2, 3] += 1
    zero[1, 0], zero[1, 1] = 0, zero[1, 1] + zero[1, 0]
    encoder, decoder = SymbolEncoder(), SymbolDecoder(b"")
    for wrong in (unequal, zero, weights.reshape(-1)):
        with pytest.raises(ValueError, match=r"weights|symbols"):
            encoder.code_each(symbols, wrong)
        with pytest.raises(ValueError, match="weights"):
            decoder.code_each(None, wrong)
    for bad in (None, symbols[:4], symbols + np.int32(8), -symbols - np.int32(1)):
        with pytest.raises(ValueError, match="symbols"):
            encoder.code_each(bad, weights)
    with pytest.raises(ValueError, match="is given None"):
        decoder.code_each(symbols, weights)
    model, tokens = model_of(random_tensors()), random_tokens(4, 4)
    unknown, beyond = tokens.copy(), tokens.copy()
    unknown[0, 0, 1], beyond[1, 1, 0] = 0, CODES[0] + 1
    for stage, known in ((5, tokens), (-1, tokens), (2, unknown), (2, beyond), (2, tokens[..., :4])):
        with pytest.raises(ValueError, match=r"stage|tokens"):
            model.code(RateCounter(), stage, known, own_grid(tokens, min(max(stage, 0), 4)))
    with pytest.raises(ValueError, match="indices"):
        model.code(RateCounter(), 0, tokens, own_grid(tokens, 4))


def test_tensors_that_do_not_fit_together_are_the_files_fault() -> None:
    for name, wrong in {
        "index.shape": torch.tensor([2, 3, 2]),
        "index.exp": torch.tensor([0, 0]),
        "index.lift.weight": torch.ones(60, 16),
        "index.lift.bias": torch.ones(3),
        "index.fine.head1.weight": torch.ones(7, 16),
        "index.coarse.embedding0": torch.full((28, 16), 0.5),
        "index.fine.block0.bound": torch.tensor([-5]),
    }.items():
        with pytest.raises(FormatError):
            model_of({**random_tensors(), name: wrong})
    for name in random_tensors():
        tensors = random_tensors()
        del tensors[name]
        with pytest.raises(FormatError, match=name.rpartition(".")[0]):
            model_of(tensors)
