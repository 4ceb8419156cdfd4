"""Placements on a fleet as a document and as lines for people."""

from __future__ import annotations

from typing import Any

from advisor.domain.capacity.fleet import FleetPlan, FleetPlans, Share
from advisor.domain.capacity.replica import ENGINE_NAMES, refusal_lines
from advisor.domain.capacity.report import rate_text, refusal_document, spread_document, subject_document
from advisor.domain.fleet import Fleet
from advisor.units import counted, format_bytes, format_figure, format_milliseconds, four_digits

Document = dict[str, Any]

FLEET_COLUMNS = (
    *("engine", "machine", "weights", "replicas", "GPUs each", "requests at once"),
    *("first token", "per request", "carries", "memory each"),
)
FLEET_NUMERIC = (3, 4, 5, 6, 7, 8, 9)


def fleet_plans_document(found: FleetPlans, fleet: Fleet) -> Document:
    """Everything. Times in milliseconds, rates per second, memory in bytes."""
    return {
        **subject_document(found.subject),
        "nodes": [node.name for node in fleet.nodes],
        "failures": [{"name": f.name, "reason": f.reason, "hint": f.hint} for f in fleet.failures],
        "is_enough": found.is_enough,
        "plans": [_plan_document(plan) for plan in found.plans],
        "refused": [refusal_document(refusal) for refusal in found.refusals],
    }


def _plan_document(plan: FleetPlan) -> Document:
    return {
        "engine": plan.engine,
        "is_enough": plan.is_enough,
        "replicas": plan.replicas,
        "replicas_spare": plan.spare,
        "machines": plan.machines,
        "carried_requests_per_s": four_digits(plan.carried_requests_per_s),
        "placements": [_share_document(share) for share in plan.shares],
    }


def _share_document(share: Share) -> Document:
    replica, metrics = share.replica, share.metrics
    return {
        "machine": share.site,
        "replicas": share.placed,
        "replicas_fit": share.fits,
        "quantization": replica.quantization,
        "gpus_per_replica": replica.gpus,
        "tensor_parallel": replica.tensor_parallel,
        "slots": replica.limits.slots,
        "cache_tokens": replica.limits.cache_tokens,
        "threads": None if replica.fit is None else replica.fit.placement.threads,
        "n_gpu_layers": None if replica.fit is None else replica.fit.placement.n_gpu_layers,
        "memory_bytes": _memory_bytes(share),
        "replica_requests_per_s": four_digits(share.capacity.requests_per_s),
        "breaks_first": share.capacity.breaks_first,
        "ttft_ms": None if metrics is None else spread_document(metrics.ttft),
        "tpot_ms": None if metrics is None else spread_document(metrics.tpot),
        "notes": list(replica.notes),
    }


def _memory_bytes(share: Share) -> int:
    """Of one replica: all that llama.cpp takes; weights and cache of vLLM, which takes a share of the GPU whole."""
    fit = share.replica.fit
    return share.replica.weights_bytes + share.replica.cache_bytes if fit is None else fit.footprint.total_bytes


def fleet_rows(plan: FleetPlan) -> list[tuple[str, ...]]:
    """Machines of one engine as cells under FLEET_COLUMNS; those without a replica too."""
    return [_row(plan, share) for share in plan.shares]


def _row(plan: FleetPlan, share: Share) -> tuple[str, ...]:
    replica, metrics = share.replica, share.metrics
    first = rate = carries = "not used"
    if metrics is not None:
        first = format_milliseconds(1000 * metrics.ttft.asked)
        rate = rate_text(metrics.tpot.asked)
        carries = f"{format_figure(share.placed * share.capacity.requests_per_s)} requests/s"
    return (
        ENGINE_NAMES[plan.engine],
        share.site,
        replica.quantization,
        f"{share.placed} of {share.fits}",
        f"{replica.gpus}",
        f"{share.slots}",
        first,
        rate,
        carries,
        format_bytes(_memory_bytes(share)),
    )


def fleet_paragraphs(found: FleetPlans, fleet: Fleet) -> list[tuple[str, list[str]]]:
    """What the tables do not say: whether it is enough, which machines are left out, and why."""
    paragraphs = [_plan_paragraph(plan, found) for plan in found.plans]
    if found.refusals:
        paragraphs.append(("Not placed", refusal_lines(found.refusals)))
    if fleet.failures:
        lines = [f"{f.name}: {f.reason}" + (f". {f.hint}" if f.hint else "") for f in fleet.failures]
        paragraphs.append(("Not probed", lines))
    return paragraphs


def _plan_paragraph(plan: FleetPlan, found: FleetPlans) -> tuple[str, list[str]]:
    engine = ENGINE_NAMES[plan.engine]
    replicas = counted(plan.replicas, "replica")
    machines = f"{plan.machines} of {counted(found.sites, 'machine')}"
    return f"{engine}: {replicas} on {machines}", [enough_text(plan, found)]


def enough_text(plan: FleetPlan, found: FleetPlans) -> str:
    """Whether the fleet carries the peak, and by how much it misses."""
    peak = found.subject.traffic.requests_per_s
    carried = f"{format_figure(plan.carried_requests_per_s)} of {format_figure(peak)} requests/s"
    if plan.is_enough:
        asked = f"the peak of {format_figure(peak)} requests/s"
        return f"carries {asked} within the targets although the fastest replica is lost"
    if plan.replicas < 2:
        alone = plan.unharmed_requests_per_s
        if alone >= peak:
            asked = f"the peak of {format_figure(peak)} requests/s"
            return f"holds one replica, which carries {asked} by itself, but nothing is left when it is lost"
        # A user who never meets another is served by a replica that carries no load that several share.
        does = f", which carries {format_figure(alone)} of {format_figure(peak)} requests/s by itself" if alone else ""
        return f"holds one replica{does}, and nothing is left when it is lost"
    return f"is not enough: within the targets, and with the fastest replica lost, it carries {carried} at the peak"
