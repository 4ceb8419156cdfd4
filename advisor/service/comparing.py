"""The names of a comparison read: models, models in a quantization, or whole families."""

from __future__ import annotations

from collections.abc import Sequence

from advisor.domain.catalogue import Catalogue
from advisor.domain.constraints import Constraints
from advisor.domain.hardware import GpuSpec, Machine
from advisor.domain.head_to_head import Entrant, HeadToHead, compare
from advisor.domain.pools import Figures
from advisor.domain.quantization import file_type_hint
from advisor.domain.speed import NO_TIMINGS, Timings
from advisor.domain.trial.evidence import Evidence
from advisor.errors import InputError, nearest

FAMILIES = ("llama", "mistral")


def read_entrant(name: str, catalogue: Catalogue) -> Entrant:
    """What `mistral`, `MODEL` or `MODEL:Q4_K_M` means. Raises InputError with the nearest name."""
    if name.casefold() in FAMILIES:
        return Entrant(family=name.casefold())
    model_id, colon, file_type = name.partition(":")
    model = catalogue.model(model_id)
    if model is None:
        hint = nearest(model_id.casefold(), [*FAMILIES, *(m.id for m in catalogue.models)])
        raise InputError(f"unknown model or family {model_id!r}", hint=hint or "List them with: llm-advisor models")
    if not colon:
        return Entrant(model.id)
    wanted = file_type.upper()
    if wanted not in catalogue.quantizations:
        hint = file_type_hint(wanted, catalogue.quantizations)
        raise InputError(f"unknown quantization {file_type!r} of {model.id}", hint=hint)
    return Entrant(model.id, wanted)


def compare_names(
    names: Sequence[str],
    machine: Machine,
    constraints: Constraints,
    catalogue: Catalogue,
    figures: Figures,
    gpus: Sequence[GpuSpec],
    timings: Timings = NO_TIMINGS,
    trial: Evidence | None = None,
) -> HeadToHead:
    """Compare what the names mean. Raises InputError for an unknown or repeated name, and for too few or too many."""
    entrants = [read_entrant(name, catalogue) for name in names]
    if len(set(entrants)) < len(entrants):
        raise InputError("a name stands twice", hint="Compare a model with another one, or in another quantization.")
    try:
        return compare(machine, constraints, catalogue, figures, gpus, entrants, timings, trial)
    except ValueError as error:
        raise InputError(str(error), hint="Name models or families; llm-advisor models lists them.") from error
