"""The README tells the truth: its commands parse, its exit codes are the program's."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from advisor.cli.diagnostics import ExitCode
from advisor.service import Advisor
from tests.cli.running import check_parses

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
IN_BLOCKS = {
    part.partition("#")[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    for part in line.split(";")
    if part.strip().startswith("llm-advisor ")
}
IN_TABLES = set(re.findall(r"^\|.*\| `(llm-advisor [^`]+)` \|$", README, re.MULTILINE))
COMMANDS = sorted(IN_BLOCKS | IN_TABLES)
COMPARED = re.findall(r"^\| (.+) \| `python -m (benchmarks\.\w+)[^`]*` \|$", README, re.MULTILINE)
MEASURED = "\n".join(
    (Path(__file__).parent.parent / "benchmarks" / name).read_text(encoding="utf-8")
    for name in ("README.md", "memory.md")
)


def test_the_readme_shows_commands() -> None:
    assert len(COMMANDS) >= 10


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_readme_parses(line: str) -> None:
    check_parses(line)


def test_the_exit_codes_of_the_readme_are_those_of_the_program() -> None:
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}
    assert listed == {int(code) for code in ExitCode}


@pytest.mark.parametrize(("row", "module"), COMPARED)
def test_figures_beside_other_tools_stand_where_they_were_measured(row: str, module: str) -> None:
    assert importlib.util.find_spec(module) is not None
    assert f"python -m {module}" in MEASURED
    for figure in re.findall(r"(?<![\w.])[+-]?\d+(?:\.\d+)?%?", row.partition("|")[2]):
        assert re.search(rf"(?<![\d.]){re.escape(figure)}(?![\d.%])", MEASURED), figure


def test_the_comparison_with_other_tools_is_there() -> None:
    assert len(COMPARED) >= 5


def test_the_readme_counts_the_models_of_the_catalogue() -> None:
    assert f"judges {len(Advisor().catalogue.models)} Mistral and Llama models" in README
