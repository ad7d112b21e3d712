"""`linnet models` and `linnet train`: what is installed, is it what was released, how to make more."""

from pathlib import Path

from cli_process import linnet

from linnet.models.zoo import SPECS


def test_list_names_every_model_with_its_id() -> None:
    done = linnet("models", "list")
    assert done.code == 0
    assert [line.split()[:3] for line in done.out.decode().splitlines()] == [
        [spec.name, "id", str(spec.wire_id)] for spec in SPECS
    ]


def test_json_list_has_the_sizes() -> None:
    *models, summary = linnet("models", "list", "--json").records
    assert [model["weights_bytes"] for model in models] == [spec.path.stat().st_size for spec in SPECS]
    assert (summary["verb"], summary["exit_code"]) == ("models list", 0)


def test_show_gives_the_card() -> None:
    record = linnet("models", "show", "fast", "--json").records[0]
    card = record["card"]
    assert isinstance(card, dict)
    assert card["quantisation_cost_percent"]["mean"] < 0.3
    assert linnet("models", "show", "fast").out.decode().startswith("model ")


def test_show_of_an_unknown_model_names_the_known() -> None:
    done = linnet("models", "show", "slow")
    assert done.code == 2
    assert "no model is called 'slow'; known: fast" in done.complaint


def test_verify_agrees_with_the_checksums_of_the_release() -> None:
    done = linnet("models", "verify")
    assert done.code == 0
    assert done.out.decode().splitlines() == [f"{spec.name}: ok" for spec in SPECS]
    assert linnet("models", "verify", "high", "fast").out.decode() == "high: ok\nfast: ok\n"


def test_train_hands_its_words_to_the_trainer(tmp_path: Path) -> None:
    shown = linnet("train", "--help")
    assert shown.code == 0
    assert "--minutes" in shown.out.decode()
    done = linnet("train", tmp_path / "missing.toml")
    assert done.code == 3
    assert "missing.toml" in done.complaint
