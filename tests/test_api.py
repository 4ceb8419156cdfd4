"""`import advisor`: cheap, typed, and the same as the command line."""

from __future__ import annotations

import doctest
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import advisor
from advisor.errors import InputError
from tests.cli.running import Cli, as_process

DOCS = Path(__file__).parents[1] / "docs"
MODEL = "mistral-7b-instruct-v0.3"


def loaded_by(code: str) -> set[str]:
    """Modules in a fresh interpreter after some code."""
    line = f"import sys; before = set(sys.modules); {code}; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, timeout=60, check=True)
    return set(done.stdout.split())


def test_importing_the_package_loads_nothing_of_it() -> None:
    found = loaded_by("import advisor")
    assert {name for name in found if name.startswith("advisor")} == {"advisor"}
    assert not found & {"click", "pydantic", "tomli", "textual", "rich", "llama_cpp", "psutil"}


def test_a_function_loads_neither_a_front_end_nor_the_engine() -> None:
    found = loaded_by(f"import advisor; advisor.licence({MODEL!r})")
    assert not found & {"click", "textual", "rich", "llama_cpp", "mcp", "aiohttp", "numpy"}


def test_the_command_line_loads_no_server() -> None:
    found = loaded_by("from advisor.cli.main import run; run(['models', '--plain'])")
    assert not {name.partition(".")[0] for name in found} & {"mcp", "aiohttp", "textual", "textual_serve", "rich"}


def test_every_public_name_is_there() -> None:
    for name in advisor.__all__:
        assert getattr(advisor, name) is not None
    assert set(advisor.__all__) <= set(dir(advisor))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = advisor.nothing


def test_the_examples_of_the_documentation_are_true() -> None:
    found = doctest.testfile(
        str(DOCS / "api.md"), module_relative=False, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    )
    assert found.attempted >= 20
    assert found.failed == 0


def test_json_is_what_the_command_prints(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "machine.toml"
    path.write_text('[cpu]\nname = "AMD EPYC"\ncores = 8\n[memory]\ntotal = "64GiB"\n')
    options = ("--gpu", "RTX 4090", "--machine", path, "--json")
    assert advisor.size(MODEL, gpu="RTX 4090", machine=path).to_json() + "\n" == cli("size", MODEL, *options).out
    advice = advisor.recommend({"task": {"kind": "coding"}}, gpu="RTX 4090", machine=path)
    assert advice.to_json() + "\n" == cli("recommend", "--task-kind", "coding", *options).out
    assert advisor.models("llama").to_json() + "\n" == cli("models", "--family", "llama", "--json").out


def test_needs_can_be_a_file_tables_or_dotted_keys(tmp_path: Path) -> None:
    path = tmp_path / "needs.toml"
    path.write_text("schema_version = 1\n[use]\nmau_at_release = 900000000\n")
    tables = {"schema_version": 1, "use": {"mau_at_release": 900_000_000}}
    verdicts = {
        advisor.licence("llama-3.1-8b-instruct", needs).value.verdict.value
        for needs in (path, str(path), tables, {"use.mau_at_release": 900_000_000})
    }
    assert verdicts == {"needs_separate_licence"}


def test_a_session_is_read_once_for_many_calls() -> None:
    session = advisor.Advisor()
    first, second = advisor.show(MODEL, advisor=session), advisor.show(MODEL, advisor=session)
    assert first.value is second.value


@pytest.mark.parametrize(
    ("ram", "message"),
    [("lots", "is no size"), (0, "no machine has 0 bytes"), (64, "Write a unit"), (-1, "no machine has -1 bytes")],
)
def test_memory_that_is_none_is_refused(ram: str | int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        advisor.size(MODEL, ram=ram)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"context_tokens": 40000}, "context_tokens: 40,000 tokens per request exceed this model's 32,768"),
        ({"gpu_layers": 99}, "gpu_layers: 99 is out of range"),
        ({"gpu_layers": 9, "gpu": "none"}, 'Name one with gpu="RTX 4090".'),
        ({"gpu_layers": 9, "gpu": "RTX 4090", "engine": True}, "Leave out engine=True, .* with gpu_layers=0"),
        ({"kv_type": "q8_0", "flash_attention": False}, 'flash_attention=False, or write kv_type="q8_0/f16"'),
    ],
)
def test_an_error_names_an_argument_as_python_does(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        advisor.size(MODEL, **arguments)
    assert "--" not in str(caught.value)


def test_a_snapshot_of_a_machine_is_taken_as_it_is() -> None:
    snapshot = advisor.recommend(gpu="none", ram="16GiB").value.machine
    assert advisor.recommend(machine=snapshot).value.machine == snapshot
    with pytest.raises(InputError, match="change no snapshot"):
        advisor.recommend(machine=snapshot, gpu="RTX 4090")


def test_an_unknown_family_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"Known families: llama, mistral\."):
        advisor.models("qwen")


def test_a_recommendation_of_the_interface_is_verified_by_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "recommendation.toml"
    path.write_text(advisor.recommend(gpu="RTX 4090", ram="64GiB").to_toml(), encoding="utf-8")
    assert as_process("verify", path, "--recorded-machine").code == 0
