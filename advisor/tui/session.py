"""What the user has told and found so far: one state that every place shows and none owns.

What the domain has to say is imported when it is asked for the first time: the first screen is painted before that.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.errors import AdvisorError, InputError
from advisor.tui.keymap import Keymap
from advisor.tui.measuring import Measuring

if TYPE_CHECKING:
    from advisor.domain.exclusions import Exclusion
    from advisor.domain.hardware import Machine
    from advisor.domain.hardware_options import Hardware
    from advisor.domain.presets import Preset
    from advisor.domain.questions import Answer, Question
    from advisor.domain.recommend import Candidate, Recommendation
    from advisor.domain.smoke_report import SmokeReport
    from advisor.domain.speed import Timings
    from advisor.domain.trial.evidence import Evidence
    from advisor.service import Advisor, MachineChoice
    from advisor.tui.messages import EngineEvent


@dataclass(frozen=True, slots=True)
class Smoke:
    """One smoke test: what it tests, how far it is, what came out."""

    candidate: Candidate
    stage: str = "start"
    share: float | None = None
    """Of the stage, 0..1; None where it is not known."""
    n_tokens: int = 0
    text: str = ""
    run: int = 0
    """Number of the model or slice that runs."""
    token_rates: tuple[float, ...] = ()
    """Tokens per second of each token of the run."""
    report: SmokeReport | None = None
    error: AdvisorError | None = None
    is_cancelled: bool = False
    started: float = field(default_factory=time.monotonic)
    """On the monotonic clock, in seconds."""

    @property
    def is_running(self) -> bool:
        return self.report is None and self.error is None and not self.is_cancelled

    def moved(self, event: EngineEvent) -> Smoke:
        """The test one event later."""
        payload = event.payload
        if event.kind == "token":
            return self._with_token(payload)
        share = payload.get("share")
        return replace(self, stage=str(payload.get("stage", "")), share=None if share is None else float(share))

    def _with_token(self, payload: Mapping[str, Any]) -> Smoke:
        text, run = self.text + str(payload.get("text", "")), int(payload.get("run", 0))
        before = self.token_rates if run == self.run else ()
        milliseconds = float(payload.get("ms", 0.0))
        rates = (*before, 1000 / milliseconds) if milliseconds > 0 else before
        return replace(
            self, stage="tokens", share=None, n_tokens=self.n_tokens + 1, text=text, run=run, token_rates=rates
        )


@dataclass(frozen=True, slots=True)
class Before:
    """The form before the program changed it at once."""

    answers: dict[str, Answer]
    drafts: dict[str, str]
    preset: str | None
    named: tuple[str, ...]
    what: str
    """The change, as in `before … was admitted`."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """Other hardware and answers in the place of what was there."""

    hardware: Hardware
    base: Machine
    """The machine as it was probed."""
    answers: dict[str, Answer]
    """What was answered before, of the questions that were tried."""
    named: tuple[str, ...]
    """Ids of models that the hardware was taken for."""


@dataclass
class Session:
    """Changed only by the app's message handlers and by the place that owns a field."""

    advisor: Advisor
    choice: MachineChoice | None
    """None for this machine."""
    working_directory: Path
    keys: Keymap = field(default_factory=Keymap)
    """The keys of the commands, as the user changed them."""
    machine: Machine | None = None
    probe_error: AdvisorError | None = None
    found: Recommendation | None = None
    """The latest recommendation; kept while a newer one is being made."""
    advice_error: AdvisorError | None = None
    """Why there is no recommendation for the present answers."""
    chosen_model: str | None = None
    """Id of the selected model; None for the first in rank."""
    smoke: Smoke | None = None
    marked: tuple[str, ...] = ()
    """Ids of models to compare, in the order in which they were marked."""
    named: tuple[str, ...] = ()
    """Ids of models that are considered because the user asked for them."""
    measuring: Measuring | None = None
    """The latest measurement by slices."""
    timings: Timings | None = None
    """What was measured on this machine so far; None before anything was."""
    evidence: Evidence | None = None
    """The user's own trial that quality is judged by; None for published results alone."""
    saved_answers: dict[str, Answer] | None = None
    """The answers of the last export."""
    drafts: dict[str, str] = field(default_factory=dict)
    """Text that was typed and is no valid answer, by key."""
    exclusions: dict[str, Exclusion] = field(default_factory=dict)
    """What each answer excludes, by key; of the answers before while new ones are being counted."""
    is_counting: bool = True
    """Whether what the answers exclude is out of date."""
    idle: frozenset[str] = frozenset()
    """Keys of questions that cannot change anything now."""
    preset: str | None = None
    """Id of the preset that filled the form last; None after the answers were put back."""
    simulation: Simulation | None = None
    """The other hardware that was taken for this machine; None where it is this machine."""
    _answers: dict[str, Answer] | None = None
    _before: list[Before] = field(default_factory=list)

    @property
    def answers(self) -> dict[str, Answer]:
        """One valid answer for each question. Raises InputError where the questionnaire cannot be read."""
        if self._answers is None:
            self._answers = self.advisor.answers()
        return self._answers

    def answer(self, question: Question, raw: object) -> InputError | None:
        """Take an answer. An invalid one is kept as a draft, the valid one before it stays in force."""
        from advisor.domain.questions import read_answer

        try:
            answer = read_answer(question, raw)
        except InputError as error:
            self.drafts[question.key] = str(raw)
            return error
        self.drafts.pop(question.key, None)
        self.answers[question.key] = answer
        return None

    def shown_text(self, question: Question) -> str:
        """The draft of a question, or else its answer as a person writes it."""
        from advisor.domain.questions import answer_text

        draft = self.drafts.get(question.key)
        return answer_text(question, self.answers[question.key]) if draft is None else draft

    def reset(self) -> None:
        """Forget all answers and drafts, until `undo`."""
        self._keep("they were put back to their defaults")
        self._answers = self.preset = None
        self.named = ()
        self.drafts.clear()

    def fill(self, preset: Preset) -> None:
        """Answer as a preset does, and everything else by default; `undo` puts back what was there."""
        self._keep(f"the preset “{preset.title}” was taken")
        self._answers = {**self.advisor.questionnaire.defaults(), **preset.answers}
        self.preset = preset.id
        self.named = ()
        self.drafts.clear()

    def relax(self, answers: Mapping[str, Answer], named: tuple[str, ...], what: str) -> None:
        """Take the answers that admit the model called `what`; `undo` puts back what was there."""
        self._keep(f"{what} was admitted")
        for key, answer in answers.items():
            if self.answers[key] != answer:
                self.drafts.pop(key, None)
        self._answers, self.named = dict(answers), named

    @property
    def last_change(self) -> Before | None:
        """What `undo` would put back: the form before the last preset, reset or admission."""
        return self._before[-1] if self._before else None

    def undo(self) -> Before | None:
        """Put back the form from before the last preset, reset or admission. None where there was none."""
        if not self._before:
            return None
        form = self._before.pop()
        self._answers, self.drafts = dict(form.answers), dict(form.drafts)
        self.preset, self.named = form.preset, form.named
        return form

    @property
    def base_machine(self) -> Machine | None:
        """The machine as it was probed, whatever is simulated."""
        return self.machine if self.simulation is None else self.simulation.base

    def simulate(
        self, hardware: Hardware, machine: Machine, answers: dict[str, Answer], named: tuple[str, ...]
    ) -> None:
        """Go on with other hardware and other answers; `leave_simulation` puts back what was there before the first."""
        base = self.base_machine
        assert base is not None
        changed = {key: answer for key, answer in self.answers.items() if answers[key] != answer}
        before = {**changed, **(self.simulation.answers if self.simulation is not None else {})}
        added = tuple(model_id for model_id in named if model_id not in self.named)
        kept = self.simulation.named if self.simulation is not None else ()
        self.simulation = Simulation(hardware, base, before, (*kept, *added))
        self.machine = machine
        self.named = (*self.named, *added)
        self.answers.update(answers)

    def leave_simulation(self) -> None:
        """Back to this machine and to the answers from before."""
        if self.simulation is not None:
            self.machine = self.simulation.base
            self.answers.update(self.simulation.answers)
            self.named = tuple(model_id for model_id in self.named if model_id not in self.simulation.named)
            self.simulation = None

    def _keep(self, what: str) -> None:
        self._before.append(Before(dict(self.answers), dict(self.drafts), self.preset, self.named, what))

    @property
    def has_own_answers(self) -> bool:
        """Whether an answer differs from its default."""
        return self._answers is not None and self._answers != self.advisor.questionnaire.defaults()

    @property
    def has_unsaved_answers(self) -> bool:
        """Whether leaving now would lose answers, or text that was typed for one."""
        return bool(self.drafts) or (self.has_own_answers and self._answers != self.saved_answers)

    @property
    def chosen(self) -> Candidate | None:
        """The selected candidate, the first in rank unless the user selected another that still passes."""
        if self.found is None:
            return None
        selected = (c for c in self.found.ranked if c.model.id == self.chosen_model)
        return next(selected, self.found.pick)

    @property
    def marked_candidates(self) -> tuple[Candidate, ...]:
        """The marked models that still pass, in the order in which they were marked."""
        passing = {c.model.id: c for c in self.found.ranked} if self.found is not None else {}
        return tuple(passing[model_id] for model_id in self.marked if model_id in passing)

    @property
    def is_simulated(self) -> bool:
        """Whether the advice is for a machine that is not here, so that nothing can be proved."""
        return self.machine is not None and self.machine.simulated

    @property
    def valid_timings(self) -> Timings:
        """What was measured, where the advice is for the machine that it was measured on."""
        from advisor.domain.speed import NO_TIMINGS

        return NO_TIMINGS if self.is_simulated or self.timings is None else self.timings

    @property
    def busy_with(self) -> str | None:
        """What the engine does now; None where it is free."""
        if self.smoke is not None and self.smoke.is_running:
            return "a smoke test"
        return "a measurement" if self.measuring is not None and self.measuring.is_running else None

    @property
    def chosen_smoke(self) -> Smoke | None:
        """The smoke test of the selected candidate as it stands in the present recommendation."""
        smoke, chosen = self.smoke, self.chosen
        if smoke is None or chosen is None:
            return None
        # A measurement changes what is predicted, not what was tested.
        tested = replace(smoke.candidate, speed=chosen.speed, score=chosen.score, on_front=chosen.on_front)
        return smoke if tested == chosen else None
