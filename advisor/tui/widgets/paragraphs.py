"""Titled paragraphs that scroll."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from advisor.domain.presentation import Paragraph

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
            parts.append((f"{paragraph.title}\n", "bold $text-primary"))
            for line in paragraph.lines:
                parts.append((line, _MARK_STYLES.get(line[:1], "")))
                parts.append("\n")
            parts.append("\n")
        self.query_one(Static).update(Content.assemble(*parts[:-2]))
        self.scroll_home(animate=False)
