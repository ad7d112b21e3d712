"""The shipped weights: the right file, within the certificate, and refused when they have changed."""

import hashlib
import os
from itertools import chain
from pathlib import Path

import pytest
import torch

from linnet.bitstream import FormatError, ModelMismatchError
from linnet.entropy.hyper_net import HyperNet, read_hyper_net
from linnet.entropy.int8 import multiplies_int8
from linnet.entropy.prior_net import PriorNet, read_prior_net
from linnet.entropy.temporal_net import TemporalNet
from linnet.entropy.tensor_source import TensorSource
from linnet.models import store, weights, zoo
from linnet.models.selftest import self_test
from linnet.models.spec import ModelSpec

CPU = torch.device("cpu")


def shipped() -> dict[str, torch.Tensor]:
    spec = zoo.find("fast")
    return weights.read_tensors(spec.path, spec.sha256)


@pytest.mark.parametrize("spec", zoo.SPECS, ids=lambda spec: spec.name)
def test_every_model_in_the_zoo_ships_with_its_weights_and_a_card(spec: ModelSpec) -> None:
    card = store.read_card(spec.path)
    weights.read_tensors(spec.path, spec.sha256)
    measured = {"kodak", "quantisation_cost_percent"} if spec.kind == "image" else {"held_out", "kmac_per_px"}
    assert {"steps", "data", "loss", "hardware"} | measured <= card.keys()


def test_wire_ids_are_never_shared() -> None:
    assert len({spec.wire_id for spec in zoo.SPECS}) == len(zoo.SPECS)


def test_the_shipped_networks_meet_the_certificate() -> None:
    source = TensorSource(weights.part(shipped(), "exact."), torch.float32, CPU)
    assert 2**20 < max(read_hyper_net(source).certify(), read_prior_net(source).certify()) < 2**24


def test_quantising_the_shipped_networks_cost_at_most_0_3_percent() -> None:
    _, card = weights.read_card(zoo.find("fast").path)
    cost = card["quantisation_cost_percent"]
    assert isinstance(cost, dict)
    assert cost["mean"] <= 0.3


def test_the_self_test_notices_one_changed_weight() -> None:
    tensors = shipped()
    changed = tensors["exact.prior.head3.weight"].clone()
    changed[5, 7] += 1
    with pytest.raises(ModelMismatchError, match="other integers"):
        weights.build_entropy_model({**tensors, "exact.prior.head3.weight": changed}, CPU)


def test_where_float32_fails_the_self_test_float64_takes_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong_in_float32(hyper: HyperNet, prior: PriorNet, temporal: TemporalNet | None) -> int:
        return self_test(hyper, prior, temporal) + (hyper.grid.dtype == torch.float32)

    monkeypatch.setattr(weights, "self_test", wrong_in_float32)
    model = weights.build_entropy_model(shipped(), CPU)
    assert model.prior.octaves.dtype == torch.float64


def test_the_shipped_model_multiplies_in_int8_where_the_processor_does() -> None:
    prior = weights.build_entropy_model(shipped(), CPU).prior
    layers = (*prior.adaptors, *chain(*prior.heads), prior.trunk.enter, prior.trunk.leave)
    assert {layer.bytewise for layer in layers} == {multiplies_int8(CPU)}


def test_where_int8_products_saturate_float32_takes_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def saturated(x: torch.Tensor, weight: tuple[torch.Tensor, ...]) -> torch.Tensor:
        whole = sum(part.double() * 256**number for number, part in enumerate(weight))
        return (x.double() @ whole).clamp(-(2**15), 2**15 - 1).int()

    monkeypatch.setattr("linnet.entropy.tensor_source.multiplies_int8", lambda device: True)
    monkeypatch.setattr("linnet.entropy.int8.product", saturated)
    prior = weights.build_entropy_model(shipped(), CPU).prior
    assert not prior.trunk.enter.bytewise
    assert prior.octaves.dtype == torch.float32


def test_a_missing_tensor_is_named() -> None:
    tensors = shipped()
    del tensors["exact.prior.trunk.enter.bias"]
    with pytest.raises(FormatError, match=r"prior\.trunk\.enter\.bias"):
        weights.build_entropy_model(tensors, CPU)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("hyper.block1.bound", [40_000]),
        ("hyper.up1.clamp", [-(2**20), 2**20]),
        ("prior.fuse1.expand.clamp", [-5, 2047]),
        ("prior.fuse2.bound", [4095]),
        ("prior.adaptor2.clamp", [-4095, 4095]),
        ("prior.trunk.bound", [-2047]),
    ],
)
def test_networks_whose_bounds_do_not_fit_together_are_refused(name: str, values: list[int]) -> None:
    tensors = {**shipped(), f"exact.{name}": torch.tensor(values, dtype=torch.int32)}
    with pytest.raises(FormatError, match="do not fit together"):
        weights.build_entropy_model(tensors, CPU)


def test_a_temporal_context_without_a_bound_is_refused() -> None:
    spec = zoo.find("video")
    tensors = weights.read_tensors(spec.path, spec.sha256)
    with pytest.raises(FormatError, match="do not fit together"):
        weights.build_exact({**tensors, "exact.temporal.bound": torch.tensor([-40_000])}, CPU)


def test_damaged_weights_are_refused_before_they_are_used(tmp_path: Path) -> None:
    spec = zoo.find("fast")
    data = bytearray(spec.path.read_bytes())
    data[len(data) // 2] ^= 1
    path = tmp_path / "damaged.safetensors"
    path.write_bytes(data)
    with pytest.raises(ModelMismatchError, match="SHA-256"):
        weights.read_tensors(path, spec.sha256)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.safetensors"
    path.write_text("this is no model")
    with pytest.raises(FormatError, match="not a model file"):
        weights.read_card(path)


@pytest.mark.parametrize(("wire_id", "said"), [(1, "other weights"), (200, "needs model 200")])
def test_a_file_of_another_model_says_what_it_needs(wire_id: int, said: str) -> None:
    with pytest.raises(ModelMismatchError, match=said):
        zoo.find_wire(wire_id, b"\1" * 8)


def test_an_unknown_model_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="fast"):
        zoo.find("slow")


def test_a_model_file_is_written_whole_and_may_be_read_by_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.safetensors"
    found = weights.write_tensors(path, {"one": torch.ones(3)}, {"linnet": "1"})
    data = path.read_bytes()
    assert found == hashlib.sha256(data).hexdigest()
    old = os.umask(0o027)
    try:
        weights.write_tensors(path, {"one": torch.ones(3)}, {"linnet": "1"})
    finally:
        os.umask(old)
    assert path.stat().st_mode & 0o777 == 0o640

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("linnet.models.whole_file.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        weights.write_tensors(path, {"one": torch.zeros(3)}, {"linnet": "1"})
    assert path.read_bytes() == data
    assert [each.name for each in tmp_path.iterdir()] == ["mine.safetensors"]
    nowhere = tmp_path / "none" / "mine.safetensors"
    with pytest.raises(FileNotFoundError) as failed:
        weights.write_tensors(nowhere, {"one": torch.zeros(3)}, {"linnet": "1"})
    assert failed.value.filename == str(nowhere)
