"""Titled paragraphs that fold: what is asked first stands first, details open by Enter or click."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from rich.style import Style
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from advisor.domain.presentation import Paragraph
from advisor.tui.widgets.paragraphs import MARK_CLASSES, mark_styles, marked_lines, summary_table
from advisor.tui.widgets.recoloured import Recoloured


class SectionTitle(Static, can_focus=True):
    """Opens and folds what stands under it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,space", "fold", "Open or fold", show=False)]

    class Folded(Message):
        """The user wants the section the other way."""

    def action_fold(self) -> None:
        self.post_message(self.Folded())

    def on_click(self) -> None:
        self.post_message(self.Folded())


class Section(Widget):
    """One paragraph. The first of a panel has no fold: it is what everybody reads."""

    def __init__(self, *, folds: bool) -> None:
        super().__init__()
        self._folds = folds
        self.paragraph = Paragraph("", ())
        self._is_open = True
        self._styles: Mapping[str, Style] = {}
        self._title = SectionTitle(markup=False) if folds else Static(markup=False, classes="section-head")
        self._body = Static(markup=False, classes="section-body")

    def compose(self) -> ComposeResult:
        yield self._title
        yield self._body

    def show(self, paragraph: Paragraph, styles: Mapping[str, Style], *, is_open: bool) -> None:
        """Replace the text."""
        wanted = (paragraph, is_open, styles)
        if wanted == (self.paragraph, self._is_open, self._styles) and self.display:
            return
        self.paragraph, self._is_open, self._styles = wanted
        sign = f"{'▾' if is_open else '▸'} " if self._folds else ""
        self._title.update(Content(f"{sign}{paragraph.title}"))
        self._body.display = is_open and bool(paragraph.lines)
        if is_open:
            lines = paragraph.lines
            self._body.update(marked_lines(lines) if self._folds else summary_table(lines, styles))
        self.display = True

    def on_section_title_folded(self, event: SectionTitle.Folded) -> None:
        event.stop()
        self.post_message(Sections.Toggled(self.paragraph))


class Sections(VerticalScroll, Recoloured, can_focus=True):
    """A panel of sections. What the user folded stays folded for the next subject."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(MARK_CLASSES.values())
    COLOURS = frozenset(COMPONENT_CLASSES)

    class Toggled(Message):
        """A section is to be opened or folded."""

        def __init__(self, paragraph: Paragraph) -> None:
            super().__init__()
            self.paragraph = paragraph

    def __init__(self, *, id: str) -> None:  # noqa: A002 - as Textual names it
        super().__init__(id=id)
        self._choices: dict[str, bool] = {}
        self._paragraphs: Sequence[Paragraph] = ()

    def show(self, paragraphs: Sequence[Paragraph]) -> None:
        """Replace the text and return to its top."""
        if paragraphs == self._paragraphs:
            return
        self._paragraphs = paragraphs
        self._fill()
        self.scroll_home(animate=False)

    def _fill(self) -> None:
        held = list(self.query_children(Section))
        for section in held[len(self._paragraphs) :]:
            section.display = False
        missing = [Section(folds=i > 0) for i in range(len(held), len(self._paragraphs))]
        if missing:
            self.mount_all(missing)
        self.recolour()

    def recolour(self) -> None:
        styles = mark_styles(self.take_colours())
        for section, paragraph in zip(self.query_children(Section), self._paragraphs, strict=False):
            is_open = self._choices.get(_subject(paragraph), not paragraph.is_detail)
            section.show(paragraph, styles, is_open=is_open)

    def on_sections_toggled(self, event: Toggled) -> None:
        event.stop()
        subject = _subject(event.paragraph)
        self._choices[subject] = not self._choices.get(subject, not event.paragraph.is_detail)
        self.recolour()


def _subject(paragraph: Paragraph) -> str:
    """What a paragraph is about, without its figures: `Score` of `Score 0.723 = …`."""
    return paragraph.title.rstrip("0123456789.").partition(" 0.")[0]
