"""Hostile files given to the real commands: one line, the documented exit code, and never more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import Cli
from tests.fuzz.parsers.shared import DESKTOP

DEEP = b"a = " + b"{a.a.a.a.a.a.a.a = " * 150 + b"1" + b"}" * 150 + b"\n"
HOSTILE: dict[str, bytes] = {
    "nothing": b"",
    "no-text": b"\xff\xfe\x00GGUF",
    "deep": DEEP,
    "brackets": b"x = " + b"[" * 100_000,
    "long-key": b".".join([b"a"] * 5_000) + b" = 1\n",
    "terminal": b'"\x1b[2J\\u001b]0;x\\u0007\\n" = 1\n',
    "many": b'[[gpu]]\ncount = 1024\nname = "a"\n' * 1_000,
    "gguf": b"GGUF\x03\x00\x00\x00" + b"\xff" * 64,
    "json": b'{"schema_version": 1, "kind": "trial", "answers": ' + b"[" * 50_000,
}
COMMANDS: dict[str, tuple[str, ...]] = {
    "machine": ("recommend", "--machine", "FILE"),
    "constraints": ("recommend", "--machine", str(DESKTOP), "--constraints", "FILE"),
    "verify": ("verify", "FILE"),
    "export": ("export", "FILE", "--to", "markdown", "-o", "FOLDER"),
    "fleet": ("plan", "--fleet", "FILE"),
    "trace": ("plan", "--trace", "FILE"),
    "evidence": ("recommend", "--machine", str(DESKTOP), "--trial", "FILE"),
    "tasks": ("trial", "FILE", "--file", "FILE"),
    "size": ("size", "FILE"),
    "smoke": ("smoke", "FILE"),
}
ENDING = {"size": ".gguf", "smoke": ".gguf", "tasks": ".jsonl"}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_hostile_file_costs_one_line_and_the_documented_exit_code(command: str, cli: Cli, tmp_path: Path) -> None:
    for name, content in HOSTILE.items():
        path = tmp_path / f"{name}{ENDING.get(command, '.toml')}"
        path.write_bytes(content)
        places = {"FILE": str(path), "FOLDER": str(tmp_path / "out")}
        found = cli(*(places.get(word, word) for word in COMMANDS[command]))
        if command == "constraints" and name == "nothing":
            assert found.code == 0, found.err
            continue
        assert found.code in (2, 3), (name, found.code, found.err)
        lines = [line for line in found.err.splitlines() if line.startswith("llm-advisor: ")]
        assert len(lines) == 1, (name, found.err)
        assert found.err.endswith(lines[0] + "\n")
        assert len(lines[0]) < 3_500
        assert "Traceback" not in found.err
        assert "\x1b" not in found.err
    assert not (tmp_path / "out").exists()
