"""Admitting an excluded model by the smallest change of the answers, tried on the whole pipeline.

The reasons of a rejection name what to change; after that change another requirement may bite, so it goes on until the
model passes or a reason remains that no answer lifts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from advisor.domain.answers import constraints_from
from advisor.domain.candidate import Rejection
from advisor.domain.change import NAMED, Setting
from advisor.domain.constraints import Constraints
from advisor.domain.gates import Reason
from advisor.domain.model import Model
from advisor.domain.questions import Answer, Questionnaire, answer_text
from advisor.domain.recommend import Recommendation
from advisor.errors import InputError
from advisor.units import counted

Again = Callable[[Constraints, tuple[str, ...]], Recommendation]
"""The pipeline on the same machine with other constraints and other models named."""

MOST_ROUNDS = 6
"""A model has to pass five requirements and a context may have to shrink twice."""


_NOT_CONSIDERED = Reason("considered", "it is of no family asked for, or only related", None, 1.0, NAMED)
"""Of a model that is neither ranked nor excluded."""


@dataclass(frozen=True, slots=True)
class Relaxation:
    """What was changed to admit a model, and what came of it."""

    model: Model
    before: Recommendation
    found: Recommendation
    """With the changed answers; that of before where nothing could be changed."""
    answers: Mapping[str, Answer]
    """All answers after the change."""
    settings: tuple[Setting, ...]
    """The answers that differ from before."""
    names_model: bool
    """Whether the model had to be named."""
    obstacles: tuple[Reason, ...]
    """What no answer lifts; empty where the model passes now."""

    @property
    def is_admitted(self) -> bool:
        return not self.obstacles

    @property
    def rank(self) -> int | None:
        """Of the model now; None where it does not pass."""
        return next((i for i, c in enumerate(self.found.ranked, start=1) if c.model.id == self.model.id), None)


def relax(model: Model, before: Recommendation, answers: Mapping[str, Answer], again: Again) -> Relaxation:
    """Change answers until the model passes, or say what stands in the way and change nothing."""
    found, changed, named = before, dict(answers), before.named
    obstacles: tuple[Reason, ...] = ()
    for _ in range(MOST_ROUNDS):
        if any(c.model.id == model.id for c in found.ranked):
            settings = tuple(Setting(key, value) for key, value in changed.items() if value != answers.get(key))
            return Relaxation(model, before, found, changed, settings, named != before.named, ())
        rejection = rejection_of(model.id, found)
        obstacles = (_NOT_CONSIDERED,) if rejection is None else rejection.reasons
        if rejection is not None and not rejection.is_liftable:
            obstacles = tuple(reason for reason in obstacles if reason.change is None)
            break
        for change in [reason.change for reason in obstacles if reason.change is not None]:
            changed.update((s.key, s.value) for s in change.settings)
            named = (*named, model.id) if change.names_model else named
        try:
            found = again(constraints_from(changed), named)
        except InputError as error:
            # The answers that the requirements ask for contradict one another.
            obstacles = (Reason("answers", str(error), None, 1.0),)
            break
    return Relaxation(model, before, before, answers, (), False, obstacles)


def rejection_of(model_id: str, found: Recommendation) -> Rejection | None:
    """Why a model is excluded; None where it is not."""
    return next((r for r in found.rejected if r.model.id == model_id), None)


def relaxation_lines(done: Relaxation, questionnaire: Questionnaire, answers: Mapping[str, Answer]) -> tuple[str, ...]:
    """What was changed, from which answer to which, and what came of it."""
    name = done.model.name
    if not done.is_admitted:
        reasons = "; ".join(reason.text for reason in done.obstacles)
        return (f"No answer admits {name}: {reasons}", "Nothing was changed.")
    lines = [f"{s.key}: {_words(questionnaire, s.key, answers)} → {_said(questionnaire, s)}" for s in done.settings]
    if done.names_model:
        lines.append(f"{name} is considered because you named it")
    return (*lines, _outcome(done), *_caution(done))


def _outcome(done: Relaxation) -> str:
    gained = len(done.found.ranked) - len(done.before.ranked)
    others = f", with {counted(gained - 1, 'other model')}" if gained > 1 else ""
    pick, former = done.found.pick, done.before.pick
    lead = ""
    if pick is not None and former is not None and pick.model.id != former.model.id and pick.model.id != done.model.id:
        lead = f"; first is now {pick.model.name}"
    return f"{done.model.name} passes now, at rank {done.rank} of {len(done.found.ranked)}{others}{lead}"


def _caution(done: Relaxation) -> tuple[str, ...]:
    if any(s.key.startswith("use.") for s in done.settings):
        return ("That changes what you said of your use: it holds only if it is true.",)
    return ()


def _words(questionnaire: Questionnaire, key: str, answers: Mapping[str, Answer]) -> str:
    return answer_text(questionnaire[key], answers[key]) or "no requirement"


def _said(questionnaire: Questionnaire, changed: Setting) -> str:
    return answer_text(questionnaire[changed.key], changed.value) or "no requirement"


def setting_text(questionnaire: Questionnaire, changed: Setting) -> str:
    """As `--set` takes it: `latency.tokens_per_s=3.2`."""
    value = changed.value
    if isinstance(value, bool):
        return f"{changed.key}={str(value).lower()}"
    if isinstance(value, tuple):
        words = ", ".join(f'"{word}"' for word in value)
        return f"{changed.key}=[{words}]"
    return f"{changed.key}={answer_text(questionnaire[changed.key], value) or 'none'}"
