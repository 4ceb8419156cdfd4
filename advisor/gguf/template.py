"""The chat template that a file carries, with the texts of the tokens that it may ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from advisor.gguf.header import GgufHeader
from advisor.gguf.reader import read_header


@dataclass(frozen=True, slots=True)
class ChatTemplate:
    """A template as the file has it: foreign text, and a program."""

    text: str
    bos: str = ""
    eos: str = ""


def chat_template(path: Path, header: GgufHeader) -> ChatTemplate | None:
    """The file's template; None where it has none."""
    text = header.metadata.get("tokenizer.chat_template")
    if not isinstance(text, str) or not text:
        return None
    return ChatTemplate(text, *_markers(path, header, text))


def _markers(path: Path, header: GgufHeader, template: str) -> tuple[str, str]:
    """The texts of the tokens that begin and end a text, where the template asks for them."""
    if "bos_token" not in template and "eos_token" not in template:
        return "", ""
    name = "tokenizer.ggml.tokens"
    tokens = read_header(path, keep=(name,)).metadata.get(name)
    found = []
    for key in ("tokenizer.ggml.bos_token_id", "tokenizer.ggml.eos_token_id"):
        index = header.metadata.get(key)
        has_it = isinstance(index, int) and isinstance(tokens, Sequence) and 0 <= index < len(tokens)
        found.append(str(tokens[index]) if has_it else "")  # type: ignore[index]
    return found[0], found[1]
