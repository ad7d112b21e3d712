"""CompressAI checkpoints: trained ones are imported the same everywhere, all others refused in one line."""

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hyperprior_samples import ARCHITECTURES
from torch import Tensor

from linnet.models import store, zoo
from linnet.models.added import added_specs
from linnet.models.importing.checkpoint import read_checkpoint
from linnet.models.importing.compressai import import_compressai
from linnet.models.importing.errors import CheckpointError, DownloadError

MEAN = "mbt2018-mean"
State = dict[str, Tensor]


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINNET_MODELS", str(tmp_path / "models"))


def altered(checkpoint: Path, folder: Path, change: Callable[[State], object]) -> Path:
    """The checkpoint with its weights changed."""
    state = torch.load(checkpoint, weights_only=True)
    wrapped = change(state)
    path = folder / "altered.pth.tar"
    torch.save(state if wrapped is None else wrapped, path)
    return path


def test_an_imported_model_is_found_by_name_and_by_hash(checkpoints: dict[str, Path]) -> None:
    made = import_compressai(MEAN, 3, checkpoint=checkpoints[MEAN])
    spec = zoo.find("mbt2018-mean-3")
    assert spec == zoo.find_wire(1026, spec.weights_hash) == made.spec
    assert (spec.wire_id, spec.quality, spec.kind) == (1026, 3.0, "hyperprior")
    assert spec.sha256 == hashlib.sha256(spec.path.read_bytes()).hexdigest()
    card = store.read_card(spec.path)
    assert card["checkpoint_sha256"] == hashlib.sha256(checkpoints[MEAN].read_bytes()).hexdigest()
    assert {"source", "metric", "licence", "parameters"} <= card.keys()


def test_a_second_import_gives_the_same_file(checkpoints: dict[str, Path], models_folder: Path) -> None:
    made = import_compressai(MEAN, 3, checkpoint=checkpoints[MEAN], name="again")
    assert (models_folder / MEAN / made.path.name).is_file()  # the name is the hash


def test_a_name_that_is_taken_needs_overwrite(checkpoints: dict[str, Path]) -> None:
    import_compressai(MEAN, 3, checkpoint=checkpoints[MEAN], name="mine")
    with pytest.raises(FileExistsError):
        import_compressai(MEAN, 4, checkpoint=checkpoints[MEAN], name="mine")
    import_compressai(MEAN, 4, checkpoint=checkpoints[MEAN], name="mine", overwrite=True)
    assert [spec.quality for spec in added_specs()] == [4.0]


@pytest.mark.parametrize("name", ["fast", "a/b", ".hidden", "x" * 65])
def test_a_name_that_is_none_or_built_in_is_refused(name: str, checkpoints: dict[str, Path]) -> None:
    with pytest.raises(ValueError, match="name"):
        import_compressai(MEAN, 3, checkpoint=checkpoints[MEAN], name=name)


