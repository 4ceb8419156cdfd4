"""A head-to-head as tables with footnotes: what the command line, the screens and the Markdown file share."""

from __future__ import annotations

from dataclasses import dataclass

from advisor.domain.head_to_head.values import Edge, EdgeKind, Figure, HeadToHead, Line, Section
from advisor.domain.wording import BASIS_MARKS

EDGE_MARKS = {EdgeKind.LEADS: "▲", EdgeKind.CLOSE: "≈", EdgeKind.EVEN: "=", EdgeKind.INCOMPARABLE: "≠"}
LEGEND = "▲ leads · ≈ too close to call · = equal · ≠ not comparable · ~ estimated by a formula · [n] source at the end"

_BELOW = frozenset({"clauses"})
"""Lines too long for a cell, which stand under the table."""


@dataclass(frozen=True, slots=True)
class Table:
    """One section, ready to draw."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def sources_of(found: HeadToHead) -> tuple[str, ...]:
    """Every source, in the order in which figures rest on them; its position is its number."""
    figures = (figure for section in found.sections for line in section.lines for figure in line.figures)
    return tuple(dict.fromkeys(figure.source for figure in figures if figure.source))


def tables_of(found: HeadToHead) -> tuple[Table, ...]:
    """The sections in order."""
    numbers = {source: i for i, source in enumerate(sources_of(found), start=1)}
    return tuple(_table(section, found, numbers) for section in found.sections)


def _table(section: Section, found: HeadToHead, numbers: dict[str, int]) -> Table:
    names = short_names(found)
    labels = [subject.label for subject in found.subjects]
    rows = tuple(_row(line, names, numbers) for line in section.lines if line.id not in _BELOW)
    remarks = [f"{line.title}: {line.remark}." for line in section.lines if line.remark and not _in_edge(line)]
    below = [
        f"{line.title} of {name}: {figure_text(figure, numbers)}"
        for line in section.lines
        if line.id in _BELOW
        for name, figure in zip(names, line.figures, strict=True)
    ]
    return Table(section.title, ("", *labels, "who leads"), rows, (*remarks, *below, *section.notes))


def short_names(found: HeadToHead) -> list[str]:
    """What to call the subjects in a cell: without their quantizations, unless that is what tells them apart."""
    short = [s.family.family if s.family else s.model.id for s in found.subjects]
    return short if len(set(short)) == len(short) else [s.label for s in found.subjects]


def _in_edge(line: Line) -> bool:
    return line.edge is not None and line.edge.kind is EdgeKind.INCOMPARABLE


def _row(line: Line, names: list[str], numbers: dict[str, int]) -> tuple[str, ...]:
    return (line.title, *(figure_text(figure, numbers) for figure in line.figures), edge_text(line.edge, names))


def figure_text(figure: Figure, numbers: dict[str, int]) -> str:
    """The figure with the mark of its basis and the number of its source."""
    mark = BASIS_MARKS[figure.basis.value] if figure.basis is not None and figure.text[:1].isdigit() else ""
    return f"{mark}{figure.text}" + (f" [{numbers[figure.source]}]" if figure.source else "")


def edge_text(edge: Edge | None, names: list[str]) -> str:
    """Who is ahead, with a mark that reads without colour."""
    if edge is None:
        return ""
    who = f" {names[edge.subject]}:" if edge.subject is not None else ""
    return f"{EDGE_MARKS[edge.kind]}{who} {edge.text}".rstrip()
