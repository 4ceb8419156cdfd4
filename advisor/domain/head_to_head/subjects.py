"""Who is compared, and how each stands: through the pipeline that also recommends, so that figures agree with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from advisor.domain.catalogue import Catalogue
from advisor.domain.constraints import Constraints
from advisor.domain.gates import PERMITTED, Reason
from advisor.domain.hardware import Machine, Reading
from advisor.domain.judging import judge_model_languages
from advisor.domain.languages import LanguageFinding
from advisor.domain.licence import Licence, LicenceFinding
from advisor.domain.model import Languages, Model
from advisor.domain.pools import Figures
from advisor.domain.quality import Rating
from advisor.domain.recommend import Candidate, Recommendation, Rejection, judge_licence, recommend
from advisor.domain.speed import NO_TIMINGS, Timings
from advisor.domain.trial.evidence import Evidence
from advisor.units import TIB

ROOMY_BYTES = 64 * TIB
"""Memory of the imaginary machine on which a model is sized that does not fit on the real one."""


@dataclass(frozen=True, slots=True)
class Entrant:
    """A model, in a quantization or in its best; or a family, which sends its best model."""

    model_id: str | None = None
    quantization: str | None = None
    family: str | None = None


@dataclass(frozen=True, slots=True)
class FamilyRecord:
    """How a family as a whole does for the use."""

    family: str
    members: tuple[Model, ...]
    """Models of the family that are recommended at all."""
    ranked: tuple[Candidate, ...]
    """Best quantization of each that passes, best first."""
    n_variants: int
    """Models times quantizations that pass."""
    rejected: tuple[Rejection, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """One side of the comparison."""

    model: Model
    family: FamilyRecord | None
    """Where the family was asked for and this is its best model, or its nearest miss."""
    candidate: Candidate | None
    """The model as recommended; None where a requirement excludes it."""
    reasons: tuple[Reason, ...]
    """Why it cannot be used."""
    nearest: str | None
    """The quantization that misses least, where the reasons are those of one."""
    placed: Candidate | None
    """The model as it would run if nothing but memory mattered; None where it has no shape."""
    fits: bool
    """Whether `placed` is on this machine; otherwise it is on one with memory enough, to tell what it needs."""
    passing: tuple[Candidate, ...]
    """Every quantization that passes, best first."""
    licence: LicenceFinding
    terms: Licence
    languages: LanguageFinding

    @property
    def usable(self) -> bool:
        return self.candidate is not None

    @property
    def rating(self) -> Rating | None:
        return None if self.placed is None else self.placed.rating

    @property
    def label(self) -> str:
        """Id with quantization, and the family it stands for."""
        name = self.model.id if self.placed is None else self.placed.id
        return name if self.family is None else f"{self.family.family}: {name}"

    @property
    def short(self) -> str:
        """What to call it in a sentence."""
        return self.model.name if self.family is None else f"{self.family.family.title()} ({self.model.name})"


@dataclass(frozen=True, slots=True)
class Scene:
    """What is the same for all subjects."""

    machine: Machine
    constraints: Constraints
    catalogue: Catalogue
    figures: Figures
    timings: Timings = NO_TIMINGS
    trial: Evidence | None = None
    """The user's own trial that quality is judged by, too."""


def enter(entrants: Sequence[Entrant], scene: Scene) -> tuple[Subject, ...]:
    """The subjects of a comparison. Raises ValueError for an entrant without a model or family of the catalogue."""
    return tuple(_family_subject(e.family, scene) if e.family else _model_subject(e, scene) for e in entrants)


def _model_subject(entrant: Entrant, scene: Scene) -> Subject:
    model = scene.catalogue.model(entrant.model_id or "")
    if model is None:
        raise ValueError(f"no model {entrant.model_id!r}")
    found = _judge(model, scene.constraints, scene, entrant.quantization)
    passing = found.candidates_of(model.id)
    rejection = next((r for r in found.rejected if r.model.id == model.id), None)
    return _subject(model, passing, rejection, scene, quantization=entrant.quantization)


def _family_subject(family: str, scene: Scene) -> Subject:
    record = _record(family, scene)
    if record.ranked:
        best = record.ranked[0]
        passing = _judge(best.model, scene.constraints, scene, None).candidates_of(best.model.id)
        return _subject(best.model, passing, None, scene, record=record)
    if not record.rejected:
        raise ValueError(f"no model of the family {family!r}")
    nearest = record.rejected[0]
    return _subject(nearest.model, (), nearest, scene, record=record)


