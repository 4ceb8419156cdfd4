"""`catalog validate` as a user calls it, with the real engine."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from advisor.engine.client import EngineClient, EngineUnavailable
from advisor.errors import EngineError
from tests.catalog.example import KNOWLEDGE
from tests.cli.running import Cli, as_process

DAY = ("--today", "2026-11-28")


@pytest.fixture
def knowledge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy with one small family, so that a test takes no time."""
    copy = tmp_path / "knowledge"
    shutil.copytree(KNOWLEDGE, copy)
    for folder in ("models", "gguf"):
        for path in (copy / folder).rglob("*.toml"):
            if path.stem != "mistral-7b":
                path.unlink()
    path = copy / "models/mistral/mistral-7b.toml"
    text = path.read_text("utf-8").replace('superseded_by = "ministral-3-8b-instruct"\n', "")
    path.write_text(text, "utf-8")
    (copy / "validated.sha256").unlink()
    monkeypatch.setenv("LLM_ADVISOR_KNOWLEDGE", str(copy))
    return copy


def test_the_shipped_catalogue_is_valid_and_llama_cpp_loads_every_blueprint(cli: Cli) -> None:
    found = cli("catalog", "validate", "--json", *DAY)
    assert found.code == 0
    assert found.document["errors"] == 0
    assert found.document["dry_runs"] >= 53
    assert found.document["engine_problem"] is None


def test_the_same_inputs_give_the_same_bytes(cli: Cli, knowledge: Path) -> None:
    first, second = (as_process("catalog", "validate", "--json", "--no-engine", *DAY) for _ in range(2))
    assert (first.code, first.out) == (0, second.out)


def test_warnings_do_not_fail(cli: Cli, knowledge: Path) -> None:
    found = cli("catalog", "validate", "--no-engine", "--plain", "--today", "2027-11-27")
    assert found.code == 0
    lines = [line.split("\t") for line in found.out.splitlines()]
    assert lines[0] == ["level", "file", "key", "reason", "next"]
    assert {line[0] for line in lines[1:]} == {"warning"}
    assert ": 0 errors, " in found.err


def test_errors_end_with_2_and_are_all_on_standard_output(cli: Cli, knowledge: Path) -> None:
    path = knowledge / "models/mistral/mistral-7b.toml"
    path.write_text(path.read_text("utf-8").replace("n_kv_heads = { value = 8", "n_kv_heads = { value = 7"), "utf-8")
    found = cli("catalog", "validate", "--no-engine", "--plain", *DAY)
    assert found.code == 2
    rows = [line.split("\t") for line in found.out.splitlines()[1:]]
    wrong = [row for row in rows if "n_heads 32 is no multiple of n_kv_heads 7" in row[3]]
    assert [row[2] for row in wrong] == [f"model[mistral-7b-instruct-v0.{i}].shape" for i in (1, 2, 3)]
    assert "the catalogue has" in found.err.splitlines()[-1]


def test_a_blueprint_that_ends_llama_cpp_is_an_error_of_its_model_alone(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seven groups do not divide a state-space model's inner width, which llama.cpp asserts."""
    (tmp_path / "models").mkdir()
    path = tmp_path / "models/mine.toml"
    path.write_text(
        """
schema_version = 1
[sources]
mine = { text = "my own run", checked = "2026-11-25" }
[[model]]
id = "a-seven"
base = "codestral-mamba-7b-v0.1"
name = "Seven"
hf_id = { value = "me/seven", source = "mine" }
[model.shape.state_space]
n_groups = { value = 7, source = "mine" }
""",
        "utf-8",
    )
    monkeypatch.setenv("LLM_ADVISOR_CONFIG_DIR", str(tmp_path))
    found = cli("catalog", "validate", "--json", *DAY)
    assert found.code == 2
    assert found.document["dry_runs"] >= 54
    assert found.document["engine_problem"] is None
    assert {f["file"] for f in found.document["findings"]} == {str(path)}
    refused = [f["reason"] for f in found.document["findings"] if f["key"] == "model[a-seven].shape"]
    assert len(refused) == 1
    assert "GGML_ASSERT(d_inner % n_group == 0) failed" in refused[0]


def test_a_missing_engine_is_exit_6_after_everything_else_was_said(
    cli: Cli, knowledge: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object, **__: object) -> None:
        raise EngineUnavailable("llama-cpp-python cannot be loaded", why="no module", hint="Install it.")

    monkeypatch.setattr(EngineClient, "request", missing)
    found = cli("catalog", "validate", "--json", *DAY)
    assert found.code == 6
    assert found.document["errors"] == 0
    assert "llama-cpp-python cannot be loaded" in found.document["engine_problem"]
    assert "Install it." in found.err


def test_a_child_that_dies_is_told_of_its_model_and_three_in_a_row_of_the_engine(
    cli: Cli, knowledge: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    real = EngineClient.request

    def dying(self: EngineClient, *arguments: object, **options: object) -> object:
        calls.append(1)
        if len(calls) == 2:
            raise EngineError("llama.cpp aborted (signal 6)")
        return real(self, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(EngineClient, "request", dying)
    found = cli("catalog", "validate", "--json", *DAY)
    assert found.code == 2
    [error] = [f for f in found.document["findings"] if f["level"] == "error"]
    assert error["key"] == "model[mistral-7b-instruct-v0.2].shape"
    assert "llama.cpp aborted" in error["reason"]

    monkeypatch.setattr(EngineClient, "request", lambda *_, **__: (_ for _ in ()).throw(EngineError("it aborted")))
    found = cli("catalog", "validate", "--json", *DAY)
    assert found.code == 2
    assert found.document["engine_problem"] == "it aborted"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["validate", "--today", "soon"], "'soon' is no day"),
        (["validat"], "no such command"),
        ([], "validate, refresh or coverage"),
        (["refresh", "mistral-7b-instruct-v0.4"], "Did you mean"),
    ],
)
def test_bad_input_ends_with_one_clear_line(
    cli: Cli, arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    found = cli("catalog", *arguments)
    assert found.code == 2
    assert found.out == ""
    assert message in found.err
    assert len(found.err.splitlines()) == 1
