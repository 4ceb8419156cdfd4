"""What the user has told and found so far: one state that every place shows and none owns."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.domain.choice import with_choice
from advisor.domain.hardware import Machine
from advisor.domain.questions import Answer, Question, answer_text, read_answer
from advisor.domain.recommend import Candidate, Recommendation
from advisor.errors import AdvisorError, InputError

if TYPE_CHECKING:
    from advisor.domain.smoke_report import SmokeReport
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
            text = self.text + str(payload.get("text", ""))
            return replace(self, stage="tokens", share=None, n_tokens=self.n_tokens + 1, text=text)
        share = payload.get("share")
        return replace(self, stage=str(payload.get("stage", "")), share=None if share is None else float(share))


@dataclass(frozen=True, slots=True)
class Undo:
    """The answers and named models before a change."""

    answers: Mapping[str, Answer]
    named: tuple[str, ...]
    what: str
    """Name of the model that the change admitted."""


@dataclass
class Session:
    """Changed only by the app's message handlers and by the place that owns a field."""

    advisor: Advisor
    choice: MachineChoice
    working_directory: Path
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
    undo: list[Undo] = field(default_factory=list)
    """What stood before each change that the program made to the answers, the latest last."""
    saved_answers: dict[str, Answer] | None = None
    """The answers of the last export."""
    drafts: dict[str, str] = field(default_factory=dict)
    """Text that was typed and is no valid answer, by key."""
    _answers: dict[str, Answer] | None = None

    @property
    def answers(self) -> dict[str, Answer]:
        """One valid answer for each question. Raises InputError where the questionnaire cannot be read."""
        if self._answers is None:
            self._answers = self.advisor.answers()
        return self._answers

    def answer(self, question: Question, raw: object) -> InputError | None:
        """Take an answer. An invalid one is kept as a draft, the valid one before it stays in force."""
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
        draft = self.drafts.get(question.key)
        return answer_text(question, self.answers[question.key]) if draft is None else draft

    def reset(self) -> None:
        """Forget all answers and drafts."""
        self._answers = None
        self.named = ()
        self.undo.clear()
        self.drafts.clear()

    def relax(self, answers: Mapping[str, Answer], named: tuple[str, ...], what: str) -> None:
        """Take the answers that admit a model, so that they can be taken back."""
        self.undo.append(Undo(dict(self.answers), self.named, what))
        self._take(answers, named)

    def unrelax(self) -> Undo | None:
        """Take back the last change that admitted a model; None where there was none."""
        if not self.undo:
            return None
        before = self.undo.pop()
        self._take(before.answers, before.named)
        return before

    def _take(self, answers: Mapping[str, Answer], named: tuple[str, ...]) -> None:
        for key, answer in answers.items():
            if self.answers[key] != answer:
                self.drafts.pop(key, None)
        self._answers, self.named = dict(answers), named

    @property
    def has_own_answers(self) -> bool:
        """Whether an answer differs from its default."""
        return self._answers is not None and self._answers != self.advisor.questionnaire.defaults()

    @property
    def has_unsaved_answers(self) -> bool:
        """Whether leaving now would lose answers."""
        return self.has_own_answers and self._answers != self.saved_answers

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
    def chosen_recommendation(self) -> Recommendation | None:
        """The recommendation with the selected candidate as its pick; None where nothing passes."""
        chosen = self.chosen
        return None if self.found is None or chosen is None else with_choice(self.found, chosen)

    @property
    def chosen_smoke(self) -> Smoke | None:
        """The smoke test of the selected candidate as it stands in the present recommendation."""
        smoke, chosen = self.smoke, self.chosen
        return smoke if smoke is not None and chosen is not None and smoke.candidate == chosen else None
