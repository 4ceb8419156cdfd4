"""Replicas on a fleet, as `plan` and `recommend` print them."""

from __future__ import annotations

from advisor.cli import output
from advisor.cli.diagnostics import note
from advisor.domain.capacity.fleet_report import (
    FLEET_COLUMNS,
    FLEET_NUMERIC,
    enough_text,
    fleet_paragraphs,
    fleet_rows,
)
from advisor.domain.capacity.replica import ENGINE_NAMES, refusals_text
from advisor.domain.fleet import Fleet
from advisor.errors import NoCandidateError
from advisor.service import FleetAdvice


def print_placement(advice: FleetAdvice, *, plain: bool) -> None:
    """The table of machines, and what it does not say."""
    plans = advice.plans
    rows = [row for plan in plans.plans for row in fleet_rows(plan)]
    output.emit_table(FLEET_COLUMNS, rows, plain=plain, numeric=FLEET_NUMERIC)
    if not plain:
        output.emit_paragraphs(fleet_paragraphs(plans, advice.fleet))


def note_failures(fleet: Fleet) -> None:
    """Say which machines nothing is known of, and why."""
    for failure in fleet.failures:
        hint = f". {failure.hint}" if failure.hint else ""
        note(f"not probed: {failure.name}: {failure.reason}{hint}")


def require_enough(advice: FleetAdvice) -> None:
    """Raises NoCandidateError where no engine carries the load on the fleet."""
    plans = advice.plans
    if plans.is_enough:
        return
    subject = plans.subject
    what = f"the fleet does not carry the load with {subject.model.id} {subject.quantization}"
    if plans.plans:
        best = max(plans.plans, key=lambda plan: plan.carried_requests_per_s)
        why = f"{ENGINE_NAMES[best.engine]} {enough_text(best, plans)}"
        hint = "Add machines, relax latency.ttft_ms or latency.tokens_per_s, or name a smaller model: --model ID."
        if best.replicas < 2 and best.unharmed_requests_per_s >= subject.traffic.requests_per_s:
            what = f"the fleet holds no spare replica of {subject.model.id} {subject.quantization}"
            hint = (
                "Add a machine, or name a smaller model, of which two replicas fit: --model ID. To plan without a "
                "spare one, plan for one machine: --machine FILE."
            )
        raise NoCandidateError(what, why=why, hint=hint)
    why = refusals_text(plans.refusals)
    raise NoCandidateError(what, why=why, hint="Name another model (--model ID) or engine (--engine).")
