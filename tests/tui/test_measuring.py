"""Measuring by slices on screen: progress, live ranking, cancel, and what goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from textual.widgets import Button

from advisor.domain.basis import Basis
from advisor.domain.recommend import Candidate, Recommendation
from advisor.domain.speed import Calibration, Timings
from advisor.errors import EngineError
from tests.tui.driving import place_of, press, started, text_of, until
from tests.tui.pinned import MACHINE, RANKED, PinnedAdvisor

Outcome = tuple[Recommendation, tuple[str, ...]]


@dataclass
class Event:
    kind: str
    payload: dict[str, Any] = field(default_factory=dict)


def timed(candidate: Candidate, rate: float) -> Candidate:
    assert candidate.speed is not None
    speed = replace(candidate.speed, decode_tokens_per_s=rate, low=rate, high=rate, basis=Basis.MEASURED)
    return replace(candidate, speed=speed)


class MeasuringAdvisor(PinnedAdvisor):
    """Measures as the test says, and goes on when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.release = threading.Event()
        self.cancelled = threading.Event()
        self.ended = threading.Event()
        self.asked: list[str | None] = []
        self.seen: list[Timings] = []
        self.problems: tuple[str, ...] = ()

    def recommend(self, *given: Any, **options: Any) -> Recommendation:
        timings = options.get("timings", Timings())
        self.seen.append(timings)
        return replace(super().recommend(*given), timings=timings)

    def measure_finalists(self, found: Recommendation, **channels: Any) -> Outcome:
        self.asked.append(channels["only"])
        try:
            return self._measure(found, channels["on_event"], channels["on_ranking"], channels["cancel"])
        finally:
            self.ended.set()

    def _measure(
        self,
        found: Recommendation,
        tell: Callable[[Any], None],
        ranked: Callable[[Recommendation], None],
        cancel: threading.Event,
    ) -> Outcome:
        tell(Event("subject", {"id": RANKED[0].id, "name": "Small [b]8B[/b]"}))
        tell(Event("progress", {"stage": "write", "share": 0.5}))
        for rounds, width in enumerate((1.0, 0.124, 0.061, 0.035), start=1):
            tell(Event("progress", {"stage": "decode", "share": 0.2 * rounds, "rounds": rounds, "half_width": width}))
        slower = timed(RANKED[0], 3.0)
        timings = Timings(
            {(RANKED[0].id, RANKED[0].fit.placement): slower.speed} if slower.speed else {},
            {"cpu": Calibration(2.0, 2.0)},
        )
        turned = (RANKED[1], slower, RANKED[2])
        again = replace(found, ranked=turned, quantizations=turned, timings=timings)
        ranked(again)
        while not self.release.wait(0.01):
            if cancel.is_set():
                self.cancelled.set()
                raise EngineError("the measurement was stopped")
        return again, self.problems


async def test_m_from_the_picks_measures_the_best_and_the_ranking_changes_under_the_eyes() -> None:
    advisor = MeasuringAdvisor()
    async with started(advisor, "3", "m") as (app, pilot):
        try:
            await until(pilot, lambda: app.session.found is not None and app.session.found.ranked[0] == RANKED[1])
            assert place_of(app) == "picks"
            assert advisor.asked == [None]
            assert "measuring" in text_of(app)
            assert "±4%" in text_of(app)
            assert "Small [b]8B[/b]" in text_of(app)
            ranks = [line for line in text_of(app).splitlines() if "8B Instruct" in line]
            assert "Llama 8B" in ranks[0]
        finally:
            advisor.release.set()
        await until(pilot, lambda: app.session.busy_with is None)
        await press(pilot, "down")
        assert "speed measured" in text_of(app)


async def test_m_on_proof_measures_the_selected_model_with_stage_bar_and_narrowing_interval() -> None:
    advisor = MeasuringAdvisor()
    async with started(advisor, "4", "m") as (app, pilot):
        try:
            await until(pilot, lambda: "after 4 rounds" in text_of(app))
            shown = text_of(app)
            assert advisor.asked == [RANKED[0].id]
            assert "Small [b]8B[/b]: timing tokens" in shown
            assert "±12.4% → ±6.1% → ±3.5% after 4 rounds" in shown
            assert "├" in shown
            assert "█" in shown
            assert app.screen.query_one("#measure", Button).disabled
        finally:
            advisor.release.set()
        await until(pilot, lambda: "Measured on this machine" in text_of(app))
        shown = " ".join(text_of(app).split())
        assert "3.0 tok/s (3.0 to 3.0), measured; before 7.6 tok/s estimated, -61%" in shown
        assert "whole answer of" in shown


@pytest.mark.parametrize(("place", "key"), [("4", "c"), ("4", "escape"), ("3", "m")])
async def test_a_measurement_is_cancelled_at_once(place: str, key: str) -> None:
    advisor = MeasuringAdvisor()
    async with started(advisor, place, "m") as (app, pilot):
        await until(pilot, lambda: app.session.found is not None and app.session.found.ranked[0] == RANKED[1])
        await press(pilot, key)
        assert app.session.busy_with is None
        assert advisor.cancelled.wait(5)
        assert advisor.ended.wait(5)
        await pilot.pause(0.1)
        measuring = app.session.measuring
        assert measuring is not None
        assert measuring.is_cancelled
        assert measuring.error is None


async def test_quitting_stops_a_measurement() -> None:
    advisor = MeasuringAdvisor()
    async with started(advisor, "3", "m") as (app, pilot):
        await until(pilot, lambda: app.session.busy_with is not None and advisor.asked != [])
        await press(pilot, "q")
        await until(pilot, lambda: not app.is_running)
    assert advisor.cancelled.wait(5)


async def test_the_engine_does_one_thing_at_a_time() -> None:
    advisor = MeasuringAdvisor()
    async with started(advisor, "4", "m") as (app, pilot):
        await until(pilot, lambda: app.session.busy_with is not None)
        await press(pilot, "t")
        assert app.session.smoke is None
        assert "Already running: a measurement" in " ".join(text_of(app).split())
        advisor.release.set()
        await until(pilot, lambda: app.session.busy_with is None)
        await press(pilot, "t")
        await until(pilot, lambda: "✓ passed" in text_of(app))


async def test_new_answers_are_advised_on_with_what_was_measured() -> None:
    advisor = MeasuringAdvisor()
    async with started(advisor, "3", "m") as (app, pilot):
        advisor.release.set()
        await until(pilot, lambda: app.session.measuring is not None and app.session.measuring.is_done)
        advisor.seen.clear()
        await press(pilot, "2", "space")
        await until(pilot, lambda: advisor.seen != [])
        assert advisor.seen[-1].calibrations == {"cpu": Calibration(2.0, 2.0)}


async def test_what_cannot_be_measured_is_said_with_the_reason() -> None:
    advisor = MeasuringAdvisor()
    advisor.problems = ("tiny:Q4_K_M: the machine is too noisy: ±20% after 10 s",)
    async with started(advisor, "4", "m") as (app, pilot):
        advisor.release.set()
        await until(pilot, lambda: "Not measured; the estimate stands" in text_of(app))
        assert "! tiny:Q4_K_M: the machine is too noisy: ±20% after 10 s" in text_of(app)


async def test_on_a_simulated_machine_m_says_why_nothing_is_measured() -> None:
    advisor = MeasuringAdvisor()
    advisor.pinned_machine = replace(MACHINE, simulated=True)
    async with started(advisor, "3", "m") as (app, _):
        assert "simulated, so nothing can be measured" in " ".join(text_of(app).split())
        assert app.session.measuring is None
