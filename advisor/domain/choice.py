"""A recommendation in which the user's own choice takes the place of the first in rank."""

from __future__ import annotations

from dataclasses import replace

from advisor.domain.recommend import Candidate, Recommendation
from advisor.domain.replicas import plan_for


def with_choice(found: Recommendation, chosen: Candidate) -> Recommendation:
    """The recommendation with `chosen` as its pick, the others following in their order, and a plan for it."""
    if found.pick is not None and found.pick.id == chosen.id:
        return found
    others = tuple(c for c in found.ranked if c.model.id != chosen.model.id)
    new_plan = plan_for(chosen, found.load, found.constraints)
    return replace(found, ranked=(chosen, *others), plan=new_plan, sensitivity=None)