def test_checkpoints_of_older_releases_and_training_scripts_are_read(
    checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    def older(state: State) -> object:
        renamed = {
            f"module.{key}".replace(".matrices.", "._matrices.").replace(".biases.", "._bias"): value
            for key, value in state.items()
        }
        return {"epoch": 3, "state_dict": renamed}

    path = altered(checkpoints[MEAN], tmp_path, older)
    expected = read_checkpoint(checkpoints[MEAN].read_bytes())
    found = read_checkpoint(path.read_bytes())
    assert found.keys() == expected.keys()
    assert import_compressai(MEAN, 3, checkpoint=path).spec.name == "mbt2018-mean-3"


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_an_untrained_model_is_refused(architecture: str, tmp_path: Path) -> None:
    net = ARCHITECTURES[architecture](12, 16)
    net.update(update_quantiles=True)  # as pretrained=False gives it, made to look ready
    torch.save(net.state_dict(), tmp_path / "random.pth.tar")
    with pytest.raises(CheckpointError, match=r"random\.pth\.tar: the model is not trained"):
        import_compressai(architecture, 3, checkpoint=tmp_path / "random.pth.tar")


def test_random_transforms_behind_a_trained_density_are_refused(
    checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    def randomise(state: State) -> None:
        random = ARCHITECTURES[MEAN](12, 16).state_dict()
        state.update({name: value for name, value in random.items() if name.startswith("g_")})

    path = altered(checkpoints[MEAN], tmp_path, randomise)
    with pytest.raises(CheckpointError, match="not trained: a test picture comes back"):
        import_compressai(MEAN, 3, checkpoint=path)
    assert added_specs() == ()


def _drop(name: str) -> Callable[[State], object]:
    return lambda state: {key: value for key, value in state.items() if key != name}


def _set(name: str, value: Tensor) -> Callable[[State], object]:
    return lambda state: {**state, name: value}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_drop("h_s.2.bias"), "lacks h_s.2.bias"),
        (_drop("entropy_bottleneck.quantiles"), "lacks entropy_bottleneck.quantiles"),
        (_drop("g_a.0.weight"), "another architecture"),
        (_set("context_prediction.weight", torch.zeros(2)), "also has context_prediction.weight"),
        (_set("h_s.0.bias", torch.zeros(3)), r"h_s.0.bias has shape \[3\]"),
        (_set("g_s.6.bias", torch.full((3,), torch.nan)), "not finite"),
        (_set("h_s.4.bias", torch.full((32,), 1e18)), "too large"),
        (_set("gaussian_conditional.scale_table", torch.tensor([2.0, 1.0])), "rising scales"),
        (lambda state: {"epoch": 1}, "no weights by name"),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_refused(
    change: Callable[[State], object], said: str, checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    path = altered(checkpoints[MEAN], tmp_path, change)
    with pytest.raises(CheckpointError, match=said):
        import_compressai(MEAN, 3, checkpoint=path)


@pytest.mark.parametrize(
    ("architecture", "quality", "metric"),
    [("cheng2020-attn", 3, "mse"), (MEAN, 9, "mse"), (MEAN, 3, "psnr")],
)
def test_what_cannot_be_imported_is_a_value_error(architecture: str, quality: int, metric: str) -> None:
    with pytest.raises(ValueError, match=r"known are|must be 1 to 8"):
        import_compressai(architecture, quality, metric=metric)


def test_a_download_that_fails_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # where nobody listens
    with pytest.raises(DownloadError, match=r"the download of https://.* failed .*--checkpoint FILE"):
        import_compressai(MEAN, 3)


def test_without_compressai_a_file_is_imported_and_a_download_says_what_it_needs(
    checkpoints: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "compressai"]:
        monkeypatch.setitem(sys.modules, name, None)  # as if it were not installed
    import_compressai(MEAN, 3, checkpoint=checkpoints[MEAN], name="mine")
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'linnet\[train\]'.*--checkpoint"):
        import_compressai(MEAN, 3)


def test_the_other_architecture_is_refused(checkpoints: dict[str, Path]) -> None:
    with pytest.raises(CheckpointError, match="another architecture"):
        import_compressai("bmshj2018-hyperprior", 3, checkpoint=checkpoints[MEAN])


class Harmful:
    """What a pickle can hold: a call that is made when it is read."""

    def __reduce__(self) -> tuple[object, ...]:
        return print, ("run while loading",)


def test_programs_inside_a_checkpoint_do_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"state_dict": Harmful()}, tmp_path / "harmful.pth.tar")
    with pytest.raises(CheckpointError, match="no checkpoint"):
        import_compressai(MEAN, 3, checkpoint=tmp_path / "harmful.pth.tar")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("data", [b"", b"text, no checkpoint", b"PK\3\4" + bytes(100)])
def test_a_file_that_is_no_checkpoint_is_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "other.pth").write_bytes(data)
    with pytest.raises(CheckpointError, match=r"other\.pth"):
        import_compressai(MEAN, 3, checkpoint=tmp_path / "other.pth")
