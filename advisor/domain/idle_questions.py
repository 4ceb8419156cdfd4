"""Questions whose answer cannot change anything now: neither a verdict or duty, nor a fit, a speed or a rank.

Questions about the use are found by trying their answers against the licences; for the others the rules stand here.
Each is about one question alone: an idle one can matter again as soon as another answer changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from advisor.domain.catalogue import Catalogue
from advisor.domain.constraints import Constraints, Use
from advisor.domain.exclusions import key_of_field
from advisor.domain.hardware import Machine
from advisor.domain.judging import licence_use
from advisor.domain.licence import relevant_questions
from advisor.domain.pools import engine_uses_gpus
from advisor.domain.serving import expected_load


def idle_questions(constraints: Constraints, catalogue: Catalogue, machine: Machine) -> frozenset[str]:
    """Keys of the questions that cannot change anything now."""
    return frozenset((*_idle_about_use(constraints, catalogue), *_idle_about_the_rest(constraints, machine)))


def _idle_about_use(constraints: Constraints, catalogue: Catalogue) -> Iterator[str]:
    families = constraints.preferences.families
    models = [m for m in catalogue.models if m.family in families]
    pairs = [(catalogue.licences[m.licence], len(m.modalities) > 1) for m in models]
    relevant = relevant_questions(pairs, licence_use(constraints))
    for name in [field.name for field in fields(Use)]:
        # What goes in is a requirement of its own, whatever licences say about it.
        if name not in relevant and name != "modality":
            yield key_of_field(name)


def _idle_about_the_rest(constraints: Constraints, machine: Machine) -> Iterator[str]:
    # Everything is judged for llama.cpp, whatever else might run it.
    yield "machine.engine"
    if constraints.task.kind == "vision":
        yield "use.modality"
    if not machine.gpus or not engine_uses_gpus(machine):
        yield "machine.reserve_vram"
    if not expected_load(constraints).is_shared:
        yield "latency.percentile"
        yield "scale.peak_factor"
