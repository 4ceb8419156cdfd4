"""The committed page of faults."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.faults.case import Case, Group, Seen

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
_HEAD = """# Faults

Written by `python -m tests.faults`, which causes each fault against the real program, the real engine child and real
files, and looks at what is seen and left behind: processes, temporary files, lost data. The quick ones run with the
tests (`tests/faults/test_faults.py`).
"""


def page(groups: Sequence[Group], seen: Mapping[str, Seen]) -> str:
    """All tables as Markdown."""
    good = sum(one.is_good for one in seen.values())
    lines = [_HEAD, f"{good} of {len(seen)} as expected, on {platform.system()}, Python {platform.python_version()}.\n"]
    for group in groups:
        lines += [f"## {group.title}\n", f"{group.note}\n", "| fault | expected | seen | left behind |"]
        lines.append("| --- | --- | --- | --- |")
        lines += [_row(case, seen[case.id]) for case in group.cases if case.id in seen]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _row(case: Case, seen: Seen) -> str:
    mark = "" if seen.is_right else "✗ "
    cells = (case.fault, case.expected, mark + seen.text, ", ".join(seen.left) or "nothing")
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
