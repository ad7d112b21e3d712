"""What encoders do beyond training: measured at export, read from the model file, better by whole encodes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from model_samples import fast
from PIL import Image

from linnet.bitstream import FormatError
from linnet.codec.still.tiles import to_planes
from linnet.entropy.quantise import ERROR_BITS
from linnet.models.encoder_tuning import UNTUNED, EncoderTuning, read_tuning
from linnet.models.image_codec import ImageCodec
from linnet.models.quality import LEVELS
from linnet.models.training import fit_encoder as fitting
from linnet.models.training.data import unpack
from linnet.models.training.fit_encoder import Bench, fit_encoder, ms_ssim_db, psnr_db
from linnet.models.training.objective import TrainingModel


def slope(levels: int = LEVELS) -> EncoderTuning:
    return EncoderTuning(np.linspace(0, 0.6, levels), np.linspace(90, 20, levels))


def test_a_model_file_gives_back_its_tuning_between_levels_too() -> None:
    assert read_tuning({"transform.x": torch.ones(1)}) is UNTUNED
    assert UNTUNED.at(17.5) == (0.0, ERROR_BITS)
    tuning = read_tuning(slope().tensors())
    for level in (0.0, 31.5, 63.0):
        assert tuning.at(level) == pytest.approx((0.6 * level / 63, 90 - 70 * level / 63), abs=1e-5)


@pytest.mark.parametrize(
    ("tensors", "said"),
    [
        (slope(63).tensors(), r"encoder.correction must have the shape \[64\], found \[63\]"),
        (
            {"encoder.correction": torch.zeros(64)},
            r"encoder.error_bits must have the shape \[64\], found None",
        ),
        ({**slope().tensors(), "encoder.correction": torch.full((64,), 1.5)}, "be -1 to 1, found 1.5"),
        ({**slope().tensors(), "encoder.error_bits": torch.full((64,), -2.0)}, "be 0 to 1e\\+06, found -2"),
        ({**slope().tensors(), "encoder.error_bits": torch.full((64,), torch.nan)}, "found nan"),
    ],
)
def test_a_tuning_that_cannot_be_meant_is_refused(tensors: dict[str, torch.Tensor], said: str) -> None:
    with pytest.raises(FormatError, match=said):
        read_tuning(tensors)


def test_corrected_latents_make_smaller_files_at_equal_fidelity(photo: Image.Image) -> None:
    bench = Bench(fast(), [to_planes(np.asarray(photo))[:, :512, :512]], psnr_db)
    below, plain, above = (bench.point(quality, 0.0, ERROR_BITS) for quality in (76, 84, 92))
    saved = fitting._saving([below, plain, above], 1)
    assert saved(plain) == pytest.approx(0, abs=1e-9)
    assert saved(bench.point(84, 0.5, ERROR_BITS)) > 0.01
    assert saved(bench.point(84, -0.5, ERROR_BITS)) < -0.01


def test_without_a_correction_latents_are_those_of_the_analysis(photo: Image.Image) -> None:
    planes = to_planes(np.asarray(photo))[:, :128, :128]
    codec = replace(fast(), tuning=slope())
    plain = replace(codec, corrects=False)
    with torch.inference_mode(), codec.precision():
        given = codec.transforms.analyse(planes[None] - 0.5, codec.level(90))[0].float().permute(1, 2, 0)
    torch.testing.assert_close(plain.analyse(planes, 90), given, rtol=0, atol=1e-2)  # memory layout
    assert not torch.allclose(codec.analyse(planes, 90), given, atol=0.05)
    assert codec.encoder(100).error_bits == pytest.approx(20)


def in_training(codec: ImageCodec, correction: float) -> TrainingModel:
    net = TrainingModel(codec.transforms.config, correction=correction)
    for name, part in codec.transforms.named_children():
        net.model.get_submodule(name).load_state_dict(part.state_dict())
    return net


def test_training_corrects_latents_as_the_encoder_does(photo: Image.Image) -> None:
    planes = to_planes(np.asarray(photo))[:, :128, :128]
    codec = replace(fast(), tuning=slope(), bf16=False)
    for quality in (30.0, 90.0):
        found = in_training(codec, 0.6).latents(planes[None] - 0.5, codec.level(quality))
        expected = codec.analyse(planes, quality).permute(2, 0, 1)[None]
        torch.testing.assert_close(found.detach(), expected, rtol=0, atol=1e-3)  # memory layout
    plain = in_training(codec, 0.0).latents(planes[None] - 0.5, codec.level(90.0))
    assert not torch.allclose(found, plain, atol=0.05)


def test_the_analysis_alone_is_taught_by_corrected_latents(photo: Image.Image) -> None:
    net = in_training(fast(), 0.6)
    net.latents(to_planes(np.asarray(photo))[None, :, :64, :64] - 0.5, torch.tensor([63.0])).sum().backward()
    assert net.model.analysis.leave.weight.grad is not None
    assert all(parameter.grad is None for parameter in net.model.synthesis.parameters())


def test_the_fit_finds_what_a_smaller_analysis_needs(
    photo: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "QUALITIES", (60, 75, 90))
    monkeypatch.setattr(fitting, "CORRECTIONS", (0.0, 0.5))
    monkeypatch.setattr(fitting, "WEIGHTS", (ERROR_BITS, 1.0))
    crop = np.asarray(photo)[:256, :256]
    pictures = unpack(
        {"pixels": crop.reshape(-1).copy(), "shapes": np.array([[256, 256]])}, torch.device("cpu")
    )
    tuning = fit_encoder(fast(), pictures, 1, "mse")
    assert tuning.correction[-1] == 0.5
    assert (tuning.error_bits == ERROR_BITS).all()  # 1 would zero nearly everything


def test_fidelity_is_in_decibels() -> None:
    given = torch.rand(3, 192, 192, generator=torch.Generator().manual_seed(1))
    assert psnr_db((given + 0.1), given) == pytest.approx(20, abs=1e-3)
    assert ms_ssim_db(0.9 * given, given) > ms_ssim_db(0.5 * given, given)
