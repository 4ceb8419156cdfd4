"""The report as one HTML file: no scripts, nothing from the network, legible on paper and in the dark."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, tostring

from advisor.export.markdown_text import ADDRESS
from advisor.export.report.blocks import Block, Chart, Facts, Grid, Points, Report, Section
from advisor.export.report.contents import Recorded, report_of
from advisor.export.report.svg import CHART_STYLE, el
from advisor.text import printable

_STYLE = Path(__file__).with_name("html.css")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def files(recorded: Recorded) -> dict[str, str]:
    """`NAME.html`."""
    page = tostring(_page(report_of(recorded)), encoding="unicode", method="html")
    return {f"{recorded.name}.html": f"<!doctype html>\n{page}\n"}


def _page(report: Report) -> Element:
    page = el("html", lang="en")
    head, body = el("head"), el("body")
    style = el("style")
    style.text = _STYLE.read_text(encoding="utf-8") + CHART_STYLE
    head.extend(
        [
            el("meta", charset="utf-8"),
            el("meta", http_equiv="Content-Security-Policy", content=_POLICY),
            el("meta", name="viewport", content="width=device-width, initial-scale=1"),
            el("meta", name="color-scheme", content="light dark"),
            el("title", f"{report.title} - llm-advisor"),
            style,
        ]
    )
    body.append(_header(report))
    main = el("main")
    main.extend(_section(section) for section in report.sections)
    body.append(main)
    page.extend([head, body])
    return page


def _header(report: Report) -> Element:
    header = el("header")
    header.append(el("p", "llm-advisor recommends", class_="kicker"))
    header.append(el("h1", report.title))
    if report.badge:
        header.append(el("p", report.badge, class_="badge"))
    header.extend(el("p", sentence, class_="lead") for sentence in report.summary)
    return header


def _section(section: Section) -> Element:
    found = el("section")
    found.append(el("h2", section.title))
    if section.intro:
        found.append(el("p", section.intro))
    for block in section.blocks:
        found.extend(_block(block))
    return found


def _block(block: Block) -> list[Element]:
    if isinstance(block, Chart):
        figure = el("figure")
        figure.append(block.svg)
        return [figure]
    if isinstance(block, Points):
        points = el("ul")
        points.extend(_text("li", line) for line in block.lines)
        return [el("h3", block.title), points]
    if isinstance(block, Facts):
        return [_facts(block)]
    return [_grid(block)]


def _facts(facts: Facts) -> Element:
    table = el("table", class_="facts")
    for name, value in facts.rows:
        row = el("tr")
        row.extend([el("th", name, scope="row"), _text("td", value)])
        table.append(row)
    return _scrolling(table)


def _grid(grid: Grid) -> Element:
    table, head, body = el("table"), el("thead"), el("tbody")
    head.append(_row(grid, grid.columns, "th"))
    body.extend(_row(grid, cells, "td") for cells in grid.rows)
    table.extend([head, body])
    return _scrolling(table)


def _row(grid: Grid, cells: Sequence[str], tag: str) -> Element:
    row = el("tr")
    for i, cell in enumerate(cells):
        marks = {"class_": "number"} if i in grid.numeric else {}
        row.append(_text(tag, cell, **marks))
    return row


def _scrolling(table: Element) -> Element:
    """A wide table scrolls by itself, so that the page does not."""
    frame = el("div", class_="scroll", tabindex=0)
    frame.append(table)
    return frame


def _text(tag: str, text: str, **marks: str) -> Element:
    """Escaped text, in which addresses are links."""
    made = el(tag, **marks)
    last, end = None, 0
    for match in ADDRESS.finditer(text):
        _append(made, last, text[end : match.start()])
        last, end = el("a", match[0], href=match[0], rel="noreferrer"), match.end()
        made.append(last)
    _append(made, last, text[end:])
    return made


def _append(parent: Element, last: Element | None, text: str) -> None:
    if last is None:
        parent.text = printable(text)
    else:
        last.tail = printable(text)
