"""The form reacts: what each answer excludes, what cannot matter, presets, and work that nobody waits for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from typing import Any

import pytest
from textual.widgets import Input, OptionList, Static
from textual.worker import WorkerState

from advisor.domain.catalogue import Catalogue
from advisor.domain.constraints import Constraints
from advisor.domain.hardware import Machine
from advisor.domain.recommend import Recommendation
from advisor.tui.app import AdvisorApp
from advisor.tui.screens.preset_list import PresetList
from advisor.tui.widgets.form_line import FormLine
from advisor.tui.widgets.question_row import QuestionRow, QuestionTitle
from tests.tui.driving import Drive, place_of, press, started, text_of, until
from tests.tui.pinned import HereAdvisor, PinnedAdvisor
from tests.tui.test_needs import row_of, type_into


def mark_of(app: AdvisorApp, key: str) -> str:
    return row_of(app, key).query_one(QuestionTitle).marks[0]


async def counted(app: AdvisorApp, pilot: Drive) -> None:
    """Everything about the latest answers is there."""
    await until(pilot, lambda: not app.session.is_counting, 30)


def is_folded(app: AdvisorApp, key: str) -> bool:
    return not row_of(app, key).display


async def test_each_answer_says_what_it_excludes_by_the_real_catalogue() -> None:
    async with started(HereAdvisor(), "2") as (app, pilot):
        await counted(app, pilot)
        await type_into(app, pilot, "languages.required", "en, fr")
        await until(pilot, lambda: app.session.found is not None
                    and app.session.found.constraints.languages.required == ("en", "fr"))  # fmt: skip
        await counted(app, pilot)
        found = app.session.exclusions["languages.required"]
        assert mark_of(app, "languages.required") == f"excludes {len(found.alone)}"
        assert mark_of(app, "languages.required") in text_of(app)
        told = str(app.screen.query_one("#question-help", Static).content)
        assert told.startswith(f"Without this answer alone {len(found.alone)} more models would pass.")


async def test_questions_that_cannot_matter_fold_away_and_a_line_unfolds_them() -> None:
    async with started(HereAdvisor(), "2") as (app, pilot):
        await counted(app, pilot)
        assert is_folded(app, "machine.reserve_vram")
        assert not is_folded(app, "use.mau_at_release")
        line = app.screen.query_one("#fold-line", FormLine)
        assert "1 question cannot change anything now" in str(line.content)
        line.focus()
        await press(pilot, "enter")
        assert not is_folded(app, "machine.reserve_vram")
        assert mark_of(app, "machine.reserve_vram") == "no effect now"
        await press(pilot, "f")
        assert is_folded(app, "machine.reserve_vram")


async def test_what_is_asked_about_llama_folds_away_with_llama_and_comes_back_with_it() -> None:
    async with started(HereAdvisor(), "2") as (app, pilot):
        await counted(app, pilot)
        row_of(app, "preferences.families").editor.focus()
        await press(pilot, "right", "space")
        await until(pilot, lambda: is_folded(app, "use.mau_at_release") and is_folded(app, "use.eu_based"))
        await press(pilot, "space")
        await until(pilot, lambda: not is_folded(app, "use.mau_at_release"))


async def test_the_question_being_answered_never_folds_under_the_cursor() -> None:
    async with started(HereAdvisor(), "2") as (app, pilot):
        await counted(app, pilot)
        await press(pilot, "f")
        row_of(app, "machine.reserve_vram").editor.focus()
        await press(pilot, "end")
        app.screen.shows_idle = False  # type: ignore[attr-defined]
        app.screen._fold()  # type: ignore[attr-defined]
        assert not is_folded(app, "machine.reserve_vram")
        row_of(app, "use.commercial").editor.focus()
        await pilot.pause()
        assert is_folded(app, "machine.reserve_vram")


async def test_a_question_with_an_invalid_text_never_folds() -> None:
    async with started(HereAdvisor(), "2") as (app, pilot):
        await counted(app, pilot)
        await press(pilot, "f")
        await type_into(app, pilot, "machine.reserve_vram", "lots")
        await press(pilot, "escape", "f")
        row_of(app, "use.commercial").editor.focus()
        await pilot.pause()
        assert not is_folded(app, "machine.reserve_vram")


async def test_arrows_pass_over_folded_questions() -> None:
    async with started(HereAdvisor(), "2") as (app, pilot):
        await counted(app, pilot)
        row_of(app, "machine.reserve_ram").editor.focus()
        await press(pilot, "down")
        assert row_of(app, "machine.allow_cpu").has_focus_within


async def test_a_preset_fills_the_form_and_undo_puts_everything_back() -> None:
    async with started(PinnedAdvisor(), "2", "space") as (app, pilot):
        await type_into(app, pilot, "scale.users", "many")
        await press(pilot, "escape")
        before = dict(app.session.answers)
        await press(pilot, "p")
        assert isinstance(app.screen, PresetList)
        await press(pilot, "escape")
        assert (app.session.answers, app.session.drafts) == (before, {"scale.users": "many"})
        await press(pilot, "p", "down", "enter")
        await until(pilot, lambda: row_of(app, "task.context_tokens").query_one(Input).value == "16384")
        preset = app.session.advisor.presets[1]
        assert app.session.answers == {**app.session.advisor.questionnaire.defaults(), **preset.answers}
        assert "Preset: Coding assistant" in text_of(app)
        assert not app.session.drafts
        await press(pilot, "u")
        await until(pilot, lambda: row_of(app, "scale.users").query_one(Input).value == "many")
        assert (app.session.answers, app.session.drafts) == (before, {"scale.users": "many"})
        assert "Start from a preset" in text_of(app)


async def test_a_preset_is_chosen_by_mouse_and_undone_by_key() -> None:
    async with started(PinnedAdvisor(), "2") as (app, pilot):
        await pilot.click("#preset-line")
        await until(pilot, lambda: isinstance(app.screen, PresetList))
        await pilot.click(OptionList, offset=(4, 1))
        await until(pilot, lambda: app.session.preset == "private-chat" and place_of(app) == "needs")
        await press(pilot, "u", "d", "u")
        await until(pilot, lambda: not app.session.has_own_answers and not app.session._before)
        await press(pilot, "u")
        await until(pilot, lambda: "nothing to take back" in "".join(n.message for n in app._notifications))


async def test_a_change_after_a_preset_is_said_and_keeps_the_preset() -> None:
    async with started(PinnedAdvisor(), "2", "p", "enter") as (app, pilot):
        await until(pilot, lambda: app.session.preset == "private-chat")
        await type_into(app, pilot, "scale.users", "7")
        await until(pilot, lambda: "Private chat on a laptop, changed since" in text_of(app))
        assert app.session.answers["use.purpose"] == "personal"


class SlowAdvisor(HereAdvisor):
    """Ten thousand models, and a gate that holds the pipeline where a test wants it."""

    def __init__(self, n: int = 10_000) -> None:
        super().__init__()
        self.n = n
        self.held = threading.Event()
        self.stopped: list[int] = []
        self.seen = 0

    @cached_property
    def catalogue(self) -> Catalogue:
        shipped = super().catalogue
        copies: Iterable[int] = range(self.n // len(shipped.models) + 1)
        models = tuple(replace(m, id=f"{m.id}-{i}", name=f"{m.name} {i}") for i in copies for m in shipped.models)
        return replace(shipped, models=models[: self.n])

    def recommend(self, machine: Machine, constraints: Constraints, **given: Any) -> Recommendation:
        check = given.pop("before_each", None)
        seen = 0

        def each() -> None:
            nonlocal seen
            seen += 1
            self.seen += 1
            if check is not None:
                try:
                    check()
                except Exception:
                    self.stopped.append(seen)
                    raise

        return super().recommend(machine, constraints, before_each=each, **given)


async def test_typing_goes_on_while_ten_thousand_models_are_weighed_and_stale_work_stops(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # After every key the pilot waits, for up to a second, until the process rests, which this one never does.
    for module in ("app", "pilot"):
        monkeypatch.setattr(f"textual.{module}.wait_for_idle", lambda *_: asyncio.sleep(0.05))
    advisor = SlowAdvisor()
    app = AdvisorApp(advisor)
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: advisor.seen > 0, 30)
        await press(pilot, "2")
        await until(pilot, lambda: bool(app.screen.query(QuestionRow)), 30)
        row_of(app, "languages.required").query_one(Input).focus()
        await pilot.press(*", fr")
        await pilot.pause(0.3)
        await pilot.press(*", de")
        await until(pilot, lambda: app.session.answers["languages.required"] == ("en", "fr", "de"), 30)
        assert row_of(app, "languages.required").query_one(Input).value == "en, fr, de"
        assert app.session.found is None
        await until(pilot, lambda: len(advisor.stopped) >= 1, 30)
        assert max(advisor.stopped) < advisor.n
        await press(pilot, "escape", "1")
        await until(pilot, lambda: place_of(app) == "machine", 30)
        running = [w for w in app.workers if w.group == "advise" and w.state == WorkerState.RUNNING]
        assert len(running) <= 1


async def test_the_form_is_readable_at_every_size_and_survives_resizing() -> None:
    async with started(HereAdvisor(), "2", size=(40, 12)) as (app, pilot):
        await counted(app, pilot)
        for size in ((40, 12), (250, 80), (80, 24), (120, 36), (40, 12)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert "Commercial use" in text_of(app)
            assert all(len(line) <= size[0] for line in text_of(app).splitlines())


async def test_wide_and_right_to_left_words_and_markup_are_shown_as_they_are() -> None:
    class Foreign(PinnedAdvisor):
        @property
        def presets(self) -> Any:
            first, *others = super().presets
            return (replace(first, title="[b]日本語[/b]", sentence="مرحبا [link=x]שלום"), *others)

    async with started(Foreign(), "2", "p", size=(80, 24)) as (app, pilot):
        assert "[b]日本語[/b]" in text_of(app)
        assert "[link=x]" in text_of(app)
        await press(pilot, "enter")
        await until(pilot, lambda: "Preset: [b]日本語[/b]" in text_of(app))