def _record(family: str, scene: Scene) -> FamilyRecord:
    constraints = _of_families(scene.constraints, (family,))
    found = recommend(
        scene.machine, constraints, scene.catalogue, scene.figures, timings=scene.timings, trial=scene.trial
    )
    members = tuple(m for m in scene.catalogue.models if m.family == family and m.related_only is None)
    return FamilyRecord(family, members, found.ranked, len(found.quantizations), found.rejected)


def _subject(
    model: Model,
    passing: tuple[Candidate, ...],
    rejection: Rejection | None,
    scene: Scene,
    *,
    record: FamilyRecord | None = None,
    quantization: str | None = None,
) -> Subject:
    candidate = passing[0] if passing else None
    placed, fits = (candidate, True) if candidate else _placed_anyway(model, scene, quantization)
    return Subject(
        model=model,
        family=record,
        candidate=candidate,
        reasons=rejection.reasons if rejection and candidate is None else (),
        nearest=rejection.quantization if rejection and candidate is None else None,
        placed=placed,
        fits=fits,
        passing=passing,
        licence=judge_licence(model, scene.catalogue, scene.constraints),
        terms=scene.catalogue.licences[model.licence],
        languages=candidate.languages
        if candidate
        else judge_model_languages(model, scene.catalogue, scene.constraints),
    )


def _judge(model: Model, constraints: Constraints, scene: Scene, quantization: str | None) -> Recommendation:
    """The pipeline on one model; the whole catalogue stays in it, because ratings come from all results."""
    alone = _of_families(constraints, ())
    named = (model.id,)
    return recommend(
        scene.machine,
        alone,
        scene.catalogue,
        scene.figures,
        named=named,
        quantization=quantization,
        timings=scene.timings,
        trial=scene.trial,
    )


def _of_families(constraints: Constraints, families: tuple[str, ...]) -> Constraints:
    return replace(constraints, preferences=replace(constraints.preferences, families=families))


def _placed_anyway(model: Model, scene: Scene, quantization: str | None) -> tuple[Candidate | None, bool]:
    """The model where no requirement but memory is asked of it; failing that, on a machine that has the memory."""
    lifted = _lifted(scene, model)
    found = _judge(model, lifted.constraints, lifted, quantization)
    if found.pick is not None:
        return _as_catalogued(found.pick, model), True
    closest = next((r.quantization for r in found.rejected if r.model.id == model.id), None)
    roomy = _roomy(lifted)
    elsewhere = _judge(model, roomy.constraints, roomy, closest)
    return (None, False) if elsewhere.pick is None else (_as_catalogued(elsewhere.pick, model), False)


def _lifted(scene: Scene, model: Model) -> Scene:
    """The scene with every requirement lifted that is no matter of memory: of speed in the constraints, of terms,
    languages and modalities in the model. What is needed stays, because ratings may depend on it."""
    asked = scene.constraints
    context = min(asked.task.context_tokens, model.max_context_tokens or asked.task.context_tokens)
    constraints = replace(
        asked,
        task=replace(asked.task, context_tokens=context),
        latency=replace(asked.latency, ttft_ms=None, tokens_per_s=None),
    )
    open_licence = next((m.licence for m in scene.catalogue.models if _grants(m, scene)), model.licence)
    free = replace(
        model,
        licence=open_licence,
        languages=Languages((*asked.languages.required, *asked.languages.preferred), None),
        modalities=("text", "image", "audio"),
        max_context_tokens=model.max_context_tokens or context,
    )
    models = tuple(free if m.id == model.id else m for m in scene.catalogue.models)
    return replace(scene, constraints=constraints, catalogue=replace(scene.catalogue, models=models))


def _grants(model: Model, scene: Scene) -> bool:
    """Whether the model's licence grants the use even to a model with several modalities."""
    several = replace(model, modalities=("text", "image", "audio"))
    return judge_licence(several, scene.catalogue, scene.constraints).verdict in PERMITTED


def _as_catalogued(candidate: Candidate, model: Model) -> Candidate:
    return replace(candidate, model=model)


def _roomy(scene: Scene) -> Scene:
    """The scene on a machine without GPU and with all the memory in the world."""
    much: Reading[int] = Reading(ROOMY_BYTES, "imagined")
    here, limits = scene.machine, scene.constraints.machine
    memory = replace(here.memory, total_bytes=much, available_bytes=much, limit_bytes=Reading(None, "imagined"))
    return replace(
        scene,
        machine=replace(here, memory=memory, gpus=(), gpu_query=Reading(0, "imagined")),
        figures=replace(scene.figures, gpus=()),
        constraints=replace(scene.constraints, machine=replace(limits, allow_cpu=True)),
        timings=NO_TIMINGS,
    )
