"""Going from place to place draws again only what changed: what made a key slow stays away."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.css.stylesheet import Stylesheet
from textual.widgets import DataTable

from advisor.tui.background import in_background
from advisor.tui.widgets.pages import pieces
from tests.tui.driving import at_rest, place_of, press, started, until
from tests.tui.pinned import PinnedAdvisor


async def test_a_place_that_was_shown_before_is_styled_and_drawn_from_what_was_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rendered: list[int] = []
    original = DataTable._render_cell

    def counted(self: DataTable[object], *arguments: object, **named: object) -> object:
        rendered.append(1)
        return original(self, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(DataTable, "_render_cell", counted)
    parsed: list[int] = []
    monkeypatch.setattr(Stylesheet, "reparse", lambda self: parsed.append(1))
    async with started(PinnedAdvisor(), "3", "4", "3") as (app, pilot):
        await at_rest(pilot, 0.2)
        assert rendered
        rendered.clear()
        parsed.clear()
        for key in "4343":
            await press(pilot, key)
            await at_rest(pilot)
        assert place_of(app) == "picks"
        assert (rendered, parsed) == ([], [])


async def test_a_theme_that_is_chosen_elsewhere_reaches_a_place_that_was_shown_before() -> None:
    async with started(PinnedAdvisor(), "3", "4") as (app, pilot):
        app.theme = "advisor-light"
        await at_rest(pilot)
        await press(pilot, "3")
        await at_rest(pilot)
        assert app.screen.styles.background.brightness > 0.5


async def test_lines_are_cleaned_by_the_same_filters_every_time() -> None:
    async with started(PinnedAdvisor()) as (app, _):
        first, second = app.get_line_filters(), app.get_line_filters()
        assert [id(one) for one in first] == [id(one) for one in second]


async def test_slow_work_is_not_described_by_what_it_works_on() -> None:
    class Loud:
        def __call__(self) -> None:
            pass

        def __repr__(self) -> str:
            raise AssertionError("a whole recommendation would be written out")

    async with started(PinnedAdvisor()) as (app, pilot):
        in_background(app, Loud(), "test")
        await until(pilot, lambda: all(worker.group != "test" or worker.is_finished for worker in app.workers))


@given(st.text(st.characters(exclude_categories=("Cc", "Cs"))), st.integers(2, 40))
def test_a_line_is_cut_into_pieces_that_fit_and_none_is_lost(line: str, width: int) -> None:
    found = [line[start:end] for start, end in pieces(line, width)]
    assert "".join(found) == line
    assert all(cell_len(piece) <= width for piece in found)
    assert all(found) or line == ""
