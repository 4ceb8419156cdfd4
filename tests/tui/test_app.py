"""Moving about, keys, help, quitting, errors and sizes."""

from __future__ import annotations

from functools import partial

import pytest

from advisor.domain.constraints import Constraints
from advisor.domain.hardware import Machine
from advisor.domain.recommend import Recommendation
from advisor.errors import InputError
from advisor.tui.app import AdvisorApp
from advisor.tui.commands import COMMANDS, commands_at
from advisor.tui.places import PLACE_IDS, PlaceId
from advisor.tui.screens import screen_of
from tests.tui.driving import at_rest, place_of, press, started, text_of, until
from tests.tui.pinned import PinnedAdvisor


async def test_a_digit_leads_to_each_place_and_help_there_lists_its_commands() -> None:
    async with started(PinnedAdvisor(), size=(120, 50)) as (app, pilot):
        for i, place in enumerate(PLACE_IDS, start=1):
            await press(pilot, str(i))
            assert place_of(app) == place
            await press(pilot, "f1")
            shown = " ".join(text_of(app).replace("│", " ").split())
            assert [c.id for c in commands_at(place) if c.help not in shown and not c.id.startswith("go.")] == []
            await press(pilot, "escape")
            assert place_of(app) == place


async def test_arrows_on_the_bar_of_places_lead_along_the_flow() -> None:
    async with started(PinnedAdvisor()) as (app, pilot):
        app.screen.query_one("PlaceBar").focus()
        await press(pilot, "right", "right", "right", "left")
        assert place_of(app) == "picks"


async def test_clicking_a_name_on_the_bar_goes_there() -> None:
    async with started(PinnedAdvisor()) as (app, pilot):
        await pilot.click("PlaceBar", offset=(36, 0))
        await at_rest(pilot)
        assert place_of(app) == "proof"


async def test_escape_leads_back_place_by_place_and_never_out() -> None:
    async with started(PinnedAdvisor(), "4") as (app, pilot):
        seen = []
        for _ in range(5):
            await press(pilot, "escape")
            seen.append(place_of(app))
        assert seen == ["picks", "needs", "machine", "machine", "machine"]
        assert app.is_running


async def test_q_quits_at_once_where_no_answer_would_be_lost() -> None:
    async with started(PinnedAdvisor(), "3", "q") as (app, pilot):
        await until(pilot, lambda: not app.is_running)


async def test_q_asks_first_where_answers_would_be_lost() -> None:
    async with started(PinnedAdvisor(), "2", "space", "q") as (app, pilot):
        assert place_of(app) == "LeaveScreen"
        await press(pilot, "escape")
        assert place_of(app) == "needs"
        assert app.session.answers["use.commercial"] is False
        await press(pilot, "q", "q")
        await until(pilot, lambda: not app.is_running)


@pytest.mark.parametrize("place", PLACE_IDS)
def test_every_command_of_a_place_has_a_handler(place: PlaceId) -> None:
    for command in commands_at(place):
        namespace, _, call = command.action.rpartition(".")
        owner = AdvisorApp if namespace == "app" else screen_of(place)
        assert hasattr(owner, f"action_{call.partition('(')[0]}")


@pytest.mark.parametrize("place", PLACE_IDS)
def test_no_key_has_two_meanings_in_one_place(place: PlaceId) -> None:
    keys = [key for command in commands_at(place) for key in command.keys.split(",")]
    assert len(keys) == len(set(keys))


def test_command_ids_are_unique() -> None:
    assert len({command.id for command in COMMANDS}) == len(COMMANDS)


async def test_the_palette_offers_the_commands_of_the_place_and_does_what_their_keys_do() -> None:
    async with started(PinnedAdvisor(), "3") as (app, pilot):
        titles = {entry.title for entry in app.get_system_commands(app.screen)}
        assert {f"{command.label} ({command.shown})" for command in commands_at("picks")} <= titles
        await press(pilot, "ctrl+p")
        await pilot.press(*"Excluded")
        await at_rest(pilot, 0.5)
        await press(pilot, "enter")
        await until(pilot, lambda: "2 excluded" in text_of(app))


async def test_text_that_is_no_valid_answer_yet_is_not_lost_without_asking() -> None:
    async with started(PinnedAdvisor(), "2") as (app, pilot):
        app.session.drafts["scale.users"] = "abc"
        await press(pilot, "escape", "q")
        assert place_of(app) == "LeaveScreen"


class BrokenAdvisor(PinnedAdvisor):
    """Fails as told after the first recommendation."""

    error: Exception | None = None

    def recommend(self, machine: Machine, constraints: Constraints, **options: object) -> Recommendation:
        if self.error is not None:
            raise self.error
        return super().recommend(machine, constraints, **options)


async def test_errors_foreseen_and_unforeseen_are_shown_and_leave_the_app_alive() -> None:
    advisor = BrokenAdvisor()
    async with started(advisor, "3") as (app, pilot):
        advisor.error = InputError("models.toml is broken", why="line 3", hint="Install it again.")
        await press(pilot, "r")
        await until(pilot, lambda: "models.toml is broken: line 3. Install it again." in text_of(app))
        advisor.error = ZeroDivisionError("[division]")
        await press(pilot, "r")
        await until(pilot, lambda: "unexpected ZeroDivisionError: [division]" in " ".join(text_of(app).split()))
        await press(pilot, "1")
        assert place_of(app) == "machine"


async def test_own_entries_that_are_not_used_are_told_once() -> None:
    advisor = PinnedAdvisor()
    advisor.overlay_problem = InputError("/config/mine.toml: model[a].base: there is no model '[b]'")
    async with started(advisor, "3") as (app, pilot):
        await until(pilot, lambda: "Your own entries are not used" in " ".join(text_of(app).split()))
        assert "there is no model '[b]'" in " ".join(text_of(app).split())
        await press(pilot, "r")
        await until(pilot, lambda: app.session.found is not None)
        assert " ".join(text_of(app).split()).count("Your own entries are not used") == 1


async def test_every_place_shows_its_name_and_its_subject_at_every_size() -> None:
    subjects = {"1": "processor", "2": "Commercial use", "3": "Example Small", "4": "Example Small", "5": "schema"}
    async with started(PinnedAdvisor(), size=(200, 60)) as (app, pilot):
        for size in ((200, 60), (80, 24), (40, 12)):
            await pilot.resize_terminal(*size)
            for key, subject in subjects.items():
                await press(pilot, key)
                await until(pilot, partial(_shows, app, subject))
                assert f"[{key} " in text_of(app).splitlines()[0]


def _shows(app: AdvisorApp, text: str) -> bool:
    return text in text_of(app)


async def test_resizing_keeps_the_state() -> None:
    async with started(PinnedAdvisor(), "3", "down") as (app, pilot):
        chosen = app.session.chosen
        for size in ((40, 12), (80, 24)):
            await pilot.resize_terminal(*size)
            await at_rest(pilot)
        assert app.session.chosen == chosen
        assert chosen is not None
        assert chosen.model.name == "Example Llama 8B Instruct"
