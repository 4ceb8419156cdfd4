"""Text for systemd units (systemd.syntax, systemd.service, systemd.unit): words, specifiers and variables escaped."""

from __future__ import annotations

import re

_PLAIN = re.compile(r"[A-Za-z0-9_./:,@=+-]+")


def word(text: str) -> str:
    """One word of a command line or of Environment=, taken as it is. The text holds no control characters."""
    return text if _PLAIN.fullmatch(text) else quoted(text)


def quoted(text: str) -> str:
    """The same always in quotes, in which a colon does not begin another path (BindReadOnlyPaths=)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def command_word(text: str) -> str:
    """A word of ExecStart=, where a dollar sign would name a variable."""
    return word(text).replace("$", "$$")


def value(text: str) -> str:
    """A value that is one line of free text, such as Description=; no backslash at its end can join the next line."""
    return text.replace("%", "%%").replace("\\", "\\\\").rstrip("\\").strip()
