"""The real program in a real pseudo-terminal, from the first screen to a file that can be read back."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pexpect
import psutil
import pytest
import tomli

KNOWLEDGE = Path(__file__).parents[1] / "knowledge"
SHAPE = {"n_heads": 8, "n_kv_heads": 4, "head_dim": 64, "ffn_size": 1024, "vocab_size": 2048}
ESCAPES = re.compile(r"\x1b(\[[0-9;?<>=]*[ -/]*[@-~]|[PX^_\]].*?(\x07|\x1b\\)|[()][A-Z0-9]|[=>78])", re.DOTALL)


def small_knowledge(folder: Path, n_layers: int, hidden_size: int) -> Path:
    """The shipped knowledge with one small model in place of the shipped ones, so that a run takes seconds."""
    knowledge = folder / "knowledge"
    shutil.copytree(KNOWLEDGE, knowledge)
    shutil.rmtree(knowledge / "models")
    shape = SHAPE | {"n_layers": n_layers, "hidden_size": hidden_size}
    lines = [f'{key} = {{ value = {value}, source = "card" }}' for key, value in shape.items()]
    text = f"""
schema_version = 1
[sources]
card = {{ text = "made for a test", checked = "2026-11-23" }}
[[model]]
id = "thimble-1"
name = "Thimble 1"
family = "llama"
line = "thimble"
vendor = "Example"
hf_id = {{ value = "example/Thimble-1", source = "card" }}
release_date = {{ value = "2026-01-01", source = "card" }}
total_params = {{ value = 10000000, source = "card" }}
text_params = {{ value = 10000000, source = "card" }}
active_params = {{ value = 10000000, source = "card" }}
max_context_tokens = {{ value = 8192, source = "card" }}
rope_theta = {{ value = 10000, source = "card" }}
licence = {{ value = "apache-2.0", source = "card" }}
languages = {{ value = ["en"], source = "card" }}
modalities = {{ value = ["text"], source = "card" }}
gated = {{ value = false, source = "card" }}
status = {{ value = "current", source = "card" }}
[model.shape]
architecture = {{ value = "llama", source = "card" }}
tied_embeddings = {{ value = true, source = "card" }}
{chr(10).join(lines)}
"""
    (knowledge / "models" / "llama").mkdir(parents=True)
    (knowledge / "models" / "llama" / "thimble.toml").write_text(text, "utf-8")
    return knowledge


class Terminal:
    """The program on a screen of 80 by 24."""

    def __init__(self, folder: Path, knowledge: Path, *arguments: str, **variables: str) -> None:
        kept = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
        places = {f"LLM_ADVISOR_{kind}_DIR": str(folder / kind.lower()) for kind in ("CONFIG", "CACHE", "STATE")}
        env = kept | places | {
            "HOME": str(folder),
            "TERM": "xterm-256color",
            "PYTHONPATH": str(KNOWLEDGE.parent),
            "LLM_ADVISOR_KNOWLEDGE": str(knowledge),
            "TEXTUAL_ANIMATIONS": "none",
        } | variables  # fmt: skip
        self.process = pexpect.spawn(
            sys.executable,
            ["-m", "advisor", *arguments],
            cwd=folder,
            env=env,
            dimensions=(24, 80),
            encoding="utf-8",
            timeout=60,
        )
        self._drawn = ""

    def wait_for(self, text: str, seconds: float = 60.0) -> None:
        """Wait until something was drawn since the last key."""
        deadline = time.monotonic() + seconds
        while text not in ESCAPES.sub("", self._drawn):
            if time.monotonic() > deadline:
                raise AssertionError(f"{text!r} was not drawn, but: {ESCAPES.sub('', self._drawn)[-2000:]}")
            try:
                self._drawn += self.process.read_nonblocking(65536, timeout=0.2)
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF as end:
                raise AssertionError(f"the program ended: {ESCAPES.sub('', self._drawn)[-2000:]}") from end

    @property
    def drawn(self) -> str:
        """What was drawn since the last key, escape sequences included."""
        return self._drawn

    def press(self, keys: str) -> None:
        """Press keys; only what is drawn from now on counts."""
        self._drawn = ""
        self.process.send(keys)

    def engine(self) -> psutil.Process | None:
        """The engine's process, if one runs."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        return next((c for c in children if "advisor.engine.worker" in " ".join(c.cmdline())), None)

    def leave(self) -> int:
        """Quit and give the exit code."""
        self.press("q")
        self.process.expect(pexpect.EOF)
        self.process.close()
        assert self.process.exitstatus is not None
        return int(self.process.exitstatus)


@pytest.fixture
def terminal(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Terminal]:
    n_layers, hidden_size = getattr(request, "param", (4, 512))
    opened = Terminal(tmp_path, small_knowledge(tmp_path, n_layers, hidden_size))
    yield opened
    if opened.process.isalive():
        opened.process.close(force=True)


def test_from_the_first_screen_to_a_proved_file(terminal: Terminal, tmp_path: Path) -> None:
    terminal.wait_for("Enter: picks with default answers")
    terminal.wait_for("free disk")
    terminal.press("\r")
    terminal.wait_for("Thimble 1")
    terminal.press("t")
    terminal.wait_for("Prediction and measurement")
    terminal.press("e")
    terminal.wait_for("Save as")
    terminal.wait_for("#:schema")
    terminal.press("\r")
    terminal.wait_for("saved")
    assert terminal.engine() is None
    assert terminal.leave() == 0
    saved = tomli.loads((tmp_path / "recommendation.toml").read_text("utf-8"))
    assert saved["recommendation"]["model"] == "thimble-1"
    assert saved["smoke"]["verdict"] in ("pass", "warn")
    assert saved["constraints"]["task"]["context_tokens"] == 8192


@pytest.mark.parametrize("terminal", [(24, 2048)], indirect=True)
def test_the_program_outlives_an_engine_that_is_killed(terminal: Terminal) -> None:
    terminal.wait_for("free disk")
    terminal.press("\r")
    terminal.wait_for("Thimble 1")
    terminal.press("t")
    deadline = time.monotonic() + 30
    while (engine := terminal.engine()) is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert engine is not None
    engine.send_signal(signal.SIGKILL)
    terminal.wait_for("signal 9")
    terminal.press("3")
    terminal.wait_for("rank 1 of 1")
    assert terminal.leave() == 0


def test_letters_typed_into_a_field_are_no_commands(terminal: Terminal) -> None:
    terminal.wait_for("free disk")
    terminal.press("3")
    terminal.wait_for("rank 1 of 1")
    terminal.press("/")
    terminal.wait_for("Leave the field")
    terminal.press("quit")
    terminal.wait_for("No row matches")
    terminal.press("\x1b")
    terminal.wait_for("rank 1 of 1")
    assert terminal.leave() == 0
