"""The one pipeline: machine, constraints and catalogue in, recommendation out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from advisor.domain.catalogue import Catalogue
from advisor.domain.constraints import Constraints, Use
from advisor.domain.fit import Fit, closest_way, ways_to_run
from advisor.domain.gates import Reason, memory_reason, model_reasons, needed_modality, speed_reasons
from advisor.domain.hardware import Machine
from advisor.domain.languages import LanguageFinding, judge_languages
from advisor.domain.licence import LicenceFinding, evaluate
from advisor.domain.model import Model, Shape
from advisor.domain.placement import Placement, Pool, cpu_placement
from advisor.domain.pools import Figures, memory_pools, threads_for
from advisor.domain.quality import Rating, UseScale
from advisor.domain.quantization import Quantization
from advisor.domain.scoring import Score, score
from advisor.domain.serving import Load, Plan, expected_load, plan
from advisor.domain.speed import NO_TIMINGS, Speed, SpeedConstants, Timings, estimate_speed, placement_kind
from advisor.domain.vision import with_projector
from advisor.domain.weights import Weights, weights

MAX_SLOTS_PER_REPLICA = 16
"""More parallel slots than this are shared out over replicas: llama.cpp's server gains little beyond."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model in a quantization, placed on the machine, that passes every gate."""

    model: Model
    quantization: Quantization
    fit: Fit
    speed: Speed | None
    licence: LicenceFinding
    languages: LanguageFinding
    rating: Rating
    score: Score
    warnings: tuple[str, ...]

    @property
    def id(self) -> str:
        return f"{self.model.id}:{self.quantization.name}"


@dataclass(frozen=True, slots=True)
class Rejection:
    """A model that does not pass, in its closest quantization where that matters."""

    model: Model
    quantization: str | None
    """None where the reasons hold for every quantization."""
    reasons: tuple[Reason, ...]
    licence: LicenceFinding

    @property
    def distance(self) -> tuple[float, str]:
        """For ordering near misses: how much is wrong, then the id."""
        return sum(1 + reason.miss for reason in self.reasons), self.model.id


@dataclass(frozen=True, slots=True)
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

    @property
    def pick(self) -> Candidate | None:
        return self.ranked[0] if self.ranked else None

    @property
    def near_misses(self) -> tuple[Rejection, ...]:
        return self.rejected[:3]

    def candidates_of(self, model_id: str) -> tuple[Candidate, ...]:
        return tuple(c for c in self.quantizations if c.model.id == model_id)


@dataclass(frozen=True, slots=True)
class _Setting:
    """What is the same for every candidate."""

    constraints: Constraints
    pools: tuple[Pool, ...]
    base: Placement
    quantizations: tuple[Quantization, ...]
    scale: UseScale
    speed: SpeedConstants
    timings: Timings


def recommend(
    machine: Machine,
    constraints: Constraints,
    catalogue: Catalogue,
    figures: Figures,
    *,
    named: tuple[str, ...] = (),
    quantization: str | None = None,
    timings: Timings = NO_TIMINGS,
) -> Recommendation:
    """Gate and score every model in every offered quantization.

    `named` admits models that are otherwise only listed as related; `quantization` considers that file type alone;
    `timings` is what was measured on the machine.
    """
    load = expected_load(constraints)
    setting = _setting(machine, constraints, catalogue, figures, load, quantization, timings)
    passing: list[Candidate] = []
    rejected: list[Rejection] = []
    for model in _considered(catalogue, constraints, named):
        outcome = _judge(model, catalogue, setting)
        if isinstance(outcome, Rejection):
            rejected.append(outcome)
        else:
            passing += outcome
    passing, older = _without_superseded(passing, catalogue, named)
    rejected += older
    passing.sort(key=lambda c: (-round(c.score.total, 9), c.id))
    best: dict[str, Candidate] = {}
    for candidate in passing:
        best.setdefault(candidate.model.id, candidate)
    ranked = tuple(best.values())
    return Recommendation(
        machine=machine,
        constraints=constraints,
        catalogue_version=catalogue.version,
        catalogue_sha256=catalogue.sha256,
        load=load,
        ranked=ranked,
        quantizations=tuple(passing),
        rejected=tuple(sorted(rejected, key=lambda r: r.distance)),
        plan=_plan(ranked[0], load, constraints) if ranked else None,
        named=named,
        only_quantization=quantization,
    )


def _without_superseded(
    passing: list[Candidate], catalogue: Catalogue, named: tuple[str, ...]
) -> tuple[list[Candidate], list[Rejection]]:
    """Set aside each model whose successor of equal size passes too: it costs the same and is newer."""
    models = {c.model.id: c for c in passing}
    heirs = {c.model.id: _passing_heir(c.model, catalogue, models) for c in models.values()}
    kept = [c for c in passing if heirs[c.model.id] is None or c.model.id in named]
    older = []
    for model_id, heir in heirs.items():
        if heir is not None and model_id not in named:
            text = f"superseded: {heir.id} is newer, has the same size and passes too"
            reason = Reason("superseded", text, f"name it: --model {model_id}", 1.0)
            older.append(Rejection(models[model_id].model, None, (reason,), models[model_id].licence))
    return kept, older


def _passing_heir(model: Model, catalogue: Catalogue, passing: Mapping[str, Candidate]) -> Model | None:
    """The first successor, or successor's successor, that passes and has as many parameters."""
    seen = {model.id}
    heir = catalogue.model(model.superseded_by or "")
    while heir is not None and heir.id not in seen:
        if heir.id in passing and heir.text_params == model.text_params:
            return heir
        seen.add(heir.id)
        heir = catalogue.model(heir.superseded_by or "")
    return None


