"""The float parts of the models: wavelet shortcut, quality gains, blocks."""

import pytest
import torch

from linnet.models.blocks import DepthConvBlock
from linnet.models.haar import WaveletShortcut, block_haar, haar_matrix
from linnet.models.quality import LEVELS, LevelGain, lambda_of, level_of
from linnet.models.transforms import ImageConfig, Transforms


def test_haar_is_orthonormal_and_compacts_a_flat_block() -> None:
    matrix = haar_matrix(16)
    assert torch.allclose(matrix @ matrix.T, torch.eye(16, dtype=torch.float64))
    flat = block_haar() @ torch.ones(768)
    assert torch.isclose(flat.abs().max(), torch.tensor(16.0))
    assert int((flat.abs() > 1e-3).sum()) == 3  # one mean per colour


def test_a_full_basis_makes_the_shortcut_lossless() -> None:
    shortcut = WaveletShortcut(768)
    basis = torch.linalg.qr(torch.randn(768, 768, generator=torch.Generator().manual_seed(1)))[0]
    shortcut.start_from_basis(basis)
    x = torch.rand(2, 3, 32, 48)
    assert torch.allclose(shortcut.synthesise(shortcut.analyse(x)), x, atol=1e-4)


def test_a_fresh_block_is_the_identity() -> None:
    x = torch.randn(1, 8, 5, 7)
    assert torch.equal(DepthConvBlock(8, half=True)(x), x)


def test_a_block_sees_one_position_on_each_side_and_no_further() -> None:
    torch.manual_seed(1)  # with other weights a ReLU may be silent for all of a position
    block = DepthConvBlock(8, half=True)
    torch.nn.init.ones_(block.leave.weight)
    x = torch.zeros(1, 8, 7, 7, requires_grad=True)
    block(x + torch.randn(1, 8, 7, 7))[0, :, 3, 3].sum().backward()
    assert x.grad is not None
    seen = x.grad[0].abs().sum(0) > 0
    assert seen[2:5, 2:5].all()
    assert seen.sum() == 9


def test_gains_between_two_knots_are_their_geometric_mean() -> None:
    gain = LevelGain(1, knots=2)
    with torch.no_grad():
        gain.values.copy_(torch.tensor([[0.0], [2.0]]))
    middle = gain(torch.tensor([0.0, (LEVELS - 1) / 2, LEVELS - 1.0])).flatten()
    assert torch.allclose(middle, torch.tensor([0.0, 1.0, 2.0]).exp())


def test_lambda_is_log_spaced_over_the_levels() -> None:
    steps = torch.log(lambda_of(torch.arange(LEVELS).float())).diff()
    assert torch.allclose(steps, steps[:1].expand(LEVELS - 1), atol=1e-5)


@pytest.mark.parametrize("quality", [-1, 100.5, float("nan")])
def test_quality_outside_0_to_100_is_refused(quality: float) -> None:
    with pytest.raises(ValueError, match="0 to 100"):
        level_of(quality)


def test_latents_are_a_sixteenth_of_the_picture_each_side() -> None:
    config = ImageConfig(latent=64, analysis=32, analysis_blocks=1, synthesis=32, synthesis_blocks=1)
    transforms = Transforms(config)
    level = torch.tensor([10.0])
    y = transforms.analyse(torch.rand(1, 3, 48, 80), level)
    assert y.shape == (1, 64, 3, 5)
    assert transforms.synthesise(y, level).shape == (1, 3, 48, 80)
