"""A reader of Modelfiles that goes through the states of Ollama's own (ollama/ollama@fb3076099687, 2026-08-21,
parser/parser.go), so that what it takes, Ollama takes."""

from __future__ import annotations

import re

COMMANDS = (
    "from", "license", "template", "system", "adapter", "draft", "renderer", "parser", "parameter", "message",
    "requires",
)  # fmt: skip
PARAMETERS = frozenset({
    "num_keep", "seed", "num_predict", "top_k", "top_p", "min_p", "typical_p", "repeat_last_n", "temperature",
    "repeat_penalty", "presence_penalty", "frequency_penalty", "stop", "num_ctx", "num_batch", "num_gpu", "main_gpu",
    "use_mmap", "num_thread", "draft_num_predict",
})  # fmt: skip
"""JSON names of `Options` and `Runner` in api/types.go of the same commit."""


def _unquoted(text: str) -> str | None:
    """None where a quote is still open."""
    if text.startswith('"""'):
        return text[3:-3] if len(text) >= 6 and text.endswith('"""') else None
    if text.startswith('"'):
        return text[1:-1] if len(text) >= 2 and text.endswith('"') else None
    return text


def _after_word(state: str, word: str) -> tuple[str, str]:
    """The state behind a word, and the command that it names. Raises ValueError for an unknown one."""
    if state == "parameter":
        return "value", word
    command = word.lower()
    if command not in COMMANDS:
        raise ValueError(f"unknown command {word!r}")
    return ("parameter" if command == "parameter" else "value"), ("model" if command == "from" else command)


def parse(text: str) -> list[tuple[str, str]]:
    """Commands in order: `model` for FROM, the parameter's name for PARAMETER. Raises ValueError as Ollama refuses."""
    found: list[tuple[str, str]] = []
    state, kept, name = "nothing", "", ""
    for character in [*text, None]:
        newline, space = character in ("\r", "\n"), character in (" ", "\t")
        if state in ("nothing", "comment"):
            if character is None:
                break
            if state == "comment":
                state = "nothing" if newline else "comment"
            elif character == "#":
                state = "comment"
            elif not newline and not space:
                state, kept = "name", character
        elif state in ("name", "parameter"):
            if space:
                state, name, kept = *_after_word(state, kept), ""
            elif character is None or not re.match(r"[A-Za-z]" if state == "name" else r"\w", character, re.ASCII):
                raise ValueError(f"unexpected {character!r} in {kept!r}")
            else:
                kept += character
        else:
            value = _unquoted(kept.strip())
            if character is None or newline:
                if value is not None:
                    found.append((name, value))
                    state, kept = "nothing", ""
                elif character is None:
                    raise ValueError("a quote is not closed")
                else:
                    kept += character
            elif space or character.isprintable():
                kept += character
    if state != "nothing" and state != "comment":
        raise ValueError(f"ends inside a {state}")
    if not any(name == "model" for name, _ in found):
        raise ValueError("no FROM line")
    return found
