"""The vector quantisers: what each promises, on latents of a photograph."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from linnet.models import image_codec, zoo
from linnet.models.vq.quantisers.base import Quantiser
from linnet.models.vq.quantisers.binary import BinarySpherical
from linnet.models.vq.quantisers.fsq import FSQ
from linnet.models.vq.quantisers.grouped import GroupedQuantiser
from linnet.models.vq.quantisers.plain import PlainVQ
from linnet.models.vq.quantisers.product import ProductQuantiser
from linnet.models.vq.quantisers.residual import ResidualQuantiser
from linnet.models.vq.quantisers.simvq import SimVQ
from linnet.models.vq.start import principal_axes

CHANNELS = 6  # that every quantiser of KINDS takes
KINDS: dict[str, Callable[[], Quantiser]] = {
    "plain": lambda: PlainVQ(CHANNELS, 60),
    "simvq": lambda: SimVQ(CHANNELS, 60),
    "grouped": lambda: GroupedQuantiser([SimVQ(2, 5), PlainVQ(2, 6), FSQ((4, 5))]),
    "fsq": lambda: FSQ((8, 6, 5, 4, 3, 3)),
    "binary": lambda: BinarySpherical(CHANNELS),
}
each_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(scope="module")
def vectors(photo_path: Path) -> Tensor:
    """[6696, 64] principal components of a photograph's latents, of mean square 1."""
    codec, found = image_codec.load(zoo.find("fast-ms-ssim"), "cpu"), []
    with Image.open(photo_path) as image:
        pixels = torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1).float() / 255
    for shift in (0, 5, 11):
        crop = pixels[:, shift : shift + 576, shift : shift + 496]
        found += [codec.analyse(view.contiguous(), 6).flatten(0, 1) for view in (crop, crop.flip(2))]
    latents = torch.cat(found).clone()
    mean, axes = principal_axes(latents, 64)
    components = (latents - mean) @ axes.T
    return components / components.square().mean().sqrt()


def as_map(rows: Tensor) -> Tensor:
    """[n, C] -> [1, C, n, 1]."""
    return rows.T[None, :, :, None]


def fitted(kind: str, vectors: Tensor) -> tuple[Quantiser, Tensor]:
    """A quantiser started from vectors of CHANNELS, and some of these as [4, C, 10, 12]."""
    torch.manual_seed(1)
    quantiser, samples = KINDS[kind](), vectors[:, :CHANNELS]
    quantiser.start_from(samples, torch.Generator().manual_seed(1))
    return quantiser, samples[:480].reshape(4, 10, 12, CHANNELS).permute(0, 3, 1, 2)


class Between(nn.Module):
    """A quantiser between a linear map and a small network."""

    def __init__(self, quantiser: Quantiser | ResidualQuantiser, channels: int) -> None:
        super().__init__()
        self.encode = nn.Conv2d(64, channels, 1)
        nn.init.dirac_(self.encode.weight)  # the largest principal components
        self.quantiser = quantiser
        self.decode = nn.Sequential(nn.Conv2d(channels, 96, 1), nn.ReLU(), nn.Conv2d(96, 64, 1))

    @torch.no_grad()
    def start(self, vectors: Tensor) -> None:
        """Fit the quantiser to what the encoder makes of vectors."""
        samples = self.encode(as_map(vectors))[0, :, :, 0].T
        self.quantiser.start_from(samples, torch.Generator().manual_seed(1))

    def train_on(self, vectors: Tensor, steps: int, most: int = 0) -> None:
        """Train; `most`: stages that a sample keeps at most, at random, 0 for all of them."""
        generator = torch.Generator().manual_seed(1)
        parameters = [each for each in self.parameters() if each.requires_grad]
        optimiser = torch.optim.AdamW(parameters, 3e-3, weight_decay=0)
        for _ in range(steps):
            y = vectors[torch.randint(len(vectors), (256,), generator=generator)]
            y = y.view(8, 32, 64, 1).transpose(1, 2)
            kept = (torch.randint(1, most + 1, (8,), generator=generator),) if most else ()
            found = self.quantiser(self.encode(y), *kept)
            loss = (self.decode(found.value) - y).square().mean() + found.loss.mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()

    @torch.no_grad()
    def error(self, vectors: Tensor, *kept: Tensor) -> float:
        """Mean square error of all vectors."""
        y = as_map(vectors)
        return float((self.decode(self.quantiser(self.encode(y), *kept).value) - y).square().mean())


