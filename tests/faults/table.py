"""The committed page of faults."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from pathlib import Path

from tests.faults.case import Case, Group, Seen

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
_HEAD = """# Faults

Written by `python -m tests.faults`, which causes each fault against the real program, the real engine child and real files, and looks at what is seen and
left behind: processes, temporary files, lost data. The quick ones run with the tests (`tests/faults/test_faults.py`).
"""


def page(found: Sequence[tuple[Group, Case, Seen]]) -> str:
    """All tables as Markdown."""
    good = sum(seen.is_good for _, _, seen in found)
    lines = [
        _HEAD,
        f"{good} of {len(found)} as expected, on {platform.system()} {platform.release()}, Python {platform.python_version()}.\n",
    ]
    for group in dict.fromkeys(group for group, _, _ in found):
        lines += [
            f"## {group.title}\n",
            f"{group.note}\n",
            "| fault | expected | seen | left behind |",
            "| --- | --- | --- | --- |",
        ]
        for other, case, seen in found:
            if other is group:
                cells = (
                    case.fault,
                    case.expected,
                    ("" if seen.is_right else "✗ ") + seen.text,
                    ", ".join(seen.left) or "nothing",
                )
                lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
