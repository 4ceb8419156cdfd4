"""How many machines like this one a candidate takes for the load."""

from __future__ import annotations

from advisor.domain.basis import Basis
from advisor.domain.candidate import Candidate
from advisor.domain.constraints import Constraints
from advisor.domain.serving import Load, Plan, plan

SIMULATED_NOTE = "simulated at the asked percentile; no machine is spare: llm-advisor plan adds one and says what grows"
BOUND_NOTE = "at least so many, by the bound that no schedule exceeds; llm-advisor plan simulates it"


def plan_for(candidate: Candidate, load: Load, constraints: Constraints) -> Plan | None:
    """The machines, by the capacity model for a load that users share; None where the speed is unknown, and where no
    number of machines like this one meets the targets."""
    carried = candidate.carried
    if carried is None:
        if candidate.speed is None or load.is_shared:
            return None
        slots = candidate.fit.placement.parallel
        return plan(load, candidate.speed, slots, answer_tokens=constraints.scale.answer_tokens)
    if carried.machines is None or carried.utilisation is None:
        return None
    return Plan(
        load=load,
        slots_per_replica=carried.slots * carried.copies,
        replicas=carried.machines,
        utilisation=carried.utilisation,
        basis=Basis.ESTIMATED,
        note=SIMULATED_NOTE if carried.is_simulated else BOUND_NOTE,
    )
