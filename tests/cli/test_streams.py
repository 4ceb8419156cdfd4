"""Standard output in encodings that lack some of what is said."""

from __future__ import annotations

import os
import subprocess
import sys

import pexpect
import pytest

LICENCES = ("compare", "mistral-7b-instruct-v0.3", "llama-3.1-8b-instruct", "--gpu", "none", "--ram", "16GiB")
"""A command whose words and tables have marks that only Unicode knows."""


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "ascii"])
def test_what_goes_to_a_program_is_utf_8_whatever_the_locale_says(encoding: str) -> None:
    command = [sys.executable, "-m", "advisor", *LICENCES]
    said = [
        subprocess.run(
            command, env=os.environ | {"PYTHONIOENCODING": name}, capture_output=True, timeout=120, check=True
        ).stdout
        for name in ("utf-8", encoding)
    ]
    assert "✓" in said[0].decode("utf-8")
    assert said[1] == said[0]


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_a_terminal_that_lacks_a_character_gets_its_escape() -> None:
    variables = {"PYTHONIOENCODING": "latin-1", "TERM": "xterm", "COLUMNS": "300"}
    child = pexpect.spawn(sys.executable, ["-m", "advisor", *LICENCES], env=os.environ | variables, timeout=120)
    said = child.read()
    child.close()
    assert child.exitstatus == 0, said
    assert rb"\u2713 allowed" in said
