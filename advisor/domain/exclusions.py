"""Which answer excludes how many models: each answer is taken back alone and the pipeline asked again.

To take an answer back is to give the question the answer that asks least of a model. What passes then and failed a
requirement before is excluded by that answer alone. A model that fails on something else as well is counted apart,
for every answer that one of its reasons names. Which question has to do with which reason is the data in this file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from advisor.domain.answers import constraints_from
from advisor.domain.candidate import Rejection
from advisor.domain.catalogue import Catalogue
from advisor.domain.constraints import Constraints, Use
from advisor.domain.gates import PERMITTED, PLACEMENT_CODES
from advisor.domain.judging import licence_use
from advisor.domain.licence.judgement import judge
from advisor.domain.licence.relevance import answers_of_field
from advisor.domain.model import Model
from advisor.domain.questions import Answer
from advisor.domain.recommend import Recommendation

Answers = Mapping[str, Answer]
Again = Callable[[Constraints], Recommendation]
"""The pipeline on the same machine with other constraints."""

NAMES: Mapping[str, tuple[str, ...]] = {
    "languages": ("languages.required",),
    "modality": ("use.modality", "task.kind"),
    "context": ("task.context_tokens",),
    "decode_speed": ("latency.tokens_per_s",),
    "ttft": ("latency.ttft_ms",),
    "speed_unknown": ("latency.tokens_per_s", "latency.ttft_ms"),
}
"""The questions that a reason names, by its code (`advisor.domain.gates`). A `licence` reason names the fields of the
use that its terms read; `memory` names none, as any of several may be the one to blame; nobody's answer is at fault
for `engine` and `superseded`."""

_OF_INPUT = frozenset({"modality", "languages", "licence"})
"""A card can support other languages with images, and a licence can exclude multimodal use."""

MENDS: Mapping[str, frozenset[str]] = {
    "use.modality": _OF_INPUT,
    "task.kind": _OF_INPUT,
    "task.context_tokens": PLACEMENT_CODES | {"context"},
    "languages.required": frozenset({"languages"}),
    "scale.users": PLACEMENT_CODES,
    "scale.concurrent_requests": PLACEMENT_CODES,
    "latency.ttft_ms": PLACEMENT_CODES,
    "latency.tokens_per_s": PLACEMENT_CODES,
    "machine.reserve_ram": PLACEMENT_CODES,
    "machine.reserve_vram": PLACEMENT_CODES,
    "machine.allow_cpu": PLACEMENT_CODES,
}
"""The codes that taking an answer back can mend. A rejection shows the quantization that misses least, so one for
memory may hide another that fits and is too slow: these codes stand and fall together."""

_FAMILIES = "preferences.families"
_SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Exclusion:
    """What one answer excludes."""

    key: str
    alone: frozenset[str]
    """Ids of models that would pass without it."""
    with_others: frozenset[str]
    """Ids of models that fail on it and on something else."""


def exclusion_document(found: Exclusion) -> dict[str, Any]:
    """What one answer excludes as plain values."""
    return {"key": found.key, "alone": sorted(found.alone), "with_others": sorted(found.with_others)}


def exclusions(found: Recommendation, answers: Answers, catalogue: Catalogue, again: Again) -> Iterator[Exclusion]:
    """The answers that exclude something, in the order of the questions. Each takes up to a few runs of the pipeline,
    made when it is asked for, so whoever does not want the rest can stop."""
    before = {c.model.id for c in found.ranked}
    set_aside = {r.model.id for r in found.rejected if _SUPERSEDED in _codes(r)}
    blamed = _blamed(found, catalogue)
    for key in answers:
        alone: set[str] = set()
        for other in _taken_back(key, found, answers, catalogue):
            after = again(constraints_from({**answers, key: other}))
            alone |= {c.model.id for c in after.ranked} - before - set_aside
        others = blamed.get(key, set()) - alone
        if alone or others:
            yield Exclusion(key, frozenset(alone), frozenset(others))


def least_answer(key: str, answers: Answers, families: tuple[str, ...]) -> Answer:
    """The answer of a question that asks least of a model; for other questions the answer as it is."""
    if key == "task.context_tokens":
        return _number(answers["scale.prompt_tokens"]) + _number(answers["scale.answer_tokens"])
    if key == "task.kind":
        return "chat" if answers[key] == "vision" else answers[key]
    if key == _FAMILIES:
        return families
    return _LEAST.get(key, answers[key])


_LEAST: Mapping[str, Answer] = {
    "use.modality": "text",
    "languages.required": (),
    "scale.users": 1,
    "scale.concurrent_requests": None,
    "latency.ttft_ms": None,
    "latency.tokens_per_s": None,
    "machine.reserve_ram": 0,
    "machine.reserve_vram": 0,
    "machine.allow_cpu": True,
}


def _number(answer: Answer) -> int:
    return answer if isinstance(answer, int) else 0


def _codes(rejection: Rejection) -> set[str]:
    return {reason.code for reason in rejection.reasons}


def _taken_back(key: str, found: Recommendation, answers: Answers, catalogue: Catalogue) -> Iterator[Answer]:
    """Answers to try in the place of one; none where no rejection could be mended by that."""
    families = tuple(sorted({model.family for model in catalogue.models}))
    if key == _FAMILIES:
        if set(found.constraints.preferences.families) != set(families):
            yield families
        return
    field = _field_of_use(key)
    if key in MENDS:
        least = least_answer(key, answers, families)
        if least != answers[key] and any(_codes(r) <= MENDS[key] for r in found.rejected):
            yield least
    elif field is not None:
        yield from _permitting(field, found, catalogue)


def key_of_field(name: str) -> str:
    """The question behind a field of `Use`; fine-tuning is asked as part of the task."""
    return "task.fine_tune" if name == "fine_tune" else f"use.{name}"


def _field_of_use(key: str) -> str | None:
    section, _, name = key.partition(".")
    return name if section == "use" or key == "task.fine_tune" else None


def _permitting(field: str, found: Recommendation, catalogue: Catalogue) -> Iterator[Any]:
    """Answers about the use under which a model may be used that fails on its licence alone; one of each kind."""
    use = licence_use(found.constraints)
    failing = [r.model for r in found.rejected if _codes(r) == {"licence"}]
    seen: set[frozenset[str]] = {frozenset()}
    for value in answers_of_field(field, catalogue.licences.values()):
        other = replace(use, **{field: value})
        permitted = frozenset(m.id for m in failing if _verdict_permits(m, catalogue, other))
        if permitted not in seen:
            seen.add(permitted)
            yield value


def _verdict_permits(model: Model, catalogue: Catalogue, use: Use) -> bool:
    return judge(catalogue.licences[model.licence], use, len(model.modalities) > 1).verdict in PERMITTED


def _blamed(found: Recommendation, catalogue: Catalogue) -> dict[str, set[str]]:
    """Ids of models by the questions that their reasons name."""
    blamed: dict[str, set[str]] = {}
    for rejection in found.rejected:
        for code in _codes(rejection):
            keys = _licence_keys(rejection.model, found, catalogue) if code == "licence" else NAMES.get(code, ())
            for key in keys:
                blamed.setdefault(key, set()).add(rejection.model.id)
    image = found.constraints.task.kind == "vision"
    # Only one of the two asked for images.
    blamed.pop("use.modality" if image else "task.kind", None)
    return blamed


def _licence_keys(model: Model, found: Recommendation, catalogue: Catalogue) -> set[str]:
    """The questions that the smallest repair of a use changes, term by term."""
    use = licence_use(found.constraints)
    terms = judge(catalogue.licences[model.licence], use, len(model.modalities) > 1).withheld_by
    fixed = [fixes[0].use for fixes in (term.fixes(use) for term in terms) if fixes]
    asked = [field.name for field in fields(Use)]
    names = {name for other in fixed for name in asked if getattr(other, name) != getattr(use, name)}
    return {key_of_field(name) for name in names}
