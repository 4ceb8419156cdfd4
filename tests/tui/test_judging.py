"""Blind judging on screen: keys, sides, undo, names at the end, and going on later."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Button

from advisor.service import Advisor
from advisor.tui.judging import JudgeAlone
from advisor.tui.screens.judge import JudgeScreen
from tests.trial.results import result_file
from tests.tui.driving import press, started, text_of
from tests.tui.pinned import PinnedAdvisor

ANSWERS = {f"t{i}": (f"[red]first {i}", f"second {i}") for i in range(4)}


@pytest.fixture
def result(tmp_path: Path, own_directories: None) -> Path:
    return result_file(Advisor().last_trial, ANSWERS)


@pytest.mark.usefixtures("result")
async def test_b_in_proof_judges_the_last_trial_and_tells_names_at_the_end_alone() -> None:
    async with started(PinnedAdvisor(), "4", "b") as (app, pilot):
        screen = app.screen
        assert isinstance(screen, JudgeScreen)
        for number in range(1, 5):
            shown = text_of(app)
            assert f"Blind judging: {number} of 4" in shown
            assert "aardvark" not in shown
            assert "badger" not in shown
            left_first = shown.index("[red]first") < shown.index("second") if "[red]first" in shown else False
            await press(pilot, "l" if left_first else "r")
        shown = text_of(app)
        assert "all 4 pairs are judged" in shown
        assert "aardvark: 4 better" in shown
        assert "badger: 0 better" in shown
        assert screen.query_one("#vote-left", Button).disabled
        await press(pilot, "escape")
        assert not isinstance(app.screen, JudgeScreen)


@pytest.mark.usefixtures("result")
async def test_votes_can_be_taken_back_and_are_there_next_time() -> None:
    advisor = PinnedAdvisor()
    async with started(advisor, "4", "b", "t", "b", "u", "u", "u", "right") as (app, pilot):
        assert "2 of 4" in text_of(app)
        await pilot.click("#vote-tie")
        await pilot.pause()
        assert "3 of 4" in text_of(app)
        await press(pilot, "escape", "b")
        assert "3 of 4" in text_of(app)
    with advisor.judging_session() as sitting:
        assert sitting.judging.votes == ("right", "tie")


async def test_without_a_trial_it_says_how_to_run_one() -> None:
    async with started(PinnedAdvisor(), "4", "b") as (app, _):
        assert not isinstance(app.screen, JudgeScreen)
        assert any("there is no trial yet" in note.message for note in app._notifications)


async def test_two_programs_do_not_judge_one_trial_at_once(result: Path) -> None:
    advisor = PinnedAdvisor()
    with advisor.judging_session(result):
        async with started(advisor, "4", "b") as (app, pilot):
            await pilot.pause()
            assert not isinstance(app.screen, JudgeScreen)
            assert any("is running" in note.message for note in app._notifications)


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (120, 36)])
async def test_both_answers_and_every_key_fit(result: Path, size: tuple[int, int]) -> None:
    app = JudgeAlone(JudgeScreen(Advisor().judging_session(result)))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        shown = text_of(app)  # type: ignore[arg-type]
        assert "first" in shown
        assert "second" in shown
        for side in ("left", "right"):
            box = app.screen.query_one(f"#judge-{side}").region
            assert box.width >= size[0] // 2 - 1
            assert box.height >= 2
        for button in app.screen.query(Button):
            assert str(button.label) in shown
        await press(pilot, "enter")
        assert "1 of 4" in text_of(app)  # type: ignore[arg-type]
        await press(pilot, "q")
    assert app.return_code == 0
