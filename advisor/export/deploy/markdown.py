"""The report in Markdown (CommonMark with GitHub's tables)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from advisor.export.report.blocks import ADDRESS, Block, Chart, Facts, Grid, Points, Section
from advisor.export.report.contents import Recorded, report_of
from advisor.export.report.svg import standalone
from advisor.text import one_line

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$&])")
_LINE_START = re.compile(r"^(?:([-+=])|(\d+)([.)])(?=\s|$))")
"""What means something at the start of a line only: a dash, a sign, the number of a list."""


def files(recorded: Recorded) -> dict[str, str]:
    """`NAME.md`, and its charts as `NAME-….svg`."""
    report = report_of(recorded)
    lines = [f"# {escape(report.title)}", ""]
    if report.badge:
        lines += [f"> **{escape(report.badge)}**", ""]
    for sentence in report.summary:
        lines += [escape(sentence), ""]
    drawings: dict[str, str] = {}
    for section in report.sections:
        lines += _section(section, recorded.name)
        drawings |= {_file(b, recorded.name): standalone(b.svg) for b in section.blocks if isinstance(b, Chart)}
    text = "\n".join(lines).rstrip("\n") + "\n"
    return {f"{recorded.name}.md": text, **drawings}


def escape(text: str) -> str:
    """Text that no reader of Markdown takes for markup; an address that stands alone becomes a link."""
    line = one_line(text)
    if ADDRESS.fullmatch(line):
        return f"<{line}>"
    return _LINE_START.sub(r"\2\\\1\3", _SPECIAL.sub(r"\\\1", line))


def _section(section: Section, name: str) -> list[str]:
    lines = [f"## {escape(section.title)}", ""]
    if section.intro:
        lines += [escape(section.intro), ""]
    for block in section.blocks:
        lines += [*_block(block, name), ""]
    return lines


def _block(block: Block, name: str) -> list[str]:
    if isinstance(block, Chart):
        return [f"![{escape(block.text)}]({_file(block, name)})"]
    if isinstance(block, Points):
        return [f"**{escape(block.title)}**", "", *(f"- {escape(line)}" for line in block.lines)]
    if isinstance(block, Facts):
        return _table(("", ""), block.rows, frozenset())
    return _grid(block)


def _grid(grid: Grid) -> list[str]:
    return _table(grid.columns, grid.rows, grid.numeric)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], numeric: frozenset[int]) -> list[str]:
    rule = ["---:" if i in numeric else "---" for i in range(len(columns))]
    cells = [list(map(escape, row)) for row in (columns, *rows)]
    row = partial(str.join, " | ")
    return [f"| {row(line)} |" for line in (cells[0], rule, *cells[1:])]


def _file(chart: Chart, name: str) -> str:
    return f"{name}-{chart.name}.svg"
