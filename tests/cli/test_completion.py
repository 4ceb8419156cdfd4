"""Completion in the shells that are here, with the program itself as the one that is asked."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import Cli, as_process

ROOT = Path(__file__).parents[2]
SHELLS = ("bash", "zsh", "fish", "powershell")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A place with the program under its own name."""
    program = tmp_path / "llm-advisor"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m advisor "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return tmp_path


def run_in(shell: str, script: str, folder: Path) -> list[str]:
    """What a script prints in a real shell."""
    env = os.environ | {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run([shell, "-c", script], capture_output=True, text=True, env=env, timeout=60, check=True)
    return done.stdout.split()


def in_bash(line: str, folder: Path) -> list[str]:
    """What bash offers for a line that is being typed."""
    words = line.split(" ")
    quoted = " ".join(f"'{word}'" for word in words)
    script = (
        f"source <(llm-advisor completion bash); complete -p llm-advisor >/dev/null; COMP_WORDS=({quoted}); "
        f'COMP_CWORD={len(words) - 1}; _llm_advisor_completion llm-advisor; printf "%s\\n" "${{COMPREPLY[@]}}"'
    )
    return run_in("bash", script, folder)


@pytest.mark.parametrize("shell", SHELLS)
def test_there_is_a_script_for_each_shell(cli: Cli, shell: str) -> None:
    found = cli("completion", shell)
    assert found.code == 0
    assert "_LLM_ADVISOR_COMPLETE" in found.out
    assert f"{shell}_complete" in found.out


def test_another_shell_is_refused_with_the_known_ones(cli: Cli) -> None:
    found = cli("completion", "tcsh")
    assert found.code == 2
    assert "'bash', 'zsh', 'fish', 'powershell'" in found.err


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("llm-advisor rec", ["recommend"]),
        ("llm-advisor s", ["show", "size", "speed", "smoke", "serve", "settings", "schema"]),
        ("llm-advisor recommend --rep", ["--report"]),
        ("llm-advisor models --family ll", ["llama"]),
        ("llm-advisor show mistral-7b-instruct-v0.3", ["mistral-7b-instruct-v0.3"]),
        ("llm-advisor size llama-3.3", ["llama-3.3-70b-instruct"]),
        ("llm-advisor compare llama-3.3", ["llama-3.3-70b-instruct"]),
        ("llm-advisor download llama-3.3", ["llama-3.3-70b-instruct"]),
        ("llm-advisor recommend --relax llama-3.3", ["llama-3.3-70b-instruct"]),
        ("llm-advisor plan --model llama-3.3", ["llama-3.3-70b-instruct"]),
    ],
)
def test_bash_completes(folder: Path, line: str, offered: list[str]) -> None:
    assert in_bash(line, folder) == offered


def test_where_no_model_begins_like_that_the_shell_looks_for_files() -> None:
    for command in ("size", "smoke"):
        asked = {
            "_LLM_ADVISOR_COMPLETE": "bash_complete",
            "COMP_WORDS": f"llm-advisor {command} ./mo",
            "COMP_CWORD": "2",
        }
        assert as_process(env=os.environ | asked).out == "file,./mo\n"


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_completes(folder: Path) -> None:
    found = run_in("fish", "llm-advisor completion fish | source; complete -C 'llm-advisor rec'", folder)
    assert found[0] == "recommend"


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_takes_the_script(folder: Path) -> None:
    script = "autoload -Uz compinit && compinit -u; source <(llm-advisor completion zsh); echo $_comps[llm-advisor]"
    assert run_in("zsh", script, folder) == ["_llm_advisor_completion"]


def test_completing_reads_no_command_that_was_not_asked_for() -> None:
    code = (
        "import os, sys\n"
        "os.environ.update(_LLM_ADVISOR_COMPLETE='bash_complete', COMP_WORDS='llm-advisor rec', COMP_CWORD='1')\n"
        "from advisor.cli.main import run\n"
        "try:\n    run([])\nexcept SystemExit:\n    pass\n"
        "sys.exit(any(name.startswith('advisor.cli.commands.') for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "plain,recommend\n"
    assert done.returncode == 0
