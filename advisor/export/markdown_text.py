"""Foreign text in Markdown: what any reader of CommonMark, or of GitHub's, shows as it is."""

from __future__ import annotations

import re
from collections.abc import Sequence

from advisor.text import one_line

ADDRESS = re.compile(r"https://[\w./:%#?=&~+,@-]*[\w/%#=&~+@-]")
"""An address in a text, without the stop or comma of the sentence behind it."""
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$&])")
_LINE_START = re.compile(r"^(?:([-+=])|(\d+)([.)])(?=\s|$))")
"""What means something at the start of a line only: a dash, a sign, the number of a list."""


def escape(text: str) -> str:
    """Text on one line that no reader of Markdown takes for markup; an address that stands alone becomes a link."""
    line = one_line(text)
    if ADDRESS.fullmatch(line):
        return f"<{line}>"
    return _LINE_START.sub(r"\2\\\1\3", _SPECIAL.sub(r"\\\1", line))


def table_row(cells: Sequence[str]) -> str:
    """A row of a table, whose cells are foreign text."""
    return f"| {' | '.join(map(escape, cells))} |"


def table_lines(columns: Sequence[str], rows: Sequence[Sequence[str]], rule: Sequence[str] = ()) -> list[str]:
    """A table; `rule` says of each column how it is set, such as `---:` for flush right."""
    under = rule or ["---"] * len(columns)
    return [table_row(columns), f"| {' | '.join(under)} |", *map(table_row, rows)]
