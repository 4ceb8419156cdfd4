"""`size` as a person and as a program meet it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from advisor.units import GIB, MIB
from tests.cli.running import Cli

SMALL = ("--gpu", "none", "--ram", "16GiB")
MISTRAL = "mistral-7b-instruct-v0.3"


def test_the_contract_holds_for_a_model(cli: Cli) -> None:
    found = cli("size", MISTRAL, "--quant", "Q4_K_M", "--ctx", "32768", *SMALL, "--json").document
    assert found["schema_version"] == 1
    assert (found["model"], found["quantization"], found["context_tokens"]) == (MISTRAL, "Q4_K_M", 32768)
    assert found["weights_bytes"] == 4_372_054_016
    assert found["kv_cache_bytes"] == 4 * GIB
    assert found["compute_bytes"] == pytest.approx(148.01 * MIB, abs=0.006 * MIB)
    parts = ("weights_bytes", "kv_cache_bytes", "compute_bytes", "output_bytes")
    assert found["total_bytes"] == sum(found[part] for part in parts)
    assert [d["name"] for d in found["devices"]] == ["RAM"]
    assert found["basis"] == "estimated"


def test_the_engine_confirms_the_closed_form(cli: Cli) -> None:
    arguments = ("size", MISTRAL, "--kv-type", "q8_0", *SMALL, "--json")
    ours, engine = cli(*arguments).document, cli(*arguments, "--engine").document
    assert engine["basis"] == "engine"
    assert engine["notes"] == []
    for part in ("weights_bytes", "kv_cache_bytes"):
        assert ours[part] == engine[part]
    assert ours["total_bytes"] == pytest.approx(engine["total_bytes"], abs=0.02 * MIB)


def test_a_second_question_to_the_engine_is_answered_from_memory(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ("size", MISTRAL, "--ctx", "5000", *SMALL, "--json", "--engine")
    first = cli(*arguments).out
    monkeypatch.setattr("advisor.engine.client.EngineClient.request", None)
    assert cli(*arguments).out == first


def test_gpus_share_the_model(cli: Cli) -> None:
    found = cli("size", "llama-3.3-70b-instruct", "--gpu", "RTX 4090x2", "--ram", "64GiB", "--json").document
    assert [d["name"] for d in found["devices"]] == ["RAM", "GPU0", "GPU1"]
    assert found["gpu_layers"] == [41, 39]
    assert sum(d["weights_bytes"] for d in found["devices"]) == found["weights_bytes"]


def test_the_output_that_gpu_layers_counts_first_is_named(cli: Cli) -> None:
    found = cli("size", MISTRAL, "--gpu", "RTX 4090", "--ram", "64GiB", "--gpu-layers", "10")
    assert "9 of 32 and the output" in found.out
    assert "and the output" not in cli("size", MISTRAL, "--gpu", "RTX 4090", "--ram", "64GiB", "--gpu-layers", "0").out


def test_the_engine_has_no_simulated_gpu(cli: Cli) -> None:
    found = cli("size", MISTRAL, "--gpu", "RTX 4090", "--engine")
    assert found.code == 2
    assert "--gpu-layers 0" in found.err


def test_a_real_file_is_sized_and_compared(cli: Cli, smollm2: Path) -> None:
    found = cli("size", str(smollm2), *SMALL, "--json").document
    assert found["differences"] == ["no model of the catalogue has this architecture and size"]
    engine = cli("size", str(smollm2), *SMALL, "--json", "--engine").document
    assert engine["weights_bytes"] == found["weights_bytes"]
    assert engine["total_bytes"] == pytest.approx(found["total_bytes"], abs=0.02 * MIB)


def test_text_names_the_rungs_of_the_ladder(cli: Cli) -> None:
    lines = dict(line.split("\t") for line in cli("size", MISTRAL, *SMALL, "--plain").out.splitlines())
    assert lines["longest context that fits"] == "32,768 tokens per request"
    assert lines["best quantization that fits"] == "Q8_0"
    assert lines["most requests that fit"].endswith("with this context each")
    assert lines["context"] == "8,192 tokens"


@pytest.mark.parametrize(
    ("arguments", "valid"),
    [
        (("--ctx", "40000"), "--ctx 32768"),
        (("--ctx", "0"), "1 to 32768"),
        (("--quant", "Q9"), "Known file types"),
        (("--kv-type", "f8"), "f16"),
        (("--gpu-layers", "34"), "0 to 33"),
        (("--gpu-layers", "5"), "--gpu-layers: there is no GPU"),
        (("--gpu-layers", "5"), 'Name one with --gpu "RTX 4090".'),
        (("--parallel", "0"), "--parallel: 0"),
        (("--ubatch", "0"), "--ubatch: 0"),
        (("--outputs", "0"), "--outputs: 0"),
        (("--split-mode", "row"), "--split-mode: 'row'"),
        (("--kv-type", "q4_0", "--no-flash-attn"), "Leave out --no-flash-attn, or write --kv-type q4_0/f16."),
        (("--cpu-moe",), "--cpu-moe: this model has no experts"),
    ],
)
def test_bad_input_is_refused_with_what_would_be_valid(cli: Cli, arguments: tuple[str, ...], valid: str) -> None:
    found = cli("size", MISTRAL, *SMALL, *arguments)
    assert found.code == 2
    assert found.out == ""
    assert valid in found.err


def test_a_model_without_architecture_says_why(cli: Cli) -> None:
    found = cli("size", "llama-3.2-11b-vision-instruct", *SMALL)
    assert found.code == 2
    assert "cannot be sized" in found.err


def test_a_file_type_that_cannot_hold_a_model_is_bad_input(cli: Cli) -> None:
    found = cli("size", "mistral-small-4-119b", "--quant", "Q1_0", *SMALL)
    assert found.code == 2
    assert "cannot be sized in Q1_0" in found.err


def test_a_truncated_file_is_bad_input(cli: Cli, smollm2: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    shutil.copy(smollm2, broken)
    with broken.open("r+b") as stream:
        stream.truncate(1 << 20)
    found = cli("size", str(broken), *SMALL)
    assert found.code == 2
    assert "byte" in found.err


def test_a_server_that_is_not_there_is_a_network_failure(cli: Cli) -> None:
    found = cli("size", "http://127.0.0.1:9/model.gguf", *SMALL)
    assert found.code == 5
