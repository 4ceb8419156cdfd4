"""docs/plan.md against the command that writes it: the same parts in the same order, whatever the figures."""

from __future__ import annotations

import re

from benchmarks.worked_plan import PAGE, page


def skeleton(text: str) -> list[str]:
    """Headings, commands, rows of the key table, and lines of output without their figures."""
    kept = [line for line in text.splitlines() if re.match(r"#|\$ |\| `|\S+\t|breaks first|vLLM: |llama.cpp: ", line)]
    return [re.sub(r"[\d.,]+", "0", line) for line in kept]


def test_the_page_is_what_the_command_writes() -> None:
    committed, now = skeleton(PAGE.read_text("utf-8")), skeleton(page())
    assert len(committed) > 60
    assert committed == now, "run python -m benchmarks.worked_plan"