@each_kind
def test_a_value_is_its_look_up_to_the_bit(kind: str, vectors: Tensor) -> None:
    quantiser, x = fitted(kind, vectors)
    found = quantiser(x)
    assert torch.equal(found.value, quantiser.look_up(found.indices))
    assert torch.equal(quantiser(x[:, :, :3]).indices, found.indices[:, :3])  # of each place alone


@each_kind
def test_the_nearest_of_all_codes_is_chosen(kind: str, vectors: Tensor) -> None:
    quantiser, x = fitted(kind, vectors)
    codes = quantiser.look_up(torch.arange(quantiser.codes)[None, None])[0, :, 0].T
    assert len(codes.unique(dim=0)) == quantiser.codes
    ready = quantiser.prepare(x).permute(0, 2, 3, 1).reshape(-1, CHANNELS)[:100]
    chosen = (codes[quantiser(x).indices.flatten()[:100]] - ready).square().sum(1)
    least = torch.cdist(ready.double(), codes.double()).square().amin(1)
    assert torch.allclose(chosen.double(), least, atol=1e-5)


@each_kind
def test_the_gradient_passes_straight_through(kind: str, vectors: Tensor) -> None:
    quantiser, x = fitted(kind, vectors)
    wanted = torch.randn_like(x)
    one, other = x.clone().requires_grad_(), x.clone().requires_grad_()
    (quantiser(one).value * wanted).sum().backward()
    (quantiser.prepare(other) * wanted).sum().backward()
    assert one.grad is not None
    assert other.grad is not None
    assert torch.equal(one.grad, other.grad)
    if kind in ("plain", "simvq"):
        assert torch.equal(one.grad, wanted)


@each_kind
def test_an_index_is_below_codes_and_its_symbols_below_their_alphabets(kind: str, vectors: Tensor) -> None:
    quantiser, x = fitted(kind, vectors)
    indices = quantiser(x).indices
    assert indices.dtype == torch.int64
    assert 0 <= int(indices.min()) <= int(indices.max()) < quantiser.codes
    symbols = quantiser.symbols(indices)
    assert len(symbols) == len(quantiser.alphabets)
    for symbol, count in zip(symbols, quantiser.alphabets, strict=True):
        assert 0 <= int(symbol.min()) <= int(symbol.max()) < count
    if isinstance(quantiser, ProductQuantiser):
        assert torch.equal(quantiser.join(symbols), indices)


@each_kind
@pytest.mark.parametrize("extreme", [0.0, 1e-30, 1e6, -1e6])
def test_extremes_give_finite_values_losses_and_gradients(kind: str, extreme: float, vectors: Tensor) -> None:
    quantiser, x = fitted(kind, vectors)
    x = torch.full_like(x, extreme).requires_grad_()
    found = quantiser(x)
    (found.value.sum() + found.loss.sum()).backward()
    assert x.grad is not None
    assert all(bool(each.isfinite().all()) for each in (found.value, found.loss, x.grad))
    assert 0 <= int(found.indices.min()) <= int(found.indices.max()) < quantiser.codes


@each_kind
def test_the_start_is_a_good_one_and_the_same_every_time(kind: str, vectors: Tensor) -> None:
    torch.manual_seed(2)
    vectors = vectors + 1
    fresh, x = KINDS[kind](), as_map(vectors[:, :CHANNELS])
    start, again = fitted(kind, vectors)[0], fitted(kind, vectors)[0]
    assert torch.equal(start(x).indices, again(x).indices)

    def bits(quantiser: Quantiser) -> float:
        share = torch.bincount(quantiser(x).indices.flatten(), minlength=quantiser.codes) / x.shape[2]
        return float(-torch.xlogy(share, share).sum() / np.log(2))

    assert bits(start) > bits(fresh) + 0.3


