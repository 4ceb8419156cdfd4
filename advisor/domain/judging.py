"""One model against every gate: placed on the machine in each quantization, timed, judged and scored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from advisor.domain.candidate import Candidate, Rejection
from advisor.domain.catalogue import Catalogue
from advisor.domain.constraints import Constraints, Use
from advisor.domain.fit import Fit, closest_way
from advisor.domain.gates import Reason, memory_reason, model_reasons, needed_modality, speed_reasons
from advisor.domain.hardware import Machine
from advisor.domain.languages import LanguageFinding, judge_languages
from advisor.domain.licence import LicenceFinding, Verdict, evaluate
from advisor.domain.model import Model, Shape
from advisor.domain.placement import Placement, Pool, cpu_placement
from advisor.domain.pools import Figures, memory_pools, threads_for
from advisor.domain.quality import Rating, UseScale
from advisor.domain.quantization import Quantization
from advisor.domain.scoring import score
from advisor.domain.serving import Load
from advisor.domain.slots import MAX_SLOTS, parts_for_copies, threads_of_copy, ways_with_slots
from advisor.domain.speed import Speed, SpeedConstants, Timings, estimate_speed, placement_kind
from advisor.domain.vision import projector_bytes, with_projector
from advisor.domain.weights import Weights, weights
from advisor.units import format_bytes
from advisor.values import value

if TYPE_CHECKING:
    from advisor.domain.capacity.here import LoadHere
    from advisor.domain.capacity.replica import Replica
    from advisor.domain.carried_load import CarriedLoad
    from advisor.domain.trial.evidence import Evidence


@value
class Setting:
    """What is the same for every candidate."""

    constraints: Constraints
    pools: tuple[Pool, ...]
    base: Placement
    """Of one request at a time, on the processor."""
    slots: int
    """Requests at once to place a model for, where memory and the asked speed allow."""
    load: LoadHere | None
    """The load that several users share; None where there is one request at a time."""
    quantizations: tuple[Quantization, ...]
    scale: UseScale
    speed: SpeedConstants
    timings: Timings
    tried: Mapping[str, Rating] | None = None
    """Ratings by the user's trial, by candidate id; None where there was no trial."""

    def rating(self, model: Model, quantization: Quantization) -> Rating:
        """By the trial where the candidate, or another quantization of it, was in it; else by published results."""
        published = self.scale.rating(model, quantization)
        if not self.tried:
            return published
        from advisor.domain.trial.evidence import from_sibling, untried

        own = self.tried.get(f"{model.id}:{quantization.name}")
        if own is not None:
            return own
        siblings = [(key.partition(":")[2], r) for key, r in self.tried.items() if key.partition(":")[0] == model.id]
        if not siblings:
            return untried(published, self.scale.typical)
        name, nearest = min(siblings, key=lambda pair: (abs(pair[1].loss - published.loss), pair[0]))
        return from_sibling(published, nearest, name, self.scale.typical)


def setting_for(
    machine: Machine,
    constraints: Constraints,
    catalogue: Catalogue,
    figures: Figures,
    load: Load,
    quantization: str | None,
    timings: Timings,
    trial: Evidence | None = None,
) -> Setting:
    """What every model is judged by; `quantization` is the file type that alone is considered."""
    scale = catalogue.quality.for_use(constraints.task.kind, constraints.languages)
    pools = memory_pools(machine, constraints.machine, figures)
    offered = [
        q for q in catalogue.quantizations.values() if (q.offered if quantization is None else q.name == quantization)
    ]
    return Setting(
        constraints=constraints,
        pools=pools,
        base=cpu_placement(constraints.task.context_tokens, threads=threads_for(machine), n_gpus=len(pools) - 1),
        slots=min(load.slots, MAX_SLOTS),
        load=_shared_load(constraints, catalogue) if load.is_shared else None,
        quantizations=tuple(offered),
        scale=scale,
        speed=catalogue.speed,
        timings=timings,
        tried=None if trial is None else _tried(trial, catalogue, scale),
    )


def _tried(trial: Evidence, catalogue: Catalogue, scale: UseScale) -> dict[str, Rating]:
    """Ratings by a trial; candidates that the catalogue does not know are passed over."""
    from advisor.domain.trial.evidence import with_trial

    published = {}
    for one in trial.tried:
        model, quantization = catalogue.model(one.model), catalogue.quantizations.get(one.quantization)
        if model is not None and quantization is not None:
            published[one.id] = scale.rating(model, quantization)
    return with_trial(published, trial, scale.typical) if published else {}


