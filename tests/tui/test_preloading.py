"""The first screen is painted before the rest is imported, and the places are built while nobody presses a key."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from textual.app import App
from textual.screen import Screen
from textual.widgets import DataTable

from advisor.tui.app import AdvisorApp
from advisor.tui.preloading import MODULES, ORDER
from advisor.tui.screens.needs import NeedsScreen
from advisor.tui.screens.place import Place
from advisor.tui.widgets.question_row import QuestionRow
from advisor.tui.widgets.ranking import Ranking
from tests.tui.driving import at_rest, place_of, press, started, text_of, until
from tests.tui.pinned import PinnedAdvisor

PAINT = """
import asyncio, sys
from textual.app import App
from advisor.tui.app import AdvisorApp
from advisor.tui.deferred import deferred_advisor

app = AdvisorApp(deferred_advisor())

async def stay() -> None:
    print(*sorted(name for name in sys.modules if name.startswith("advisor.")))
    strips = app.screen._compositor.render_strips()
    print("".join(segment.text for strip in strips for segment in strip))

app.begin = stay

async def main() -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()

asyncio.run(main())
"""
VISIT = """
import sys
from importlib import import_module
from advisor.tui.preloading import MODULES

for name in MODULES:
    import_module(name)
before = set(sys.modules)
import pkgutil, advisor.tui.screens, advisor.tui.widgets
for package in (advisor.tui.screens, advisor.tui.widgets):
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        import_module(module.name)
print(*sorted(name for name in set(sys.modules) - before if name.startswith("advisor.")))
"""


def _lines_of(program: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_the_first_picture_needs_neither_the_service_nor_the_domain_nor_another_place() -> None:
    modules, picture = _lines_of(PAINT)
    assert "Enter: picks with default answers" in picture
    loaded = modules.split()
    assert [name for name in loaded if name.startswith(("advisor.domain", "advisor.service", "advisor.catalog"))] == []
    screens = {name for name in loaded if name.startswith("advisor.tui.screens.")}
    assert screens == {"advisor.tui.screens.machine", "advisor.tui.screens.place"}


def test_after_what_is_loaded_then_no_screen_imports_more_of_the_domain() -> None:
    (late,) = _lines_of(VISIT)
    assert [name for name in late.split() if not name.startswith("advisor.tui.")] == []


def test_every_place_but_the_first_is_built_ahead() -> None:
    assert set(ORDER) | {"machine"} == set(AdvisorApp(PinnedAdvisor())._modes)
    assert {f"advisor.tui.screens.{place}" for place in ORDER} <= set(MODULES)


@contextmanager
def _working_ahead() -> Iterator[None]:
    """The app works ahead as the program does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AdvisorApp, "works_ahead", True)
        yield


async def test_places_that_were_built_ahead_are_whole_and_have_the_focus_that_they_have_on_a_first_visit() -> None:
    seen: list[dict[str, tuple[str, str]]] = []
    for is_ahead in (False, True):
        with _working_ahead():
            async with started(PinnedAdvisor()) as (app, pilot):
                if is_ahead:
                    await until(pilot, lambda: app.is_settled)
                    assert {screen for screen in app._screen_stacks if screen != "_default"} == {"machine", *ORDER}
                else:
                    app.works_ahead = False
                places: dict[str, tuple[str, str]] = {}
                for key in "23451":
                    await press(pilot, key)
                    await at_rest(pilot, 0.3)
                    places[place_of(app)] = (repr(app.focused), text_of(app))
                seen.append(places)
    assert set(seen[0]) == {"machine", *ORDER}
    assert seen[0] == seen[1]


async def test_a_place_that_was_built_ahead_is_not_styled_and_built_again_on_its_first_visit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with _working_ahead():
        async with started(PinnedAdvisor()) as (app, pilot):
            await until(pilot, lambda: app.is_settled)
            await at_rest(pilot, 0.3)
            registered: list[object] = []
            original = App._register

            def counted(self: App[None], *arguments: object, **named: object) -> object:
                registered.extend(arguments[1:])
                return original(self, *arguments, **named)  # type: ignore[arg-type]

            monkeypatch.setattr(App, "_register", counted)
            for key in "234":
                await press(pilot, key)
                await at_rest(pilot, 0.2)
            assert place_of(app) == "proof"
            assert registered == []


