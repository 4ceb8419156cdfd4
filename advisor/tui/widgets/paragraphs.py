"""Titled paragraphs that scroll."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rich.console import Group
from rich.style import Style
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from advisor.domain.presentation import Paragraph
from advisor.domain.summary import SUMMARY_INDENT
from advisor.tui.harmless import HELD_SPACE

MARK_CLASSES = {"✓": "mark--good", "✗": "mark--bad", "!": "mark--care", "?": "mark--care"}
"""Component classes of marks in a table, which takes no theme variables."""
_FIGURE = re.compile(r"(?<=\d) (?=(?:[KMGT]iB|GB/s|tok/s|tokens?|ms|s|min|h|users?|bits?)\b|%)")
"""The space between a figure and its unit."""
_MARK_STYLES = {"✓": "$text-success", "✗": "$text-error", "!": "$text-warning", "?": "$text-warning"}


class Paragraphs(VerticalScroll, can_focus=True):
    """Foreign text is taken as it is: nothing in it is markup."""

    HELP = "Text to read: arrows, Page up and Page down scroll it."

    def compose(self) -> ComposeResult:
        yield Static(markup=False)

    def show(self, paragraphs: Sequence[Paragraph]) -> None:
        """Replace the text and return to its top."""
        parts: list[Content | str | tuple[str, str]] = []
        for paragraph in paragraphs:
            parts += [(f"{paragraph.title}\n", "bold $text-primary"), marked_lines(paragraph.lines), "\n\n"]
        self.query_one(Static).update(Content.assemble(*parts[:-1]))
        self.scroll_home(animate=False)


def unbroken(text: str) -> str:
    """A text whose figures stay on one line with their units."""
    return _FIGURE.sub(HELD_SPACE, text)


def marked_lines(lines: Sequence[str]) -> Content:
    """Lines that begin with a mark in the colour of that mark."""
    return Content("\n").join(Content.styled(unbroken(line), _MARK_STYLES.get(line[:1], "")) for line in lines)


def mark_styles(colours: Mapping[str, Style]) -> dict[str, Style]:
    """The style of each mark, from the styles of MARK_CLASSES."""
    return {mark: colours[name] for mark, name in MARK_CLASSES.items()}


def summary_table(lines: Sequence[str], styles: Mapping[str, Style]) -> Group:
    """Lines of a word, room and a text, the texts below one another; what is no such line stands under them."""
    table = Table.grid(padding=(0, 1, 0, 0), expand=True)
    table.add_column(width=SUMMARY_INDENT - 1)
    table.add_column(ratio=1)
    others: list[Text] = []
    for line in map(unbroken, lines):
        word = line[:SUMMARY_INDENT]
        if word.endswith(" ") and word.rstrip().isalpha():
            mark, rest = line[SUMMARY_INDENT : SUMMARY_INDENT + 1], line[SUMMARY_INDENT + 1 :]
            table.add_row(Text(word.rstrip(), "dim"), Text.assemble((mark, styles.get(mark, "")), rest))
        else:
            others.append(Text(line))
    return Group(table, *others)
