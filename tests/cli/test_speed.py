from __future__ import annotations

import pytest

from advisor.service import measuring
from advisor.service.measuring import Measurement
from tests.cli.running import Cli

GPU = ("--gpu", "RTX 4090", "--ram", "64GiB")


def test_speed_carries_the_contracts_keys(cli: Cli) -> None:
    found = cli("speed", "llama-3.1-8b-instruct", *GPU, "--json")
    assert found.code == 0
    keys = {"model", "quantization", "basis", "decode_tokens_per_s", "prefill_tokens_per_s", "ttft_ms"}
    assert keys | {"low", "high", "depth_tokens", "schema_version"} <= set(found.document)
    assert found.document["basis"] == "estimated"
    assert found.document["low"] < found.document["decode_tokens_per_s"] < found.document["high"]


def test_depth_and_prompt_are_those_asked_for(cli: Cli) -> None:
    shallow = cli("speed", "llama-3.1-8b-instruct", *GPU, "--depth", "0", "--prompt", "2048", "--json").document
    deep = cli("speed", "llama-3.1-8b-instruct", *GPU, "--depth", "32768", "--prompt", "2048", "--json").document
    assert (deep["depth_tokens"], deep["prompt_tokens"]) == (32768, 2048)
    assert deep["decode_tokens_per_s"] < 0.8 * shallow["decode_tokens_per_s"]
    assert deep["ttft_ms"] == shallow["ttft_ms"]


def test_the_same_inputs_give_the_same_bytes(cli: Cli) -> None:
    assert cli("speed", "mixtral-8x7b-instruct-v0.1", *GPU).out == cli("speed", "mixtral-8x7b-instruct-v0.1", *GPU).out


def test_an_unknown_gpu_is_exit_2_with_the_nearest_names(cli: Cli) -> None:
    found = cli("speed", "llama-3.1-8b-instruct", "--gpu", "RTX 4095")
    assert found.code == 2
    assert "RTX 4090" in found.err


def test_a_model_that_does_not_fit_is_exit_2_with_what_is_missing(cli: Cli) -> None:
    found = cli("speed", "llama-3.1-405b-instruct", "--gpu", "none", "--ram", "8GiB")
    assert found.code == 2
    assert "GiB of memory are missing" in found.err


def test_what_cannot_be_measured_is_said_beside_the_estimate(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    found = cli("speed", "llama-3.1-8b-instruct", *GPU, "--measure", "--json")
    assert found.code == 0
    assert found.document["basis"] == "estimated"
    assert "simulated" in found.document["problem"]
    monkeypatch.setattr(measuring, "measure", lambda *a, **k: Measurement(None, None, "too noisy"))
    noisy = cli("speed", "llama-3.2-1b-instruct", "--measure")
    assert noisy.code == 0
    assert "not measured" in noisy.out
    assert "too noisy" in noisy.out


def test_recommend_says_what_it_could_not_measure(cli: Cli) -> None:
    found = cli("recommend", *GPU, "--measure", "--json")
    assert found.code == 0
    assert found.err.count("not measured") == 3
