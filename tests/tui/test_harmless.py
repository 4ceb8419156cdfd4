"""Foreign text on the screens: it is shown, and no terminal obeys it."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.widgets import Static

from advisor.domain.presentation import Paragraph
from advisor.tui.harmless import harmless_text
from advisor.tui.widgets.paragraphs import Paragraphs
from tests.tui.driving import started, text_of
from tests.tui.pinned import PinnedAdvisor


async def test_no_widget_passes_control_characters_on_to_the_terminal() -> None:
    async with started(PinnedAdvisor(), "4") as (app, pilot):
        foreign = "before\x1b]0;title\x07\x1b[2J\x9b31m\u202eafter"
        app.screen.query_one("#proof-title", Static).update(foreign)
        await pilot.pause()
        shown = text_of(app)
    assert "before" in shown
    assert "after" in shown
    assert not {c for c in shown if unicodedata.category(c) in ("Cc", "Cf")} - {"\n"}


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_a_harmless_text_has_no_control_characters(text: str) -> None:
    assert not {unicodedata.category(c) for c in harmless_text(text)} & {"Cc", "Cs"}


@given(st.text(alphabet=st.sampled_from("aé漢✓ \x1b\x9b\u202e\xad")))
def test_a_harmless_text_is_as_wide_as_it_was(text: str) -> None:
    assert cell_len(harmless_text(text)) == cell_len(text)


async def test_a_figure_and_its_unit_stay_on_one_line_and_between_them_is_a_space() -> None:
    line = "first token after 12.0 s of waiting, 7.1 tok/s and 95 % of 21.5 GiB"
    async with started(PinnedAdvisor(), "4") as (app, pilot):
        for width in range(12, 40):
            outcome = app.screen.query_one(Paragraphs)
            outcome.styles.width = width
            outcome.show((Paragraph("Title", (line,)),))
            await pilot.pause()
            shown = text_of(app)
            assert all(figure in shown for figure in ("12.0 s", "7.1 tok/s", "95 %", "21.5 GiB")), width