def _shared_load(constraints: Constraints, catalogue: Catalogue) -> LoadHere:
    # Loaded for several users alone: a recommendation for one must come at once.
    from advisor.domain.capacity.here import load_here

    return load_here(constraints, catalogue.speed)


def licence_use(constraints: Constraints) -> Use:
    """The use as a licence sees it: a vision task means that images go in."""
    modality = needed_modality(constraints)
    return replace(constraints.use, modality="image" if modality == "image" else constraints.use.modality)


def judge_licence(model: Model, catalogue: Catalogue, constraints: Constraints) -> LicenceFinding:
    """The verdict for one model and the described use."""
    licence = catalogue.licences[model.licence]
    is_multimodal = len(model.modalities) > 1
    finding = evaluate(licence, licence_use(constraints), model_is_multimodal=is_multimodal)
    heard = model.provenance.get("licence")
    if finding.verdict is Verdict.UNKNOWN and heard is not None and heard.note:
        return replace(finding, reasons=(*finding.reasons, f"What was read: {heard.note} ({heard.source})."))
    return finding


def judge_model_languages(model: Model, catalogue: Catalogue, constraints: Constraints) -> LanguageFinding:
    """Which of the languages asked for the card claims, for what goes in."""
    modality = needed_modality(constraints)
    return judge_languages(model.languages, constraints.languages, modality=modality, names=catalogue.languages)


def judge_model(model: Model, catalogue: Catalogue, setting: Setting) -> list[Candidate] | Rejection:
    """The candidates that pass, or why none does, by the quantization that misses least."""
    licence = judge_licence(model, catalogue, setting.constraints)
    languages = judge_model_languages(model, catalogue, setting.constraints)
    reasons = model_reasons(model, setting.constraints, licence, languages)
    if reasons or model.shape is None:
        return Rejection(model, None, reasons, licence)
    passing: list[Candidate] = []
    misses: list[Rejection] = []
    too_large: list[Quantization] = []
    for quantization in setting.quantizations:
        outcome = _place(model, model.shape, quantization, setting, licence, languages)
        if isinstance(outcome, Candidate):
            passing.append(outcome)
        elif outcome:
            misses.append(Rejection(model, quantization.name, outcome, licence))
        else:
            too_large.append(quantization)
    if passing:
        return passing
    if too_large:
        misses.append(_too_large(model, model.shape, too_large, setting, licence, languages))
    # What some answer would admit is nearer than what none would.
    return min(misses, key=lambda miss: (not miss.is_liftable, miss.distance, miss.quantization or ""))


def _too_large(
    model: Model,
    shape: Shape,
    quantizations: list[Quantization],
    setting: Setting,
    licence: LicenceFinding,
    languages: LanguageFinding,
) -> Rejection:
    """What the smallest of them lacks: it misses least, and a search for each of them would only tell the same."""
    held, quantization = min(((weights(shape, q.name), q) for q in quantizations), key=lambda pair: pair[0].total_bytes)
    pools, allow_cpu = _pools(model, setting), setting.constraints.machine.allow_cpu
    closest = closest_way(shape, held, setting.base, pools, allow_cpu=allow_cpu)

    def passes(context_tokens: int) -> bool:
        shorter = replace(setting, base=replace(setting.base, context_tokens=context_tokens))
        return isinstance(_place(model, shape, quantization, shorter, licence, languages), Candidate)

    return Rejection(model, quantization.name, (memory_reason(closest, setting.constraints, passes),), licence)


def _pools(model: Model, setting: Setting) -> tuple[Pool, ...]:
    """The memories, less what a projector takes that lies beside the model where images go in."""
    needs_projector = needed_modality(setting.constraints) == "image"
    return with_projector(setting.pools, model) if needs_projector else setting.pools


