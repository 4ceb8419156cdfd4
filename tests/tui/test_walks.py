"""The whole flow, once by keys alone and once by mouse alone: a file at the end that can be read back."""

from __future__ import annotations

from pathlib import Path

import pytest
import tomli
from rich.style import Style
from textual.command import CommandList, CommandPalette
from textual.events import Click, MouseDown
from textual.screen import Screen
from textual.widgets._toast import Toast

from advisor.tui.app import AdvisorApp
from advisor.tui.widgets.question_row import QuestionRow, QuestionTitle
from tests.tui.driving import Drive, place_of, press, started, text_of, until
from tests.tui.pinned import RANKED, HereAdvisor, PinnedAdvisor
from tests.tui.test_measuring import MeasuringAdvisor


async def click_text(app: AdvisorApp, pilot: Drive, text: str, *, nth: int = 0) -> None:
    """Click in the middle of a text on screen."""
    await until(pilot, lambda: text_of(app).count(text) > nth)
    places = [
        (line.index(text) + len(text) // 2, row) for row, line in enumerate(text_of(app).splitlines()) if text in line
    ]
    await pilot.click(offset=places[nth])
    await pilot.pause(0.1)


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
async def test_by_keys_alone(tmp_path: Path, size: tuple[int, int]) -> None:
    advisor = MeasuringAdvisor()
    advisor.release.set()
    async with started(advisor, size=size, folder=tmp_path) as (app, pilot):
        assert place_of(app) == "machine"
        await press(pilot, "2")
        await until(pilot, lambda: "Commercial use" in text_of(app))
        await press(pilot, "space", "3")
        await until(pilot, lambda: app.session.found is not None and not app.session.found.constraints.use.commercial)
        await press(pilot, "m")
        await until(pilot, lambda: app.session.measuring is not None and app.session.measuring.is_done)
        await press(pilot, "t")
        assert place_of(app) == "proof"
        await until(pilot, lambda: "✓ passed" in text_of(app))
        await press(pilot, "e")
        await until(pilot, lambda: "[recommendation]" in text_of(app))
        await press(pilot, "enter")
        await until(pilot, lambda: "✓ saved" in text_of(app))
    saved = tomli.loads((tmp_path / "recommendation.toml").read_text("utf-8"))
    assert saved["smoke"]["verdict"] == "pass"


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
async def test_by_mouse_alone(tmp_path: Path, size: tuple[int, int]) -> None:
    async with started(MeasuringAdvisor(), size=size, folder=tmp_path) as (app, pilot):
        await click_text(app, pilot, "2 Needs")
        assert place_of(app) == "needs"
        await click_text(app, pilot, "[x] yes")
        assert app.session.answers["use.commercial"] is False
        await click_text(app, pilot, "3 Picks")
        await click_text(app, pilot, "Example Llama 8B")
        await click_text(app, pilot, "Measure")
        await until(pilot, lambda: app.session.busy_with is not None)
        await click_text(app, pilot, "4 Proof")
        await click_text(app, pilot, "c: cancel")
        assert app.session.busy_with is None
        await click_text(app, pilot, "t: test")
        await until(pilot, lambda: app.session.smoke is not None and app.session.smoke.report is not None)
        await click_text(app, pilot, "5 Export")
        await until(pilot, lambda: "[recommendation]" in text_of(app))
        await click_text(app, pilot, "Save", nth=1)
        await until(pilot, lambda: "✓ saved" in text_of(app))
    saved = tomli.loads((tmp_path / "recommendation.toml").read_text("utf-8"))
    assert saved["recommendation"]["model"] == "example-llama-8b-instruct"


async def test_what_the_screens_save_from_the_real_catalogue_is_a_recommendation(tmp_path: Path) -> None:
    async with started(HereAdvisor(), "3", "5", folder=tmp_path) as (app, pilot):
        await until(pilot, lambda: "[recommendation]" in text_of(app) or "#:schema" in text_of(app))
        await press(pilot, "enter")
        await until(pilot, lambda: (tmp_path / "recommendation.toml").is_file())
        advisor = app.session.advisor
    assert advisor.recorded_pick(tmp_path / "recommendation.toml")[1] != ""


async def test_resizing_in_the_middle_of_everything_breaks_nothing() -> None:
    sizes = ((40, 12), (250, 80), (1, 1), (80, 24), (20, 5), (120, 36))
    advisor = MeasuringAdvisor()
    async with started(advisor, "4", "m") as (app, pilot):
        for size in sizes:
            await pilot.resize_terminal(*size)
            await pilot.pause(0.05)
        assert app.session.busy_with is not None
        advisor.release.set()
        await until(pilot, lambda: "Measured on this machine" in text_of(app))
        for place in "12345":
            await press(pilot, place)
            for size in sizes:
                await pilot.resize_terminal(*size)
                await pilot.pause(0.02)
            await press(pilot, "question_mark")
            await pilot.resize_terminal(40, 12)
            await pilot.resize_terminal(120, 36)
            await press(pilot, "escape")
        assert place_of(app) == "export"


async def test_a_terminal_of_one_cell_is_outlived_everywhere() -> None:
    openings = (("question_mark",), ("ctrl+p",), ("3", "p"), ("2", "p"), ("2", "i"), ("3", "c"), ("5",))
    async with started(PinnedAdvisor()) as (app, pilot):
        for keys in openings:
            await pilot.resize_terminal(120, 36)
            await press(pilot, *keys)
            for size in ((20, 5), (2, 2), (1, 1)):
                await pilot.resize_terminal(*size)
                await pilot.pause(0.02)
            await press(pilot, "escape", "escape")
        await pilot.resize_terminal(120, 36)
        await press(pilot, "3")
        assert RANKED[0].model.name in text_of(app)


async def test_a_second_click_beside_the_palette_closes_nothing_else() -> None:
    async with started(PinnedAdvisor()) as (app, pilot):
        await press(pilot, "ctrl+p")
        palette = app.screen
        palette.dismiss()
        palette.dismiss()  # what Textual does for each of two quick clicks
        await pilot.pause()
        assert place_of(app) == "machine"
        await press(pilot, "3")
        assert place_of(app) == "picks"


async def test_a_palette_that_is_asked_for_while_one_closes_opens_after_it() -> None:
    async with started(PinnedAdvisor()) as (app, pilot):
        await press(pilot, "ctrl+p")
        app.screen.dismiss()
        app.action_command_palette()
        await until(pilot, lambda: app.is_palette_open)
        await press(pilot, "escape")
        assert place_of(app) == "machine"


async def test_a_search_that_outlives_its_palette_breaks_nothing() -> None:
    async with started(PinnedAdvisor()) as (app, pilot):
        await press(pilot, "ctrl+p")
        palette = app.screen
        assert isinstance(palette, CommandPalette)
        await palette.query_one(CommandList).remove()  # as amid closing
        palette._gather_commands("quit")
        await until(pilot, lambda: not app.workers)
        await press(pilot, "escape")
        assert place_of(app) == "machine"


async def test_a_key_and_a_click_for_an_option_that_is_not_there_do_nothing() -> None:
    async with started(PinnedAdvisor()) as (app, pilot):
        await press(pilot, "ctrl+p")
        palette = app.screen
        assert isinstance(palette, CommandPalette)
        options = palette.query_one(CommandList)
        options.clear_options()
        stale = Style(meta={"option": 3})
        await options._on_click(Click(options, 1, 1, 0, 0, 1, False, False, False, 1, 1, style=stale))
        options._index_to_line.clear()
        palette._action_command_list("page_up")
        await press(pilot, "escape")
        assert place_of(app) == "machine"


async def test_a_click_that_overtakes_the_palette_does_not_pull_the_screen_from_under_it() -> None:
    async with started(PinnedAdvisor()) as (app, pilot):
        app.action_command_palette()
        await app.action_go("picks")
        await pilot.pause()
        await press(pilot, "escape")
        assert place_of(app) == "machine"


async def test_a_click_on_a_notice_that_has_just_gone_hits_nothing() -> None:
    async with started(PinnedAdvisor()) as (app, pilot):
        app.notify("soon gone", timeout=60)
        await pilot.pause(0.1)
        toast = app.screen.query_one(Toast)
        x, y = toast.region.x + 2, toast.region.y + 1
        parent, toast._parent = toast._parent, None  # removed and still drawn, as between two frames
        try:
            assert app.screen.get_widget_and_offset_at(x, y)[0] is toast
            await app.on_event(MouseDown(None, x, y, 0, 0, 1, False, False, False, x, y))
        finally:
            toast._parent = parent
        assert place_of(app) == "machine"


async def test_an_answer_that_arrives_after_its_question_was_removed_counts_no_more() -> None:
    async with started(PinnedAdvisor(), "2") as (app, pilot):
        row = app.screen.query(QuestionRow).first()
        before = app.session.answers[row.question.key]
        await row.query_one(QuestionTitle).remove()  # as amid making the form anew
        row.post_message(QuestionRow.Answered(row, not before))
        row.show_mark("rules 2 models out", "2")
        await pilot.pause()
        assert app.session.answers[row.question.key] == before


async def test_a_screen_that_opens_while_the_user_leaves_breaks_nothing() -> None:
    app = AdvisorApp(PinnedAdvisor(), None, Path("/nonexistent"))
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.session.found is not None)
        app.exit()
        app.push_screen(WithoutWidgets())
    assert app._exception is None


class WithoutWidgets(Screen[None]):
    """Looks for a widget as every screen does when it is mounted."""

    def on_mount(self) -> None:
        self.query_one("#gone")
