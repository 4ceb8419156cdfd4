"""Slow work in threads. A thread never touches a widget or the session: it posts one message."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.errors import AdvisorError
from advisor.tui.background import in_background
from advisor.tui.messages import (
    Advised,
    Compared,
    Counted,
    EvidenceRead,
    MeasuringEnded,
    MeasuringMoved,
    Probed,
    ProbeFailed,
    RankedAgain,
    Relaxed,
    SmokeEnded,
    SmokeMoved,
)

if TYPE_CHECKING:
    from advisor.domain.constraints import Constraints
    from advisor.domain.hardware import Machine
    from advisor.domain.questions import Answer
    from advisor.domain.recommend import Candidate, Recommendation
    from advisor.domain.speed import Timings
    from advisor.domain.trial.evidence import Evidence
    from advisor.domain.trial.outcome import Trial
    from advisor.service import Advisor, MachineChoice
    from advisor.tui.preloading import PreloadingApp

ENGINE_GROUP = "engine"
"""Of the workers that wait for llama.cpp: there is one at a time."""


class _StaleError(Exception):
    """Another request came, so the answer to this one would be dropped."""


class BackgroundJobs:
    """Starts the work. Each start makes the answers to the one before stale."""

    def __init__(self, app: PreloadingApp, advisor: Advisor) -> None:
        self._app = app
        self._advisor = advisor
        self._cancel = threading.Event()
        self.advice_ticket = 0
        """Of the latest request for advice."""
        self.comparison_ticket = 0
        """Of the latest comparison."""
        self.engine_ticket = 0
        """Of the latest smoke test or measurement."""

    def _start(self, work: Callable[[], None], group: str) -> None:
        in_background(self._app, work, group)

    def probe(self, choice: MachineChoice | None) -> None:
        """Look at the machine; posts Probed or ProbeFailed."""
        self._start(partial(self._probe, choice), "probe")

    def _probe(self, choice: MachineChoice | None) -> None:
        try:
            machine = self._advisor.machine() if choice is None else self._advisor.machine(choice)
        except AdvisorError as error:
            self._app.post_message(ProbeFailed(error))
        else:
            self._app.post_message(Probed(machine))

    def advise(
        self,
        machine: Machine,
        constraints: Constraints,
        answers: Mapping[str, Answer],
        named: tuple[str, ...],
        timings: Timings,
        evidence: Evidence | None = None,
    ) -> None:
        """Make a recommendation, then count what each answer excludes; posts Advised and Counted."""
        self.advice_ticket += 1
        asked = named, timings, evidence
        self._start(partial(self._advise, self.advice_ticket, machine, constraints, dict(answers), *asked), "advise")

    def _advise(
        self,
        ticket: int,
        machine: Machine,
        constraints: Constraints,
        answers: Mapping[str, Answer],
        named: tuple[str, ...],
        timings: Timings,
        evidence: Evidence | None,
    ) -> None:
        check, scale = partial(self._stop_if_stale, ticket), constraints.scale
        timings = timings.at(scale.prompt_tokens, scale.mean_depth_tokens)
        try:
            found = self._advisor.recommend(
                machine, constraints, named=named, timings=timings, trial=evidence, before_each=check
            )
            self._app.post_message(Advised(ticket, found))
            idle = self._advisor.idle_questions(machine, constraints)
            self._app.post_message(Counted(ticket, idle, None))
            counted = tuple(self._advisor.exclusions(found, answers, before_each=check))
            self._app.post_message(Counted(ticket, idle, counted))
        except _StaleError:
            return
        except AdvisorError as error:
            self._app.post_message(Advised(ticket, error))

    def _stop_if_stale(self, ticket: int) -> None:
        """A thread cannot be ended from outside, so it looks itself whether anybody still waits for it."""
        self._app.stand_back()
        if ticket != self.advice_ticket:
            raise _StaleError

    def stop_advice(self) -> None:
        """Nobody waits for advice any more."""
        self.advice_ticket += 1

    def examine(self, found: Recommendation) -> None:
        """Find what would change the pick; posts Advised with the same recommendation, examined."""
        self._start(partial(self._examine, self.advice_ticket, found), "examine")

    def _examine(self, ticket: int, found: Recommendation) -> None:
        try:
            examined = self._advisor.with_constraint_changes(found, before_each=partial(self._stop_if_stale, ticket))
        except _StaleError:
            return
        except AdvisorError as error:
            self._app.post_message(Advised(ticket, error))
        else:
            self._app.post_message(Advised(ticket, examined))

    def relax(self, model_id: str, found: Recommendation, answers: Mapping[str, Answer]) -> None:
        """Find the answers that admit an excluded model; posts Relaxed."""
        self._start(partial(self._relax, self.advice_ticket, model_id, found, answers), "relax")

    def _relax(self, ticket: int, model_id: str, found: Recommendation, answers: Mapping[str, Answer]) -> None:
        try:
            done = self._advisor.relax(model_id, found, answers)
        except AdvisorError as error:
            self._app.post_message(Relaxed(ticket, error))
        else:
            self._app.post_message(Relaxed(ticket, done))

    def compare(self, names: Sequence[str], found: Recommendation) -> None:
        """Put models side by side as they were ranked; posts Compared."""
        self.comparison_ticket += 1
        self._start(partial(self._compare, self.comparison_ticket, names, found), "compare")

    def _compare(self, ticket: int, names: Sequence[str], found: Recommendation) -> None:
        try:
            compared = self._advisor.compare(names, found.machine, found.constraints, found.timings, found.trial)
        except AdvisorError as error:
            self._app.post_message(Compared(ticket, error))
        else:
            self._app.post_message(Compared(ticket, compared))

    def read_evidence(self, source: Trial | Path) -> None:
        """Read what a trial, or the file of its result, says; posts EvidenceRead."""
        self._start(partial(self._read_evidence, source), "evidence")

    def _read_evidence(self, source: Trial | Path) -> None:
        advisor = self._advisor
        try:
            outcome = advisor.trial_evidence(source) if isinstance(source, Path) else advisor.evidence_of(source)
        except AdvisorError as error:
            self._app.post_message(EvidenceRead(error))
        else:
            self._app.post_message(EvidenceRead(outcome))

    def smoke(self, candidate: Candidate, constraints: Constraints) -> None:
        """Start a smoke test; posts SmokeMoved and SmokeEnded."""
        ticket, cancel = self._next_engine_run()
        self._start(partial(self._smoke, ticket, candidate, constraints, cancel), ENGINE_GROUP)

    def _next_engine_run(self) -> tuple[int, threading.Event]:
        """The engine does one thing at a time: what still runs is ended."""
        self._cancel.set()
        self._cancel = threading.Event()
        self.engine_ticket += 1
        return self.engine_ticket, self._cancel

    def _smoke(self, ticket: int, candidate: Candidate, constraints: Constraints, cancel: threading.Event) -> None:
        def tell(event: Any) -> None:
            self._app.post_message(SmokeMoved(ticket, event))

        try:
            report = self._advisor.smoke(candidate, constraints, on_event=tell, cancel=cancel)
        except AdvisorError as error:
            self._app.post_message(SmokeEnded(ticket, error))
        else:
            self._app.post_message(SmokeEnded(ticket, report))

    def measure(self, found: Recommendation, only: str | None) -> None:
        """Measure the best candidates, or one; posts MeasuringMoved, RankedAgain and MeasuringEnded."""
        ticket, cancel = self._next_engine_run()
        self._start(partial(self._measure, ticket, found, only, cancel), ENGINE_GROUP)

    def _measure(self, ticket: int, found: Recommendation, only: str | None, cancel: threading.Event) -> None:
        def tell(event: Any) -> None:
            self._app.post_message(MeasuringMoved(ticket, event))

        def ranked(ranking: Recommendation) -> None:
            self._app.post_message(RankedAgain(ticket, ranking))

        try:
            outcome = self._advisor.measure_finalists(
                found, on_event=tell, on_ranking=ranked, cancel=cancel, only=only, before_each=self._app.stand_back
            )
        except AdvisorError as error:
            self._app.post_message(MeasuringEnded(ticket, error))
        else:
            self._app.post_message(MeasuringEnded(ticket, outcome))

    def stop_engine(self) -> None:
        """End the engine child; what the thread still posts is stale."""
        self._cancel.set()
        self.engine_ticket += 1
