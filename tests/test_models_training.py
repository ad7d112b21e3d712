"""Training: it learns, stops and resumes exactly, refuses bad input, and its export keeps the rate."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from model_samples import training_folder
from PIL import Image
from safetensors.torch import load_file

from linnet.models.encoder_tuning import UNTUNED, read_tuning
from linnet.models.training.__main__ import main
from linnet.models.training.config import find_config, read_config
from linnet.models.training.data import is_held_out, photo_of, split
from linnet.models.training.export import export
from linnet.models.training.objective import Outcome, TrainingModel
from linnet.models.training.schedule import mixed_seed
from linnet.models.training.trainer import Trainer
from linnet.models.weights import read_card

CPU = torch.device("cpu")


@pytest.fixture
def config_path(tmp_path: Path, photo: Image.Image) -> Iterator[Path]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield training_folder(tmp_path, photo)
    torch.set_num_threads(threads)


def test_training_lowers_the_held_out_loss(config_path: Path) -> None:
    trainer = Trainer(read_config(config_path), CPU)
    before = trainer.evaluate()["loss"]
    trainer.run(minutes=10)
    assert trainer.learner.step == 80
    assert trainer.evaluate()["loss"] < 0.98 * before
    with (config_path.parent / "run" / "curve.csv").open() as stream:
        assert [row["step"] for row in csv.DictReader(stream)] == ["80"]


def test_the_learning_rate_warms_up_stays_and_falls(config_path: Path) -> None:
    config_path.write_text("decay_share = 0.4\n" + config_path.read_text())
    trainer = Trainer(read_config(config_path), CPU)
    rates = []
    for trainer.learner.step in (0, 4, 40, 47, 64, 80):
        rates.append(trainer.learner.schedule.learning_rate(trainer.learner.step))
    assert rates == pytest.approx([2e-4, 1e-3, 1e-3, 1e-3, 5e-4, 1e-6], rel=2e-3)


def assert_same(one: torch.nn.Module, other: torch.nn.Module) -> None:
    values = zip(one.state_dict().items(), other.state_dict().values(), strict=True)
    assert [name for (name, value), twin in values if not torch.equal(value, twin)] == []


def test_below_a_power_of_one_flat_samples_own_more_of_the_gradient() -> None:
    bpp = torch.tensor([0.1, 0.9], requires_grad=True)
    nothing, level = torch.zeros(2), torch.tensor([20.0, 20.0])
    outcome = Outcome(bpp, nothing, nothing, nothing, nothing)
    shares = []
    for power in (1.0, 0.5):
        (gradient,) = torch.autograd.grad(outcome.loss(level, power), bpp)
        shares.append(float(gradient[0] / gradient[1]))
    assert shares == pytest.approx([1, 3])


def test_a_run_minimises_what_its_configuration_says(
    config_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config_path.write_text("sample_power = 0.5\ncorrection = 0.25\n" + config_path.read_text())
    powers: list[float] = []
    original = Outcome.loss

    def noted(outcome: Outcome, level: torch.Tensor, power: float = 1.0) -> torch.Tensor:
        powers.append(power)
        return original(outcome, level, power)

    monkeypatch.setattr(Outcome, "loss", noted)
    trainer = Trainer(read_config(config_path), CPU)
    trainer.learner.train_step()
    trainer.evaluate()
    assert powers[0] == 0.5
    assert set(powers[1:]) == {1.0}
    for net in (trainer.learner.net, trainer.learner.averaged):
        assert isinstance(net, TrainingModel)
        assert net.correction == 0.25


@pytest.mark.parametrize("optimiser", ["adam", "soap"])
def test_a_stopped_and_resumed_run_gives_the_weights_of_an_unbroken_one(
    config_path: Path, optimiser: str
) -> None:
    config_path.write_text(f"optimiser = '{optimiser}'\n" + config_path.read_text())
    config = read_config(config_path)
    unbroken, stopped = Trainer(config, CPU), Trainer(config, CPU)
    for _ in range(4):
        unbroken.learner.train_step()
    for _ in range(2):
        stopped.learner.train_step()
    stopped.save()
    resumed = Trainer(config, CPU)
    assert resumed.learner.step == 2
    for _ in range(2):
        resumed.learner.train_step()
    assert_same(unbroken.learner.net, resumed.learner.net)
    assert_same(unbroken.learner.averaged, resumed.learner.averaged)


def test_a_fine_tuned_run_starts_from_the_average_of_another(config_path: Path) -> None:
    first = Trainer(read_config(config_path), CPU)
    first.run(minutes=0.02)
    tuned = config_path.with_name("tuned.toml")
    text = config_path.read_text().replace('run = "run"', 'run = "tuned"\nstart = "run/best.pt"')
    tuned.write_text(text.replace("[model]", "level_low = 20\nlevel_high = 20\n[model]"))
    second = Trainer(read_config(tuned), CPU)
    assert_same(first.learner.averaged, second.learner.net)
    assert second.learner.draw_levels(4).tolist() == [20.0] * 4


def test_an_export_before_training_says_so(config_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(config_path), "--run", "untrained", "--export", "never.safetensors"]) == 2
    assert "train first, by the same command without --export" in capsys.readouterr().err


def test_an_export_meets_the_certificate_and_keeps_the_rate(config_path: Path, tmp_path: Path) -> None:
    config = read_config(config_path)
    trainer = Trainer(config, CPU)
    trainer.run(minutes=10)
    target = tmp_path / "small.safetensors"
    export(config, config.run / "best.pt", target, {"name": "small"}, crops=2)
    shape, card = read_card(target)
    assert shape == config.model
    assert card["steps"] == 80
    assert isinstance(card["settings"], dict)
    assert card["settings"]["seed"] == 1
    cost = card["quantisation_cost_percent"]
    assert isinstance(cost, dict)
    assert abs(cost["mean"]) < 2  # a model of 80 steps; the shipped one is held to 0.3
    assert read_tuning(load_file(target)) is not UNTUNED


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("speed = 3", "unknown key 'speed'"),
        ("steps = 'many'", "steps"),
        ("steps = 0", "steps"),
        ("decay_share = 0", "decay_share"),
        ("sample_power = 1.5", "sample_power"),
        ("correction = 1.5", "correction"),
        ("metric = 'vmaf'", "ms-ssim"),
        ("optimiser = 'sgd'", "soap"),
        ("level_low = 40\nlevel_high = 30", "level_low"),
        ("data = 'nowhere'", "nowhere"),
        ("= 3", "fast.toml"),
        ("crop_px = 100", "crop_px = 100 must be a multiple of 64"),
        ("late_crop_px = 100", "late_crop_px = 100 must be a multiple of 64"),
        ("gradient_clip = 0", "gradient_clip = 0 must be above 0"),
        ("learning_rate = nan", "learning_rate = nan must be a number"),
        ("gradient_clip = inf", "gradient_clip = inf must be finite"),
        ("late_share = 2", "late_share = 2 must be at most 1"),
        ("average_decay = 5.0", "average_decay = 5.0 must be at most 1"),
        ("model = 3", "expected a table"),
        ("[[model]]\nhyper = 64", "expected a table"),
        ("revive_steps = 5", "revive_steps = 5 is of VQ models"),
        ("[model]\nhyper = 255", "hyper = 255 must be at most 254"),
        ("kind = 'vq'\nmetric = 'ms-ssim'", "a VQ model's loss is fixed"),
    ],
)
def test_a_bad_configuration_is_one_clear_line(
    tmp_path: Path, line: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "fast.toml"
    lines = [f"{key} = '{key}'" for key in ("data", "run") if not line.startswith(key)]
    path.write_text("\n".join([*lines, line]))
    assert main([str(path)]) in (2, 3)
    complaint = capsys.readouterr().err
    assert said in complaint
    assert len(complaint.splitlines()) == 1


@pytest.mark.parametrize("name", ["fast", "high", "fast_ms_ssim"])
def test_a_shipped_configuration_is_found_by_name(name: str, tmp_path: Path) -> None:
    config = read_config(find_config(name), {"data": tmp_path, "run": tmp_path / "run"})
    assert config.steps >= 20_000
    assert (config.metric == "ms-ssim") == ("ms_ssim" in name)


def test_ms_ssim_refuses_crops_that_its_five_scales_do_not_fit_in(config_path: Path) -> None:
    config_path.write_text('metric = "ms-ssim"\n' + config_path.read_text())
    with pytest.raises(ValueError, match="multiple of 64, 192 px or more for ms-ssim"):
        read_config(config_path)


def test_a_checkpoint_of_another_architecture_is_refused(
    config_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trainer = Trainer(read_config(config_path), CPU)
    trainer.save()
    good = trainer.state_path.read_bytes()
    config_path.write_text(config_path.read_text().replace("latent = 64", "latent = 48"))
    assert main([str(config_path)]) == 2
    assert "another architecture" in capsys.readouterr().err
    assert trainer.state_path.read_bytes() == good


def test_a_folder_without_pictures_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "notes.txt").write_text("no picture")
    path = tmp_path / "fast.toml"
    path.write_text("data = 'data'\nrun = 'run'\n")
    assert main([str(path)]) == 2
    assert "no pictures" in capsys.readouterr().err


def test_names_that_begin_alike_are_split_by_the_rest(tmp_path: Path) -> None:
    for number in range(60):
        (tmp_path / f"COCO_train2014_{number:012d}.jpg").touch()
    train, held_out = split(tmp_path)
    assert (len(train) + len(held_out), len(held_out) < 10) == (60, True)


def test_all_numbers_of_a_seed_matter() -> None:
    numbers = {mixed_seed(seed, step, rank) for seed in (1, 2049) for step in (0, 1) for rank in (0, 1)}
    assert len(numbers) == 8
    assert max(numbers) < 2**63


def test_a_folder_called_like_a_configuration_does_not_hide_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("fast").mkdir()
    assert find_config("fast").parent.name == "configs"


def test_tiles_of_one_photo_stay_on_one_side_of_the_split() -> None:
    names = [f"camera_{number:08x}_{tile}.webp" for number in range(300) for tile in range(3)]
    sides: dict[str, set[bool]] = {}
    for name in names:
        sides.setdefault(photo_of(Path(name)), set()).add(is_held_out(photo_of(Path(name))))
    assert all(len(side) == 1 for side in sides.values())
    assert 2 <= sum(side == {True} for side in sides.values()) <= 40
