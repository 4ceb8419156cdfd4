"""The report in Markdown (CommonMark with GitHub's tables)."""

from __future__ import annotations

from advisor.export.markdown_text import escape, table_lines
from advisor.export.report.blocks import Block, Chart, Facts, Grid, Points, Section
from advisor.export.report.contents import Recorded, report_of
from advisor.export.report.svg import standalone


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
        return table_lines(("", ""), block.rows)
    return _grid(block)


def _grid(grid: Grid) -> list[str]:
    rule = ["---:" if i in grid.numeric else "---" for i in range(len(grid.columns))]
    return table_lines(grid.columns, grid.rows, rule)


def _file(chart: Chart, name: str) -> str:
    return f"{name}-{chart.name}.svg"
