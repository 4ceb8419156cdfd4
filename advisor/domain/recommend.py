"""The one pipeline: machine, constraints and catalogue in, recommendation out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from advisor.domain.candidate import Candidate, Rejection
from advisor.domain.catalogue import Catalogue
from advisor.domain.constraints import Constraints
from advisor.domain.dominance import Point, pareto_front
from advisor.domain.hardware import Machine
from advisor.domain.judging import Setting, judge_licence, judge_model, licence_use, setting_for
from advisor.domain.model import Model
from advisor.domain.pools import Figures
from advisor.domain.replicas import plan_for
from advisor.domain.scoring import CLOSE_CALL, rank_key
from advisor.domain.sensitivity import Option, Sensitivity, sensitivity
from advisor.domain.serving import Load, Plan, expected_load
from advisor.domain.speed import NO_TIMINGS, Timings
from advisor.domain.supersession import without_superseded
from advisor.values import value

if TYPE_CHECKING:
    from advisor.domain.trial.evidence import Evidence

__all__ = ["Candidate", "Recommendation", "Rejection", "judge_licence", "licence_use", "recommend"]


MOST_MACHINES = 1 << 30
"""Stands for a number without end in the order of what carries nothing of the load here."""


@value
class Recommendation:
    """The outcome, with everything that it rests on."""

    machine: Machine
    constraints: Constraints
    catalogue_version: str
    catalogue_sha256: str
    load: Load
    ranked: tuple[Candidate, ...]
    """The best quantization of each model that passes, best first."""
    quantizations: tuple[Candidate, ...]
    """Every candidate that passes, best first."""
    rejected: tuple[Rejection, ...]
    """Ordered by how little they miss."""
    plan: Plan | None
    """For the pick."""
    named: tuple[str, ...] = ()
    """Ids of models admitted because they were named."""
    only_quantization: str | None = None
    """The file type that alone was considered; None where all offered ones were."""
    timings: Timings = NO_TIMINGS
    """What was measured on the machine."""
    trial: Evidence | None = None
    """The user's own trial that quality was judged by, too."""
    sensitivity: Sensitivity | None = None
    """How firm the first place is; None where nothing passes or carries the load, and where the user chose the pick."""

    @property
    def pick(self) -> Candidate | None:
        return self.ranked[0] if self.ranked else None

    @property
    def pareto(self) -> tuple[str, ...]:
        """Ids of candidates that nothing beats in quality, speed or memory without losing in another, best first."""
        return tuple(c.id for c in self.quantizations if c.on_front)

    @property
    def near_misses(self) -> tuple[Rejection, ...]:
        """The nearest first, but those that other answers would admit before those that no answer would: of what memory
        does not hold speed is not even judged."""
        return tuple(sorted(self.rejected, key=lambda r: not r.is_liftable)[:3])

    def candidates_of(self, model_id: str) -> tuple[Candidate, ...]:
        return tuple(c for c in self.quantizations if c.model.id == model_id)


def recommend(
    machine: Machine,
    constraints: Constraints,
    catalogue: Catalogue,
    figures: Figures,
    *,
    named: tuple[str, ...] = (),
    quantization: str | None = None,
    timings: Timings = NO_TIMINGS,
    trial: Evidence | None = None,
    before_each: Callable[[], None] | None = None,
) -> Recommendation:
    """Gate and score every model in every offered quantization.

    `named` admits models that are otherwise only listed as related; `quantization` considers that file type alone;
    `timings` is what was measured on the machine; `trial` is what the user's own tasks told; `before_each` is called
    before each model and may raise to stop.
    """
    load = expected_load(constraints)
    setting = setting_for(machine, constraints, catalogue, figures, load, quantization, timings, trial)
    passing, rejected = _judged(_considered(catalogue, constraints, named), catalogue, setting, before_each)
    passing, older = without_superseded(passing, catalogue, named)
    passing = sorted(_with_front(passing), key=_rank)
    if setting.load is not None:
        from advisor.domain.capacity.finalists import with_first_simulated

        passing = with_first_simulated(passing, setting.load, _rank)
    ranked = _best_of_each_model(passing)
    return Recommendation(
        machine=machine,
        constraints=constraints,
        catalogue_version=catalogue.version,
        catalogue_sha256=catalogue.sha256,
        load=load,
        ranked=ranked,
        quantizations=tuple(passing),
        rejected=tuple(sorted([*rejected, *older], key=lambda r: r.distance)),
        plan=plan_for(ranked[0], load, constraints) if ranked else None,
        named=named,
        only_quantization=quantization,
        timings=timings,
        trial=trial,
        sensitivity=_firmness(passing, constraints),
    )


def _judged(
    models: Iterable[Model], catalogue: Catalogue, setting: Setting, before_each: Callable[[], None] | None
) -> tuple[list[Candidate], list[Rejection]]:
    """The candidates of the models that pass, and the models that do not."""
    passing: list[Candidate] = []
    rejected: list[Rejection] = []
    for model in models:
        if before_each is not None:
            before_each()
        outcome = judge_model(model, catalogue, setting)
        if isinstance(outcome, Rejection):
            rejected.append(outcome)
        else:
            passing += outcome
    return passing, rejected


def _best_of_each_model(candidates: list[Candidate]) -> tuple[Candidate, ...]:
    """The first of each model, in the order of the candidates."""
    best: dict[str, Candidate] = {}
    for candidate in candidates:
        best.setdefault(candidate.model.id, candidate)
    return tuple(best.values())


def _rank(candidate: Candidate) -> tuple[bool, float, str]:
    """Who carries the load before who does not, then by score; of these, by what they are worth their machines."""
    total = worth(candidate) if candidate.falls_short else candidate.score.total
    return candidate.falls_short, *rank_key(total, candidate.id)


def worth(candidate: Candidate) -> float:
    """The score less CLOSE_CALL for each doubling of the machines that the load takes: twice the machines must be worth
    more than a difference that decides nothing. Machines by the bound, so that who was simulated is not at a loss."""
    if candidate.carried is None:
        return candidate.score.total
    return candidate.score.total - CLOSE_CALL * math.log2(candidate.carried.least_machines or MOST_MACHINES)


def _considered(catalogue: Catalogue, constraints: Constraints, named: tuple[str, ...]) -> Iterator[Model]:
    for model in catalogue.models:
        if model.id in named or (model.related_only is None and model.family in constraints.preferences.families):
            yield model


def _with_front(passing: list[Candidate]) -> list[Candidate]:
    """The candidates, those on the Pareto front marked."""
    front = set(pareto_front([c.id for c in passing], map(_point, passing)))
    return [replace(c, on_front=True) if c.id in front else c for c in passing]


def _point(candidate: Candidate) -> Point:
    """Quality by its lower bound, speed and memory, more is better. An unknown speed can claim nothing."""
    rate = candidate.speed.decode_tokens_per_s if candidate.speed else 0.0
    return candidate.rating.low, rate, -candidate.fit.footprint.total_bytes


def _firmness(passing: list[Candidate], constraints: Constraints) -> Sensitivity | None:
    """Of those that carry the load, which no weight decides; None where none does and machines count as well."""
    level = [c for c in passing if not c.falls_short]
    return sensitivity([_option(c) for c in level], constraints.preferences.weights) if level else None


def _option(candidate: Candidate) -> Option:
    return Option(candidate.model.id, candidate.quantization.name, tuple(t.value for t in candidate.score.terms))