@pytest.mark.parametrize("keys", ["2", "234", "24252321", "3x3s2a"])
async def test_keys_that_come_while_places_are_being_built_lead_where_they_always_lead(keys: str) -> None:
    with _working_ahead():
        async with started(PinnedAdvisor()) as (app, pilot):
            await pilot.press(*keys)
            await until(pilot, lambda: app.is_settled)
            digits = [key for key in keys if key.isdigit()]
            assert place_of(app) == ("machine", "needs", "picks", "proof", "export")[int(digits[-1]) - 1]
            await press(pilot, "2")
            await until(pilot, lambda: app.screen.query(QuestionRow).first().is_attached)
            keys_asked = [row.question.key for row in app.screen.query(QuestionRow)]
            assert len(keys_asked) == len(set(keys_asked))


async def test_a_form_that_is_asked_again_while_it_is_being_built_has_every_question_once() -> None:
    async with started(PinnedAdvisor(), "2") as (app, pilot):
        await pilot.press("a", "a", "a")
        await at_rest(pilot, 0.3)
        screen = app.screen
        assert isinstance(screen, NeedsScreen)
        asked = [row.question.key for row in screen.query(QuestionRow)]
        questionnaire = app.session.advisor.questionnaire
        wanted = [q.key for s in questionnaire.sections for q in questionnaire.of_section(s.id)]
        assert asked == [key for key in wanted if screen.shows_all or not questionnaire[key].advanced]
        assert screen.shows_all


async def test_marking_a_row_draws_that_row_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    async with started(PinnedAdvisor(), "3") as (app, pilot):
        await at_rest(pilot, 0.2)
        table = app.screen.query_one(Ranking)
        await press(pilot, "down", "up")
        rendered: set[int] = set()
        original = DataTable._render_cell

        def counted(self: DataTable[object], row: int, *arguments: object, **named: object) -> object:
            rendered.add(row)
            return original(self, row, *arguments, **named)  # type: ignore[arg-type]

        monkeypatch.setattr(DataTable, "_render_cell", counted)
        await press(pilot, "space")
        await at_rest(pilot)
        assert rendered == {table.cursor_row}


async def test_a_table_that_is_given_the_rows_it_has_keeps_them(monkeypatch: pytest.MonkeyPatch) -> None:
    async with started(PinnedAdvisor(), "3") as (app, pilot):
        cleared: list[int] = []
        monkeypatch.setattr(Ranking, "_replace", lambda self, *rest: cleared.append(1))
        app.changed.publish("advice")
        await pilot.pause()
        assert cleared == []
        await press(pilot, "s")
        assert cleared == [1]


async def test_excluded_models_and_picks_are_each_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async with started(PinnedAdvisor(), "3") as (_, pilot):
        for _ in range(2):
            await press(pilot, "x")
            await at_rest(pilot)
        rendered: list[int] = []
        monkeypatch.setattr(DataTable, "_render_cell", lambda *_, **__: rendered.append(1))
        await press(pilot, "x", "x")
        await at_rest(pilot)
        assert rendered == []


async def test_the_lines_of_a_table_follow_the_theme() -> None:
    async with started(PinnedAdvisor(), "3") as (app, pilot):
        await at_rest(pilot)
        table = app.screen.query_one(Ranking)
        dark = table.render_line(2)
        app.theme = "advisor-light"
        await at_rest(pilot, 0.2)
        assert table.render_line(2).text == dark.text
        assert [segment.style for segment in table.render_line(2)] != [segment.style for segment in dark]


async def test_a_place_knows_the_size_of_the_terminal_before_it_is_laid_out(monkeypatch: pytest.MonkeyPatch) -> None:
    changed: list[dict[str, bool]] = []
    async with started(PinnedAdvisor(), size=(80, 18)) as (app, pilot):
        original = Screen.update_classes

        def counted(self: Screen[object], classes: dict[str, bool], **named: bool) -> object:
            before = set(self.classes)
            result = original(self, classes, **named)
            if isinstance(self, Place) and before != set(self.classes):
                changed.append(classes)
            return result

        monkeypatch.setattr(Screen, "update_classes", counted)
        await press(pilot, "2", "4")
        assert {"-narrow", "-short"} <= set(app.screen.classes)
        assert changed == []


async def test_keys_lead_on_from_export_where_there_is_nothing_to_save_yet() -> None:
    app = AdvisorApp(PinnedAdvisor(ranked=()))
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "5")
        await press(pilot, "4")
        assert place_of(app) == "proof"