def test_simvq_uses_codes_that_a_plain_codebook_leaves_unused(vectors: Tensor) -> None:
    used = {}
    for name, codebook, begins in (
        ("plain", PlainVQ(32, 1024), False),
        ("simvq", SimVQ(32, 1024), False),
        ("simvq from k-means", SimVQ(32, 1024), True),
    ):
        torch.manual_seed(1)
        net = Between(codebook, 32)
        if begins:
            net.start(vectors)
        net.train_on(vectors, 150)
        used[name] = len(net.quantiser(net.encode(as_map(vectors))).indices.unique())
    assert used["plain"] < 0.1 * 1024
    assert used["simvq"] > 1.5 * used["plain"]
    assert used["simvq from k-means"] >= 0.95 * 1024


def test_a_step_moves_all_codes_of_simvq_and_only_the_chosen_plain_ones(vectors: Tensor) -> None:
    for codebook, all_move in ((SimVQ(16, 64), True), (PlainVQ(16, 64), False)):
        places = torch.arange(64)[None, None]
        before = codebook.look_up(places).detach().clone()
        found = codebook(as_map(vectors[:20, :16]))
        optimiser = torch.optim.SGD([p for p in codebook.parameters() if p.requires_grad], 1.0)
        found.loss.mean().backward()
        optimiser.step()
        moved = (codebook.look_up(places) != before).any(1)[0, 0].nonzero().flatten()
        expected = torch.arange(64) if all_move else found.indices.unique()
        assert torch.equal(moved, expected)


