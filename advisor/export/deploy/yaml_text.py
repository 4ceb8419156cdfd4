"""YAML that every reader takes for the same values: strings that could be read as anything else are quoted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

_STRING = "tag:yaml.org,2002:str"
_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./-]*")
"""Strings that are written without quotes, but for words such as `yes` or `null`. YAML 1.1 and 1.2
disagree on numbers and words (`1e3`, `0o7`, `on`), so anything else is quoted."""


class _Dumper(yaml.SafeDumper):
    """Block style, lists indented, no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _string(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    if "\n" in text and _is_block(text):
        return dumper.represent_scalar(_STRING, text, style="|")
    is_text = dumper.resolve(yaml.ScalarNode, text, (True, False)) == _STRING  # type: ignore[no-untyped-call]
    style = None if is_text and _PLAIN.fullmatch(text) else '"'
    return dumper.represent_scalar(_STRING, text, style=style)


def _is_block(text: str) -> bool:
    """Whether a literal block keeps the text as it is: printable, and with nothing that a block would fold."""
    return all(line.isprintable() and not line.endswith(" ") for line in text.removesuffix("\n").split("\n"))


_Dumper.add_representer(str, _string)


def yaml_text(head: Sequence[str], *documents: Mapping[str, Any]) -> str:
    """Comment lines, then the documents, `---` between them."""
    parts = [
        yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100_000)
        for document in documents
    ]
    return "\n".join(head) + "\n" + "---\n".join(["", *parts] if len(parts) > 1 else parts)
