"""Pictures of a trial on own tasks, before and after it, and of the question which trial to rank by."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.widgets import Input

from advisor.tui.app import AdvisorApp
from tests.tui.driving import Drive, press, text_of, until
from tests.tui.test_snapshots import LARGE, SMALL
from tests.tui.tried import LLAMA, TASKS_NAME, PinnedTrialAdvisor

Compare = Callable[..., bool]
TINY = (40, 12)


async def _opened(pilot: Drive) -> AdvisorApp:
    app = pilot.app
    assert isinstance(app, AdvisorApp)
    await until(pilot, lambda: app.session.found is not None)
    await press(pilot, "4", "o")
    await until(pilot, lambda: LLAMA in text_of(app))
    app.screen.query_one("#tasks", Input).value = f"./{TASKS_NAME}"
    app.screen.query_one("#contestants").focus()
    await pilot.pause()
    return app


async def _tried(pilot: Drive) -> None:
    app = await _opened(pilot)
    await press(pilot, "space", "down", "space", "ctrl+s")
    await until(pilot, lambda: app.screen.has_class("-tried"))
    app.screen.query_one("#trial-outcome").focus()
    await pilot.pause()


async def _asked_for_another(pilot: Drive) -> None:
    app = pilot.app
    assert isinstance(app, AdvisorApp)
    await until(pilot, lambda: app.session.found is not None)
    await press(pilot, "3", "o")
    await until(pilot, lambda: "by which trial" in text_of(app))


def _app() -> AdvisorApp:
    return AdvisorApp(PinnedTrialAdvisor(), None, Path("/nonexistent"))


@pytest.mark.parametrize("size", [LARGE, SMALL, TINY], ids=["large", "small", "tiny"])
def test_picture_of_a_finished_trial(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(_app(), terminal_size=size, run_before=_tried)


def test_picture_of_a_finished_trial_without_colour(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(_app(), terminal_size=SMALL, run_before=_tried)


def test_picture_before_a_trial(snap_compare: Compare) -> None:
    assert snap_compare(_app(), terminal_size=SMALL, run_before=_opened)


def test_picture_of_the_question_which_trial(snap_compare: Compare) -> None:
    assert snap_compare(_app(), terminal_size=SMALL, run_before=_asked_for_another)