def _setting(
    machine: Machine,
    constraints: Constraints,
    catalogue: Catalogue,
    figures: Figures,
    load: Load,
    quantization: str | None,
    timings: Timings,
) -> _Setting:
    slots = min(load.slots, MAX_SLOTS_PER_REPLICA)
    pools = memory_pools(machine, constraints.machine, figures)
    offered = [
        q for q in catalogue.quantizations.values() if (q.offered if quantization is None else q.name == quantization)
    ]
    return _Setting(
        constraints=constraints,
        pools=pools,
        base=cpu_placement(
            constraints.task.context_tokens * slots,
            parallel=slots,
            threads=threads_for(machine),
            n_gpus=len(pools) - 1,
        ),
        quantizations=tuple(offered),
        scale=catalogue.quality.for_use(constraints.task.kind, constraints.languages),
        speed=catalogue.speed,
        timings=timings,
    )


def _considered(catalogue: Catalogue, constraints: Constraints, named: tuple[str, ...]) -> Iterator[Model]:
    for model in catalogue.models:
        if model.id in named or (model.related_only is None and model.family in constraints.preferences.families):
            yield model


def licence_use(constraints: Constraints) -> Use:
    """The use as a licence sees it: a vision task means that images go in."""
    modality = needed_modality(constraints)
    return replace(constraints.use, modality="image" if modality == "image" else constraints.use.modality)


def judge_licence(model: Model, catalogue: Catalogue, constraints: Constraints) -> LicenceFinding:
    """The verdict for one model and the described use."""
    licence = catalogue.licences[model.licence]
    is_multimodal = len(model.modalities) > 1
    return evaluate(licence, licence_use(constraints), model_is_multimodal=is_multimodal)


def _judge(model: Model, catalogue: Catalogue, setting: _Setting) -> list[Candidate] | Rejection:
    licence = judge_licence(model, catalogue, setting.constraints)
    languages = judge_languages(model.languages, setting.constraints.languages)
    reasons = model_reasons(model, setting.constraints, licence, languages)
    if reasons or model.shape is None:
        return Rejection(model, None, reasons, licence)
    passing: list[Candidate] = []
    misses: list[Rejection] = []
    for quantization in setting.quantizations:
        outcome = _place(model, model.shape, quantization, setting, licence, languages)
        if isinstance(outcome, Candidate):
            passing.append(outcome)
        else:
            misses.append(Rejection(model, quantization.name, outcome, licence))
    return passing or min(misses, key=lambda miss: (miss.distance, miss.quantization or ""))


def _place(
    model: Model,
    shape: Shape,
    quantization: Quantization,
    setting: _Setting,
    licence: LicenceFinding,
    languages: LanguageFinding,
) -> Candidate | tuple[Reason, ...]:
    constraints = setting.constraints
    held = weights(shape, quantization.name)
    allow_cpu = constraints.machine.allow_cpu
    # The projector lies beside the model where images go in.
    pools = with_projector(setting.pools, model) if needed_modality(constraints) == "image" else setting.pools
    ways = ways_to_run(shape, held, setting.base, pools, allow_cpu=allow_cpu)
    if not ways:
        closest = closest_way(shape, held, setting.base, pools, allow_cpu=allow_cpu)
        return (memory_reason(closest, constraints),)
    fit, speed = _fastest(model, quantization, held, ways, setting)
    reasons = speed_reasons(speed, constraints)
    if reasons:
        return reasons
    rating = setting.scale.rating(model, quantization)
    return Candidate(
        model=model,
        quantization=quantization,
        fit=fit,
        speed=speed,
        licence=licence,
        languages=languages,
        rating=rating,
        score=score(model, fit, speed, rating, licence, languages, constraints.preferences.weights),
        warnings=_warnings(model, fit, speed),
    )


def _fastest(
    model: Model, quantization: Quantization, held: Weights, ways: tuple[Fit, ...], setting: _Setting
) -> tuple[Fit, Speed | None]:
    timed = [(way, _speed(model, quantization, held, way, setting)) for way in ways]
    return max(timed, key=lambda pair: pair[1].decode_tokens_per_s if pair[1] else 0.0)


def _speed(model: Model, quantization: Quantization, held: Weights, way: Fit, setting: _Setting) -> Speed | None:
    scale = setting.constraints.scale
    estimated = estimate_speed(
        model, held, way, setting.speed, depth_tokens=scale.mean_depth_tokens, prompt_tokens=scale.prompt_tokens
    )
    kind = placement_kind(way.placement, model.shape.n_layers if model.shape else 0)
    return setting.timings.best(f"{model.id}:{quantization.name}", way.placement, kind, estimated)


def _warnings(model: Model, fit: Fit, speed: Speed | None) -> tuple[str, ...]:
    found = list(fit.notes)
    missing = fit.missing_now()
    if missing:
        found.append(f"{missing / 2**30:.1f} GiB must be freed before it can be loaded now")
    if speed is not None:
        found += speed.assumed
    if model.status in ("retired", "superseded"):
        successor = f"; its successor is {model.superseded_by}" if model.superseded_by else ""
        found.append(f"{model.status} by its vendor{successor}")
    return tuple(found)


def _plan(pick: Candidate, load: Load, constraints: Constraints) -> Plan | None:
    if pick.speed is None:
        return None
    return plan(load, pick.speed, pick.fit.placement.parallel, answer_tokens=constraints.scale.answer_tokens)
