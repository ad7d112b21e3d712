"""What a run keeps on disk: whole or as it was, and refused where it cannot be gone on with."""

import resource
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from model_samples import training_folder
from PIL import Image

from linnet.models.training.__main__ import main
from linnet.models.training.checkpoint import load_state, save_state
from linnet.models.training.claim import claimed
from linnet.models.training.config import read_config
from linnet.models.training.curves import append_row, read_rows
from linnet.models.training.learner import Learner
from linnet.models.training.trainer import Trainer

CPU = torch.device("cpu")


@pytest.fixture
def config_path(tmp_path: Path, photo: Image.Image) -> Path:
    return training_folder(tmp_path, photo)


def test_a_full_disk_leaves_the_last_good_state(config_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = Trainer(read_config(config_path), CPU)
    trainer.save()
    good = trainer.state_path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("linnet.models.whole_file.os.fsync", full)
    trainer.learner.step = 99
    with pytest.raises(OSError, match="No space"):
        trainer.save()
    assert trainer.state_path.read_bytes() == good
    assert [p.name for p in trainer.state_path.parent.iterdir()] == ["state.pt"]


def test_a_disk_that_is_full_in_the_middle_of_a_state_is_named(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    state: dict[str, object] = {str(number): torch.ones(10_000) for number in range(20)}
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            save_state(state, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(caught.value).endswith(f"'{path}'")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_checkpoint_is_refused_by_name(config_path: Path, photo_path: Path) -> None:
    path = config_path.with_name("cut.pt")
    save_state({"weights": torch.zeros(1000)}, path)
    path.write_bytes(path.read_bytes()[:-900])
    for wrong in (path, photo_path):
        with pytest.raises(ValueError, match=f"{wrong.name} is no whole checkpoint"):
            load_state(wrong, CPU)
    torch.save([1], path)
    with pytest.raises(ValueError, match="found list"):
        load_state(path, CPU)


@pytest.mark.parametrize("line", ["optimiser = 'soap'", "shortcut_rate = 0.7"])
def test_a_run_goes_on_with_its_own_optimiser_only(
    config_path: Path, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    trainer = Trainer(read_config(config_path), CPU)
    trainer.learner.train_step()
    trainer.save()
    config_path.write_text(f"{line}\n{config_path.read_text()}")
    assert main([str(config_path)]) == 2
    assert "state.pt was trained with {'optimiser': 'adam', 'shortcut_rate': 0.1}" in capsys.readouterr().err


def test_a_row_that_was_cut_short_is_left_out_of_the_curves(tmp_path: Path) -> None:
    path = tmp_path / "curve.csv"
    rows = [{"step": float(step), "loss": 1.5} for step in range(3)]
    append_row(path, rows[0])
    whole = path.read_bytes()
    for torn in (b"1.0", b"1.0,"):
        path.write_bytes(whole + torn)
        append_row(path, rows[2])
        assert read_rows(path) == [rows[0], rows[2]]


def test_a_header_that_was_cut_short_is_written_again(tmp_path: Path) -> None:
    path, row = tmp_path / "curve.csv", {"step": 1.0, "loss": 1.5}
    for torn in (b"", b"step,lo"):
        path.write_bytes(torn)
        append_row(path, row)
        assert read_rows(path) == [row]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_keeps_all_whole_steps(
    config_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    learn = Learner.train_step

    def interrupted(learner: Learner) -> torch.Tensor:
        if learner.step == 2:
            signal.raise_signal(number)
        return learn(learner)

    monkeypatch.setattr(Learner, "train_step", interrupted)
    before = signal.getsignal(number)
    assert main([str(config_path), "--device", "cpu"]) == 130
    assert signal.getsignal(number) is before
    assert "interrupted and saved: the same command goes on from step 3" in capsys.readouterr().err
    assert Trainer(read_config(config_path), CPU).learner.step == 3


def test_a_state_that_lacks_something_is_refused_by_its_name(config_path: Path) -> None:
    trainer = Trainer(read_config(config_path), CPU)
    trainer.save()
    state = load_state(trainer.state_path, CPU)
    for missing in ("average", "step"):
        save_state({name: value for name, value in state.items() if name != missing}, trainer.state_path)
        with pytest.raises(ValueError, match=f"state.pt is no whole checkpoint.*lacks {missing}"):
            Trainer(read_config(config_path), CPU)
    save_state({}, trainer.state_path)
    with pytest.raises(ValueError, match="lacks net"):
        Trainer(read_config(config_path), CPU)
    config_path.with_name("some.pt").write_text("learning_rate = 1")
    with pytest.raises(ValueError, match="no whole checkpoint"):
        load_state(config_path.with_name("some.pt"), CPU)


def test_a_pack_is_whole_and_holds_nothing_else(
    config_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "p.npz"
    assert main([str(config_path), "--pack", str(target)]) == 0
    with np.load(target) as packed:
        assert sorted(packed.files) == ["train_pixels", "train_shapes", "valid_pixels", "valid_shapes"]
    assert main([str(config_path), "--pack", str(tmp_path / "p.dat")]) == 2
    assert not list(tmp_path.glob("p.dat*"))
    good = target.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("linnet.models.whole_file.os.fsync", full)
    assert main([str(config_path), "--pack", str(target)]) == 1
    assert target.read_bytes() == good
    monkeypatch.undo()
    target.write_bytes(good[: len(good) // 2])
    np.savez(tmp_path / "other.npz", tokens=np.zeros(3))
    for wrong in (target, tmp_path / "other.npz"):
        assert main([str(config_path), "--data", str(wrong)]) == 2
        assert str(wrong) in capsys.readouterr().err


def test_a_place_that_takes_no_files_is_found_out_before_the_work(
    config_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = config_path.with_name("taken")
    taken.write_text("no folder")
    monkeypatch.setattr("linnet.models.training.learner.start", None)  # would be the work
    assert main([str(config_path), "--run", str(taken)]) == 1
    assert main([str(config_path), "--pack", str(taken / "all.npz")]) == 1
    assert capsys.readouterr().err.count(f"'{taken}'") == 2


def test_two_trainings_never_share_a_run(config_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = read_config(config_path).run
    with claimed(run):
        assert main([str(config_path)]) == 2
        assert f"{run}: another training is running there" in capsys.readouterr().err
        assert list(run.iterdir()) == []
    assert main([str(config_path), "--minutes", "0"]) == 0
