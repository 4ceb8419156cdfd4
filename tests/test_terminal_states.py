"""Terminals as they are: suspended, resized, without colour, without UTF-8, without screens at all."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.test_terminal import ESCAPES, KNOWLEDGE, Terminal, small_knowledge

Open = Callable[..., Terminal]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Opens the program; whatever is still open at the end is closed."""
    terminals: list[Terminal] = []

    def start(*arguments: str, n_layers: int = 4, hidden_size: int = 512, **variables: str) -> Terminal:
        knowledge = small_knowledge(tmp_path, n_layers, hidden_size)
        terminals.append(Terminal(tmp_path, knowledge, *arguments, **variables))
        return terminals[-1]

    yield start
    for terminal in terminals:
        if terminal.process.isalive():
            terminal.process.close(force=True)


def wait_until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_a_measurement_in_a_real_terminal_ranks_again_and_leaves_nothing(opened: Open, tmp_path: Path) -> None:
    terminal = opened()
    terminal.wait_for("free disk")
    terminal.press("3")
    terminal.wait_for("rank 1 of 1")
    terminal.press("m")
    # Measured, or said to be too noisy a machine to measure on: either way it ends and says so.
    terminal.wait_for("Measured and ranked again")
    assert terminal.engine() is None
    assert list((tmp_path / "cache" / "scratch").iterdir()) == []
    assert terminal.leave() == 0


def measuring(opened: Open) -> Terminal:
    """A terminal in which a measurement runs that takes long enough to be disturbed."""
    terminal = opened(n_layers=24, hidden_size=2048)
    terminal.wait_for("free disk")
    terminal.press("4")
    terminal.wait_for("Thimble 1 ")
    terminal.press("m")
    wait_until(lambda: terminal.engine() is not None)
    return terminal


def test_a_cancelled_measurement_leaves_no_process_and_no_file(opened: Open, tmp_path: Path) -> None:
    terminal = measuring(opened)
    terminal.press("c")
    terminal.wait_for("cancelled")
    wait_until(lambda: terminal.engine() is None)
    wait_until(lambda: list((tmp_path / "cache" / "scratch").iterdir()) == [])
    assert terminal.leave() == 0


def test_leaving_during_a_measurement_leaves_no_process_and_no_file(opened: Open, tmp_path: Path) -> None:
    terminal = measuring(opened)
    engine = terminal.engine()
    assert terminal.leave() == 0
    assert engine is None or not engine.is_running() or engine.status() == psutil.STATUS_ZOMBIE
    assert list((tmp_path / "cache" / "scratch").iterdir()) == []


def test_suspended_and_resumed_the_screen_comes_back_and_keys_work(opened: Open) -> None:
    terminal = opened()
    terminal.wait_for("free disk")
    terminal.press("\x1a")
    process = psutil.Process(terminal.process.pid)
    wait_until(lambda: process.status() == psutil.STATUS_STOPPED)
    terminal.press("")
    process.send_signal(signal.SIGCONT)
    terminal.wait_for("free disk")
    terminal.press("3")
    terminal.wait_for("rank 1 of 1")
    assert terminal.leave() == 0


def test_resizing_the_real_terminal_redraws_for_the_new_size(opened: Open) -> None:
    terminal = opened()
    terminal.wait_for("free disk")
    for rows, columns in ((12, 40), (80, 250), (24, 80)):
        terminal.press("")
        terminal.process.setwinsize(rows, columns)
        terminal.wait_for("Machine")
    terminal.press("3")
    terminal.wait_for("rank 1 of 1")
    assert terminal.leave() == 0


@pytest.mark.parametrize("variables", [{"LC_ALL": "C"}, {"LANG": "xx"}, {"LC_ALL": "xx_XX.nonsense", "LANG": "C"}])
def test_a_broken_locale_breaks_nothing(opened: Open, variables: dict[str, str]) -> None:
    terminal = opened(**variables)
    terminal.wait_for("free disk")
    terminal.press("3")
    terminal.wait_for("✓ allowed")
    assert terminal.leave() == 0


@pytest.mark.parametrize(("arguments", "variables"), [(("--ascii",), {}), ((), {"LLM_ADVISOR_ASCII": "1"})])
def test_in_ascii_mode_the_program_writes_ascii_alone(
    opened: Open, arguments: tuple[str, ...], variables: dict[str, str]
) -> None:
    terminal = opened(*arguments, **variables)
    terminal.wait_for("free disk")
    terminal.press("3")
    terminal.wait_for("+ allowed")
    assert ESCAPES.sub("", terminal.drawn).isascii()
    assert terminal.leave() == 0


def test_without_colour_no_colour_is_written(opened: Open) -> None:
    terminal = opened(NO_COLOR="1")
    terminal.wait_for("free disk")
    terminal.press("3")
    terminal.wait_for("rank 1 of 1")
    grey = [parts for parts in _colours(terminal.drawn) if len(set(parts)) > 1]
    assert grey == []
    assert terminal.leave() == 0


def _colours(drawn: str) -> list[tuple[str, ...]]:
    return re.findall(r"[34]8;2;(\d+);(\d+);(\d+)", drawn)


def test_a_dumb_terminal_gets_a_short_help_and_exit_code_2(opened: Open) -> None:
    terminal = opened(TERM="dumb")
    terminal.process.expect("llm-advisor --help")
    terminal.process.wait()
    assert terminal.process.exitstatus == 2


def test_screens_open_for_another_machine(opened: Open) -> None:
    terminal = opened("--gpu", "none", "--ram", "48GiB")
    terminal.wait_for("48.00 GiB")
    terminal.press("3")
    terminal.wait_for("SIM: no GPU")
    assert terminal.leave() == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--gpu", "GTX 9999"), "no GPU named 'GTX 9999' is known"),
        (("--ram", "much"), "ram: "),
        (("--machine", "nowhere.toml"), "nowhere.toml"),
        (("--ram", "8GiB", "probe"), "stand after the command: probe --gpu"),
    ],
)
def test_a_machine_that_cannot_be_used_is_said_before_any_screen(
    opened: Open, arguments: tuple[str, ...], said: str
) -> None:
    terminal = opened(*arguments)
    terminal.process.expect_exact(said)
    terminal.process.wait()
    assert terminal.process.exitstatus == 2


def test_settings_that_cannot_be_used_are_said_before_any_screen(opened: Open, tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text('[keys]\n"smok" = "f6"\n', "utf-8")
    terminal = opened()
    terminal.process.expect("keys.smok: unknown command. Did you mean 'smoke'?")
    terminal.process.wait()
    assert terminal.process.exitstatus == 2


def test_without_a_terminal_nothing_opens() -> None:
    env = {**os.environ, "PYTHONPATH": str(KNOWLEDGE.parent)}
    for arguments in ([], ["--ascii"], ["--ram", "8GiB"]):
        command = [sys.executable, "-m", "advisor", *arguments]
        done = subprocess.run(command, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        assert done.returncode == 2
        assert "the screens need a terminal" in done.stderr
        assert done.stdout == ""
