"""A terminal of 40×12: what can be pressed can be read."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from textual.widgets import Button, Input

from advisor.tui.app import AdvisorApp
from advisor.tui.widgets.choice import Choice
from advisor.tui.widgets.question_row import QuestionRow, QuestionTitle
from tests.tui.driving import at_rest, press, started, text_of, until
from tests.tui.tried import TASKS_NAME, PinnedTrialAdvisor

TINY = (40, 12)


def cut(app: AdvisorApp) -> list[str]:
    """Labels of the buttons on screen that stand beyond its edge or have too little room."""
    shown = [button for button in app.screen.query(Button) if button.display and button.region.area]
    return [
        str(button.label)
        for button in shown
        if button.region.right > TINY[0] or button.content_size.width < cell_len(str(button.label)) + 2
    ]


@pytest.mark.parametrize("keys", ["1", "2", "3", "3x", "3o", "3i", "4", "4o", "5", "q"])
async def test_no_button_is_cut(keys: str) -> None:
    async with started(PinnedTrialAdvisor(), *keys, size=TINY) as (app, pilot):
        await at_rest(pilot)
        assert cut(app) == []


async def test_no_button_is_cut_after_a_trial_and_in_a_ranking_by_it() -> None:
    async with started(PinnedTrialAdvisor(), "4", "o", size=TINY) as (app, pilot):
        app.screen.query_one("#tasks", Input).value = TASKS_NAME
        await until(pilot, lambda: "GiB" in text_of(app))
        app.screen.query_one("#contestants").focus()
        await press(pilot, "space", "ctrl+s")
        await until(pilot, lambda: app.screen.has_class("-tried"))
        assert cut(app) == []
        app.screen.query_one("#trial-outcome").focus()
        await press(pilot, "r")
        await until(pilot, lambda: app.session.evidence is not None)
        await at_rest(pilot, 0.2)
        app.clear_notifications()
        await pilot.pause()
        assert "o: published results" in text_of(app)
        assert cut(app) == []


async def test_a_word_that_is_cut_says_so_and_keeps_its_arrow() -> None:
    async with started(PinnedTrialAdvisor(), "5", size=TINY) as (app, _):
        choice = app.screen.query_one(Choice)
        line = next(line for line in text_of(app).splitlines() if line.startswith(" Output"))
        assert line.rstrip().endswith("… ▸")
        assert cell_len(str(choice.render())) <= choice.size.width


@pytest.mark.parametrize("keys", ["2", "3i"])
async def test_a_title_does_not_touch_its_answer(keys: str) -> None:
    async with started(PinnedTrialAdvisor(), *keys, size=TINY) as (app, pilot):
        await at_rest(pilot)
        titles = [title for title in app.screen.query(QuestionTitle) if title.size.width]
        assert titles
        assert [title.text for title in titles if cell_len(title.render().plain.rstrip()) >= title.size.width] == []


async def test_the_whole_title_of_a_question_can_be_read() -> None:
    async with started(PinnedTrialAdvisor(), "2", size=TINY) as (app, pilot):
        await until(pilot, lambda: "Passed on" in text_of(app))
        await press(pilot, *["down"] * 6)
        row = next(row for row in app.screen.query(QuestionRow) if row.has_focus_within)
        assert f"{row.question.title}: " in " ".join(text_of(app).replace("▁", " ").split())