def _place(
    model: Model,
    shape: Shape,
    quantization: Quantization,
    setting: Setting,
    licence: LicenceFinding,
    languages: LanguageFinding,
) -> Candidate | tuple[Reason, ...]:
    """The candidate, or what speaks against it; nothing where no placement fits."""
    constraints = setting.constraints
    placed = _placed(model, shape, quantization, weights(shape, quantization.name), setting)
    if placed is None:
        return ()
    fit, speed, carried = placed
    reasons = speed_reasons(speed, constraints)
    if reasons:
        return reasons
    rating = setting.rating(model, quantization)
    return Candidate(
        model=model,
        quantization=quantization,
        fit=fit,
        speed=speed,
        licence=licence,
        languages=languages,
        rating=rating,
        score=score(model, fit, speed, rating, licence, languages, constraints.preferences.weights),
        warnings=_warnings(model, fit, speed, constraints),
        carried=carried,
    )


def _placed(
    model: Model, shape: Shape, quantization: Quantization, held: Weights, setting: Setting
) -> tuple[Fit, Speed | None, CarriedLoad | None] | None:
    """Where it runs fastest, and what it carries of a load that users share, on as few of several like GPUs as hold it;
    None where no placement fits."""
    pools, allow_cpu = _pools(model, setting), setting.constraints.machine.allow_cpu
    parts = ((pools, 1),) if setting.load is None else parts_for_copies(pools)
    for part, copies in parts:
        own = setting if copies == 1 else _of_copy(setting, copies)
        found = _with_slots(
            model, shape, quantization, held, part, own, setting.slots, allow_cpu=allow_cpu and copies == 1
        )
        if found is not None:
            fit, speed, replica = found
            carried = None if replica is None or setting.load is None else setting.load.bounded(replica, copies)
            return fit, speed, carried
    return None


def _of_copy(setting: Setting, copies: int) -> Setting:
    return replace(setting, base=replace(setting.base, threads=threads_of_copy(setting.base.threads, copies)))


def _with_slots(
    model: Model,
    shape: Shape,
    quantization: Quantization,
    held: Weights,
    pools: tuple[Pool, ...],
    setting: Setting,
    slots: int,
    *,
    allow_cpu: bool,
) -> tuple[Fit, Speed | None, Replica | None] | None:
    """The fastest way to run with as many of the slots as memory allows and as keep the asked speed of each request."""
    ways = ways_with_slots(shape, held, setting.base, slots, pools, allow_cpu=allow_cpu)
    if not ways:
        return None
    fit, speed = _fastest(model, quantization, held, ways, setting)
    if setting.load is None:
        return fit, speed, None
    replica = setting.load.replica(shape, quantization.name, held, fit)
    if replica is not None and replica.limits.slots < fit.placement.parallel:
        # Memory for slots that would make every request slower than asked is better left free.
        fewer = replica.limits.slots
        return _with_slots(model, shape, quantization, held, pools, setting, fewer, allow_cpu=allow_cpu)
    return fit, speed, replica


def _fastest(
    model: Model, quantization: Quantization, held: Weights, ways: tuple[Fit, ...], setting: Setting
) -> tuple[Fit, Speed | None]:
    timed = [(way, _speed(model, quantization, held, way, setting)) for way in ways]
    return max(timed, key=lambda pair: pair[1].decode_tokens_per_s if pair[1] else 0.0)


def _speed(model: Model, quantization: Quantization, held: Weights, way: Fit, setting: Setting) -> Speed | None:
    scale = setting.constraints.scale
    estimated = estimate_speed(
        model, held, way, setting.speed, depth_tokens=scale.mean_depth_tokens, prompt_tokens=scale.prompt_tokens
    )
    kind = placement_kind(way.placement, model.shape.n_layers if model.shape else 0)
    return setting.timings.best(f"{model.id}:{quantization.name}", way.placement, kind, estimated)


def _warnings(model: Model, fit: Fit, speed: Speed | None, constraints: Constraints) -> tuple[str, ...]:
    found = list(fit.notes)
    if needed_modality(constraints) == "image" and projector_bytes(model) is None:
        found.append("what its image encoder takes of memory is unknown and not counted")
    missing = fit.missing_now()
    if missing:
        found.append(f"{format_bytes(missing)} must be freed before it can be loaded now")
    if speed is not None:
        found += speed.assumed
    if model.status in ("retired", "superseded"):
        successor = f"; its successor is {model.superseded_by}" if model.superseded_by else ""
        found.append(f"{model.status} by its vendor{successor}")
    return tuple(found)
