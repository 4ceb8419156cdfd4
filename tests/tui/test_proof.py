"""The smoke test on screen: progress, verdict, cancel, and an engine that dies."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from textual.widgets import Button

from advisor.domain.smoke import judge
from advisor.domain.smoke_report import SmokeReport
from advisor.errors import EngineError
from tests.tui.driving import place_of, press, started, text_of, until
from tests.tui.pinned import MACHINE, RANKED, REPORT, PinnedAdvisor


@dataclass
class Event:
    kind: str
    payload: dict[str, Any] = field(default_factory=dict)


class Rehearsal:
    """A smoke test that goes on when the test says so."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.cancelled = threading.Event()
        self.ended = threading.Event()

    def __call__(self, tell: Callable[[Any], None], cancel: threading.Event) -> SmokeReport:
        try:
            tell(Event("progress", {"stage": "load", "share": 0.5}))
            tell(Event("token", {"n": 1, "ms": 10.0, "text": "[red]Hello"}))
            while not self.release.wait(0.01):
                if cancel.is_set():
                    self.cancelled.set()
                    raise EngineError("the smoke test was cancelled")
            return REPORT
        finally:
            self.ended.set()


async def test_t_runs_the_selected_model_and_shows_prediction_measurement_and_checks() -> None:
    async with started(PinnedAdvisor(), "3", "t") as (app, pilot):
        assert place_of(app) == "proof"
        await until(pilot, lambda: "✓ passed" in text_of(app))
        shown = " ".join(text_of(app).split())
        for check in REPORT.verdict.checks:
            assert check.text in shown
        assert "predicted measured difference decode 7.6 tok/s 7.4 tok/s -3%" in shown
        assert "extrapolated from slices of up to 6 layers" in shown
        assert "synthetic weights in the model's true shape - not a quality check" in shown


async def test_progress_and_text_are_shown_while_it_runs_and_text_is_no_markup() -> None:
    advisor, rehearsal = PinnedAdvisor(), Rehearsal()
    advisor.run_smoke = rehearsal
    async with started(advisor, "4", "t") as (app, pilot):
        try:
            await until(pilot, lambda: "[red]Hello" in text_of(app))
            assert "timing tokens, 1 so far" in text_of(app)
            assert app.screen.query_one("#start", Button).disabled
            await press(pilot, "3", "down", "4")
            assert "[red]Hello" in text_of(app)
        finally:
            rehearsal.release.set()
        await until(pilot, lambda: app.session.smoke is not None and app.session.smoke.report is not None)
        assert "The last smoke test was of another choice" in " ".join(text_of(app).split())
        await press(pilot, "3", "up", "4")
        assert "✓ passed" in text_of(app)


async def test_cancelling_is_immediate_and_what_comes_later_is_dropped() -> None:
    advisor = PinnedAdvisor()
    async with started(advisor, "4") as (app, pilot):
        for key in ("c", "escape"):
            rehearsal = Rehearsal()
            advisor.run_smoke = rehearsal
            await press(pilot, "t")
            await until(pilot, lambda: "[red]Hello" in text_of(app))
            await press(pilot, key)
            assert "cancelled" in text_of(app)
            assert rehearsal.cancelled.wait(5)
            assert rehearsal.ended.wait(5)
            await pilot.pause(0.1)
            smoke = app.session.smoke
            assert smoke is not None
            assert smoke.is_cancelled
            assert smoke.error is None
            assert place_of(app) == "proof"
            assert not app.screen.query_one("#start", Button).disabled


async def test_the_app_outlives_the_engine_and_shows_its_last_words() -> None:
    def die(tell: Callable[[Any], None], cancel: threading.Event) -> SmokeReport:
        raise EngineError(
            "the engine was killed by signal 9", why="last line: [ggml] out of memory", hint="Free some memory."
        )

    advisor = PinnedAdvisor()
    advisor.run_smoke = die
    async with started(advisor, "3", "t") as (app, pilot):
        await until(pilot, lambda: "The smoke test did not finish" in text_of(app))
        assert "killed by signal 9: last line: [ggml] out of memory. Free some memory." in " ".join(
            text_of(app).split()
        )
        advisor.run_smoke = rehearsal = Rehearsal()
        await press(pilot, "t")
        try:
            await until(pilot, lambda: "[red]Hello" in text_of(app))
            assert "did not finish" not in text_of(app)
        finally:
            rehearsal.release.set()
        await until(pilot, lambda: "✓ passed" in text_of(app))


async def test_a_measurement_with_an_error_is_a_failed_test() -> None:
    measured = replace(REPORT.measurement, error="llama.cpp refused the file")
    failed = replace(REPORT, measurement=measured, verdict=judge(measured, expected=_nothing()))
    advisor = PinnedAdvisor()
    advisor.run_smoke = lambda tell, cancel: failed
    async with started(advisor, "3", "t") as (app, pilot):
        await until(pilot, lambda: "✗ failed" in text_of(app))
        assert "did not run: llama.cpp refused the file" in text_of(app)


def _nothing() -> Any:
    from advisor.domain.smoke import SmokeExpectation

    return SmokeExpectation()


async def test_quitting_stops_a_running_test() -> None:
    advisor, rehearsal = PinnedAdvisor(), Rehearsal()
    advisor.run_smoke = rehearsal
    async with started(advisor, "4", "t") as (app, pilot):
        await until(pilot, lambda: "[red]Hello" in text_of(app))
        await press(pilot, "q")
        await until(pilot, lambda: not app.is_running)
    assert rehearsal.cancelled.wait(5)


async def test_new_answers_make_an_old_proof_stale() -> None:
    advisor = PinnedAdvisor()
    async with started(advisor, "3", "t") as (app, pilot):
        await until(pilot, lambda: "✓ passed" in text_of(app))
        advisor.ranked = (replace(RANKED[0], warnings=()), *RANKED[1:])
        await press(pilot, "r")
        await until(pilot, lambda: "✓ passed" not in text_of(app))
        assert app.session.chosen_smoke is None


async def test_nothing_is_proved_on_a_simulated_machine() -> None:
    advisor = PinnedAdvisor(machine=replace(MACHINE, simulated=True))
    async with started(advisor, "3", "t") as (app, _):
        assert "The machine is simulated" in text_of(app)
        assert app.session.smoke is None
        assert app.screen.query_one("#start", Button).disabled


async def test_without_a_pick_there_is_nothing_to_prove() -> None:
    async with started(PinnedAdvisor(ranked=()), "3", "t") as (app, _):
        assert "Nothing to prove yet" in text_of(app)
        assert app.session.smoke is None
