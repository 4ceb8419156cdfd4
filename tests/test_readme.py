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
TOOLS = (("llm-advisor", "this program, every GPU left out in turn"), ("llmfit",), ("whichllm",), ("llamafit",))
"""What the columns of the comparison are called where they were measured."""
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


@pytest.mark.parametrize(("row", "module"), [pair for pair in COMPARED if pair[1] != "benchmarks.memory_models"])
def test_figures_beside_other_tools_stand_where_they_were_measured(row: str, module: str) -> None:
    assert importlib.util.find_spec(module) is not None
    assert f"python -m {module}" in MEASURED
    _, *figures = row.split(" | ")
    for names, figure in zip(TOOLS, figures, strict=True):
        rows = [line for line in MEASURED.splitlines() if line.startswith(tuple([f"| {name} " for name in names]))]
        assert figure == "–" or any(f"| {figure} |" in line for line in rows), (names, figure)


def test_the_memory_beside_other_tools_is_the_span_of_what_was_measured() -> None:
    (row,) = (row for row, module in COMPARED if module == "benchmarks.memory_models")
    _, ours, *others = row.split(" | ")
    table = MEASURED.partition("`python -m benchmarks.memory_models`")[2].partition("\n## ")[0]
    lines = [line.strip("| ").split(" | ") for line in table.splitlines() if re.match(r"\| .* \| [\d,]+ \|", line)]
    assert len(lines) == 12
    assert ours == "0%, 0%"
    assert all(line[2] == line[3] for line in lines)
    for column, figures in enumerate(others, start=4):
        errors = [int(found[1]) for line in lines if (found := re.search(r"\(([+-]\d+)%\)", line[column]))]
        assert figures == f"{min(errors):+}%, {max(errors):+}%"


def test_the_comparison_with_other_tools_is_there() -> None:
    assert len(COMPARED) >= 5


def test_the_readme_counts_the_models_of_the_catalogue() -> None:
    assert f"judges {len(Advisor().catalogue.models)} Mistral and Llama models" in README
