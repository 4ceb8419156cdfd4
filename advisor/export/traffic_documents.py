"""The users' load, what it takes and what a machine carries of it, as plain values; rates per second."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from advisor.domain.candidate import Candidate
from advisor.domain.recommend import Recommendation
from advisor.domain.serving import Plan
from advisor.units import four_digits

if TYPE_CHECKING:
    from advisor.domain.carried_load import CarriedLoad

Document = dict[str, Any]


def plan_document(recommendation: Recommendation) -> Document:
    """The load, and the replicas where the pick's speed is known."""
    load = recommendation.load
    found: Document = {
        "requests_per_s": round(load.requests_per_s, 6),
        "requests_in_flight": round(load.in_flight, 3),
        "slots": load.slots,
    }
    return {**found, **_replicas(recommendation.plan)}


def _replicas(plan: Plan | None) -> Document:
    if plan is None:
        return {}
    return {
        "slots_per_replica": plan.slots_per_replica,
        "replicas": plan.replicas,
        "utilisation": round(plan.utilisation, 4),
        "basis": plan.basis.value,
        "note": plan.note,
    }


def carried_part(candidate: Candidate) -> Document:
    """What a candidate carries of a load that users share; nothing where there is one request at a time."""
    return {} if candidate.carried is None else {"carried": _carried_document(candidate.carried)}


def _carried_document(carried: CarriedLoad) -> Document:
    return {
        "basis": "simulated" if carried.is_simulated else "bound",
        "is_enough": carried.is_enough,
        "users": carried.n_carried if carried.users is not None else None,
        "requests_at_once": carried.n_carried if carried.users is None else None,
        "share": four_digits(carried.share),
        "machines": carried.machines,
        "slots": carried.slots,
        "copies": carried.copies,
        "gpus_per_copy": carried.gpus_per_copy,
        "requests_per_s": four_digits(carried.requests_per_s),
        "asked_requests_per_s": four_digits(carried.asked_per_s),
        "bound_requests_per_s": four_digits(carried.most_per_s),
        "breaks_first": carried.breaks_first,
    }