def test_every_code_of_fsq_is_reached_and_lies_on_a_grid_in_minus_1_to_1(vectors: Tensor) -> None:
    quantiser, x = FSQ((8, 6, 5)), vectors[:, 1:4]
    normal = torch.randn(20_000, 3, generator=torch.Generator().manual_seed(1)) * 5 - 2
    quantiser.start_from(normal, torch.Generator())
    assert len(quantiser.nearest(normal).unique()) == quantiser.codes == 240
    quantiser.start_from(x, torch.Generator())
    found = quantiser(as_map(x))
    assert [len(each.unique()) for each in quantiser.symbols(found.indices)] == [8, 6, 5]
    assert float(found.value.abs().max()) == 1
    assert not found.loss.any()
    steps = found.value[0] * (quantiser.levels // 2)[:, None, None]
    assert torch.equal(steps, steps.round())


def test_fsq_keeps_zero_at_zero_for_odd_and_even_levels() -> None:
    assert torch.allclose(FSQ((8, 5)).prepare(torch.zeros(1, 2)), torch.zeros(1, 2), atol=1e-6)


def test_binary_codes_lie_on_the_unit_sphere_within_the_published_distance(vectors: Tensor) -> None:
    quantiser, x = fitted("binary", vectors)
    found, ready = quantiser(x), quantiser.prepare(x)
    assert torch.allclose(found.value.square().sum(1), torch.ones(4, 10, 12))
    assert torch.allclose(ready.square().sum(1), torch.ones(4, 10, 12), atol=1e-3)
    distance = (found.value - ready).square().sum(1).sqrt()
    assert float(distance.mean()) < (2 - 2 / CHANNELS**0.5) ** 0.5  # the bound of the paper
    bits = quantiser.symbols(quantiser(as_map(vectors[:, :CHANNELS])).indices)
    assert all(abs(float(bit.float().mean()) - 0.5) < 0.01 for bit in bits)


def test_the_entropy_loss_makes_uneven_bits_even(vectors: Tensor) -> None:
    shares = {}
    for weight in (0.0, 1.0):
        quantiser, shift = BinarySpherical(8, weight), nn.Parameter(torch.full((1, 8, 1, 1), 0.6))
        optimiser = torch.optim.AdamW([shift], 0.05, weight_decay=0)
        x = as_map(vectors[:1000, 8:16] / vectors[:1000, 8:16].std(0))
        for _ in range(60):
            optimiser.zero_grad()
            quantiser(x + shift).loss.mean().backward()
            optimiser.step()
        shares[weight] = float((x + shift > 0).float().mean((0, 2, 3)).sub(0.5).abs().max())
    assert shares[1.0] < 0.5 * shares[0.0]


def test_a_group_sees_its_own_channels_alone(vectors: Tensor) -> None:
    quantiser, x = fitted("grouped", vectors)
    found, changed = quantiser(x), x.clone()
    changed[:, 2:4] = changed[:, 2:4].flip(2)
    other = quantiser(changed)
    pairs = zip(quantiser.symbols(found.indices), quantiser.symbols(other.indices), strict=True)
    assert [torch.equal(one, two) for one, two in pairs] == [True, False, True]
    assert torch.equal(found.value[:, :2], other.value[:, :2])
    assert torch.equal(found.value[:, 4:], other.value[:, 4:])
    with pytest.raises(ValueError, match="7 channels"):
        quantiser(torch.zeros(1, 7, 2, 2))


def test_products_that_no_index_holds_are_refused() -> None:
    for levels in ((), (8, 2), (3,) * 40):
        with pytest.raises(ValueError, match=r"two values|three levels|64 bits"):
            FSQ(levels)
    assert BinarySpherical(62).codes == 2**62


def residual(vectors: Tensor, stages: int = 3) -> ResidualQuantiser:
    """Residual SimVQ started from vectors of CHANNELS."""
    torch.manual_seed(1)
    quantiser = ResidualQuantiser([SimVQ(CHANNELS, 64) for _ in range(stages)])
    quantiser.start_from(vectors[:, :CHANNELS], torch.Generator().manual_seed(1))
    return quantiser


@pytest.mark.parametrize("stages", [1, 3, 6])
def test_every_prefix_of_residual_stages_is_its_look_up_and_better_than_the_last(
    stages: int, vectors: Tensor
) -> None:
    quantiser, x = residual(vectors, stages), as_map(vectors[:, :CHANNELS])
    errors = [float(x.square().mean())]
    assert all(0 <= int(each.min()) <= int(each.max()) < 64 for each in quantiser(x).indices)
    for kept in range(1, stages + 1):
        found = quantiser(x, torch.tensor([kept]))
        assert torch.equal(found.value, quantiser.look_up(found.indices[:kept]))
        errors.append(float((found.value - x).square().mean()))
    assert all(after < 0.95 * before for before, after in pairwise(errors))


def test_each_sample_keeps_its_own_stages_and_none_gives_zeros(vectors: Tensor) -> None:
    quantiser = residual(vectors)
    x = vectors[:480, :CHANNELS].reshape(4, 10, 12, CHANNELS).permute(0, 3, 1, 2).clone().requires_grad_()
    found = quantiser(x, torch.arange(4))
    assert not found.value[0].any()
    assert not found.loss[0].any()
    for number in (1, 2, 3):
        alone = quantiser(x[number : number + 1], torch.tensor([number]))
        assert torch.equal(found.value[number], alone.value[0])
    assert torch.equal(quantiser(x).value[3], found.value[3])  # all are kept if nothing is said
    found.value.sum().backward()
    assert x.grad is not None
    assert torch.equal(x.grad, torch.tensor([0.0, 1, 1, 1])[:, None, None, None].expand_as(x))


def test_stages_that_are_dropped_do_not_learn(vectors: Tensor) -> None:
    quantiser = residual(vectors)
    quantiser(as_map(vectors[:100, :CHANNELS]), torch.tensor([2])).loss.mean().backward()
    grads = [[p.grad for p in stage.parameters() if p.requires_grad] for stage in quantiser.stages]
    learns = [any(grad is not None and bool(grad.any()) for grad in of_stage) for of_stage in grads]
    assert learns == [True, True, False]


def test_after_training_with_stage_dropout_every_prefix_is_of_use(vectors: Tensor) -> None:
    torch.manual_seed(1)
    net = Between(ResidualQuantiser([SimVQ(8, 32) for _ in range(3)]), 8)
    net.start(vectors)
    net.train_on(vectors, 150, most=3)
    errors = [net.error(vectors, torch.tensor([kept])) for kept in (1, 2, 3)]
    assert errors[0] < 0.2  # of the vectors' mean square, 1
    assert all(after < 0.9 * before for before, after in pairwise(errors))
