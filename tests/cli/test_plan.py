"""`plan` as a user meets it: keys, exits, bad input, prices of one's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.running import Cli

HERE = ("--gpu", "L40S", "--ram", "64GiB")
MODEL = ("--model", "mistral-7b-instruct-v0.3")
MANY = ("--set", "scale.users=2000", "--set", "latency.ttft_ms=2000")

NODES = """\
schema_version = 1
node = [
  {{ name = "ours", gpu = "{gpu}", count = {count}, {more} source = "us" }},
]
[sources.us]
text = "our own machines"
checked = 2026-11-27
"""


@pytest.fixture
def own_nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    monkeypatch.setenv("LLM_ADVISOR_CONFIG_DIR", str(tmp_path))

    def write(gpu: str = "L40S", count: int = 1, more: str = "") -> Path:
        path = tmp_path / "nodes.toml"
        path.write_text(NODES.format(gpu=gpu, count=count, more=more), "utf-8")
        return path

    return write


def test_a_plan_carries_what_an_engine_must_be_told(cli: Cli) -> None:
    found = cli("plan", *MODEL, *HERE, *MANY, "--json")
    assert found.code == 0
    assert "simulated" in found.err
    document = found.document
    assert document["schema_version"] == 1
    assert document["load"]["peak_requests_per_s"] == pytest.approx(2000 * 10 / 3600 * 1.5, rel=1e-3)
    assert {plan["engine"] for plan in document["plans"]} == {"llama.cpp", "vllm"}
    for plan in document["plans"]:
        keys = {
            "replicas",
            "slots",
            "tensor_parallel",
            "pipeline_parallel",
            "context_tokens",
            "quantization",
            "machine",
        }
        assert keys <= set(plan)
        assert plan["replicas"] == plan["replicas_needed"] + 1
        assert plan["ttft_ms"]["p50"] <= plan["ttft_ms"]["p95"] <= plan["ttft_ms"]["p99"]
        assert [size["times"] for size in plan["growth"]] == [1, 2, 5, 10]
        assert plan["cost_usd_hour"] is None
    cheapest = document["cheapest"]["vllm"]
    assert document["plans"][cheapest]["engine"] == "vllm"


def test_the_same_inputs_give_the_same_bytes(cli: Cli) -> None:
    line = ("plan", *MODEL, *HERE, "--engine", "llama.cpp", "--json")
    assert cli(*line).out == cli(*line).out


def test_the_table_names_the_columns_and_the_text_says_what_breaks(cli: Cli) -> None:
    plain = cli("plan", *MODEL, *HERE, *MANY, "--plain", "-n", "2").out.splitlines()
    assert plain[0].split("\t")[:3] == ["engine", "machine", "weights"]
    machines = [line.split("\t")[1] for line in plain[1:]]
    assert len(plain) <= 1 + 2 + 2
    assert machines.count("this machine") == 2
    text = cli("plan", *MODEL, *HERE, *MANY).out
    assert "breaks first: " in text
    assert "growth: 1× = " in text


def test_without_a_model_the_pick_of_recommend_is_planned(cli: Cli) -> None:
    pick = cli("recommend", *HERE, "--json").document["recommendation"]
    found = cli("plan", *HERE, "--engine", "llama.cpp", "--json").document
    assert found["model"]["id"] == pick["model"]
    assert found["model"]["quantization"] == pick["quantization"]


def test_a_trace_takes_the_place_of_the_users(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "day.csv"
    path.write_text(
        "arrival_s,prompt_tokens,answer_tokens\n" + "".join(f"{i / 2},300,80\n" for i in range(600)), "utf-8"
    )
    found = cli("plan", *MODEL, *HERE, "--engine", "vllm", "--trace", path, "--json").document
    assert found["load"]["users"] is None
    assert found["load"]["mean_requests_per_s"] == pytest.approx(2.0, rel=0.01)
    assert found["load"]["prompt_tokens"] == 300
    assert found["plans"][0]["one_machine"]["users"] is None


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--set", "scale.users=0"), 2, "scale.users: 0 is out of range"),
        (("--set", "scale.peak_factor=0.5"), 2, "scale.peak_factor: 0.5 is out of range"),
        (("--engine", "vllm", "--quant", "Q4_K_M"), 2, "vLLM cannot be planned with the GGUF file type Q4_K_M"),
        (("--engine", "llama.cpp", "--quant", "FP8"), 2, "llama.cpp has no file type FP8"),
        (("--engine", "vlm"), 2, "unknown engine 'vlm'. Did you mean 'vllm'?"),
        (("--survive", "machin"), 2, "unknown loss 'machin'. Did you mean 'machine'?"),
        (("--quant", "Q4_K_X"), 2, "unknown quantization 'Q4_K_X'"),
        (("--trace", "/nonexistent.csv"), 2, "/nonexistent.csv cannot be read"),
        (("--model", "codestral-mamba-7b-v0.1", "--engine", "vllm"), 3, "vLLM runs mamba2 (Mamba2ForCausalLM; "),
        (("--set", "latency.ttft_ms=1"), 3, "reading the weights once takes"),
        (("--engine", "vllm", "--set", "latency.ttft_ms=1"), 3, "the fastest placement is vLLM on "),
        (("--set", "latency.tokens_per_s=9000"), 3, "no token every 0.11 ms: one request alone gets one every"),
    ],
)
def test_bad_input_gets_one_line_and_its_exit_code(
    cli: Cli, arguments: tuple[str, ...], code: int, message: str
) -> None:
    model = () if "--model" in arguments else MODEL
    found = cli("plan", *model, "--gpu", "none", "--ram", "64GiB", *arguments)
    assert found.code == code
    assert found.out == ""
    lines = [line for line in found.err.splitlines() if not line.startswith("For a simulated")]
    assert len(lines) == 1
    assert message in lines[0]


def test_a_bad_row_of_a_trace_is_named_with_its_line(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("0,10,10\n-1,10,10\n", "utf-8")
    found = cli("plan", *MODEL, *HERE, "--trace", path)
    assert found.code == 2
    assert f"{path}: line 2: arrival -1 s is no time from 0 on" in found.err


def test_own_nodes_and_prices_are_used(cli: Cli, own_nodes: Callable[..., Path]) -> None:
    own_nodes(more='price_usd_hour = 1.25, price_source = "our contract", price_checked = 2026-11-01,')
    found = cli("plan", *MODEL, "--gpu", "none", "--ram", "4GiB", *MANY, "--engine", "vllm", "--json").document
    first = found["plans"][0]
    assert first["machine"]["name"] == "ours"
    assert first["cost_usd_hour"] == 1.25 * first["machines"]
    assert first["price"] == {"usd_hour": 1.25, "source": "our contract", "checked": "2026-11-01"}


@pytest.mark.parametrize(
    ("gpu", "count", "more", "message"),
    [
        ("L40X", 1, "", "node[ours].gpu: "),
        ("L40S", 2, "", "several GPUs need link_gb_s"),
        ("L40S", 1, "price_usd_hour = 2.0,", "a price needs price_usd_hour, price_source and price_checked"),
        ("L40S", 1, "memory = 0,", "memory"),
        ("L40S", 1, "colour = 3,", "colour"),
    ],
)
def test_a_bad_node_is_named(
    cli: Cli, own_nodes: Callable[..., Path], gpu: str, count: int, more: str, message: str
) -> None:
    path = own_nodes(gpu, count, more)
    found = cli("plan", *MODEL, "--gpu", "none", "--ram", "4GiB")
    assert found.code == 2
    assert str(path) in found.err
    assert message in found.err
    assert len(found.err.splitlines()) <= 2
