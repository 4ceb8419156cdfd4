"""What no schedule can exceed, in closed form, beside the simulation."""

from __future__ import annotations

from dataclasses import replace

from advisor.domain.capacity.load import Traffic
from advisor.domain.capacity.queueing import wait_percentile
from advisor.domain.capacity.replica import Replica
from advisor.domain.capacity.step import StepCosts, Unit


def requests_bound(replica: Replica, traffic: Traffic) -> float:
    """Requests per second that one replica cannot exceed, however long they wait.

    Every prompt token must be multiplied, and every decoded token needs a place in a step; a step with all slots at
    work costs least per token, since the weights are read once for all of them.
    """
    seconds = work_seconds(replica, traffic.prompt_tokens, traffic.answer_tokens)
    return 1 / seconds if seconds > 0 else float("inf")


def work_seconds(replica: Replica, prompt_tokens: float, answer_tokens: float) -> float:
    """The least time of the replica that a request takes up, with every slot at work."""
    slots = max(1, replica.limits.slots_for(prompt_tokens + answer_tokens))
    units = [_least(unit) for unit in replica.costs.units]
    return sum(_unit_seconds(unit, replica.costs, prompt_tokens, answer_tokens, slots) for unit in units)


def prompt_share(replica: Replica, traffic: Traffic) -> float:
    """Share of the least time of a request that goes into its prompt."""
    prompt_s = sum(_prompt_seconds(_least(unit), traffic.prompt_tokens) for unit in replica.costs.units)
    whole = work_seconds(replica, traffic.prompt_tokens, traffic.answer_tokens)
    return prompt_s / whole if whole > 0 else 0.0


def _least(unit: Unit) -> Unit:
    """The unit with the lesser of each cost, where some micro-batches are multiplied in one place and some in another:
    which ones, the bound does not ask."""
    sent = unit.sent
    if sent is None:
        return unit
    return replace(
        unit,
        prefill_fixed_s=min(unit.prefill_fixed_s, sent.prefill_fixed_s),
        prefill_dense_s=min(unit.prefill_dense_s, sent.prefill_dense_s),
        prefill_experts_s=min(unit.prefill_experts_s, sent.prefill_experts_s),
        token_s=min(unit.token_s, sent.token_s),
        prefill_token_s=min(unit.prefill_token_s, sent.prefill_token_s),
        attention_s=min(unit.attention_s, sent.attention_s),
    )


def _prompt_seconds(unit: Unit, prompt_tokens: float) -> float:
    return unit.prefill_token_s * prompt_tokens + unit.attention_s * prompt_tokens**2 / 2


def _unit_seconds(unit: Unit, costs: StepCosts, prompt_tokens: float, answer_tokens: float, slots: int) -> float:
    steps = max(0.0, answer_tokens - 1)
    depth = prompt_tokens + steps / 2
    multiplied = _prompt_seconds(unit, prompt_tokens) + steps * unit.token_s / costs.stages
    experts = costs.visited_share(-(-slots // costs.stages))
    read = min(unit.dense_s + unit.experts_s * experts, unit.prefill_dense_s + unit.prefill_experts_s * experts)
    shared = steps / slots
    cached = steps * depth * unit.kv_token_s / costs.stages
    fixed = shared * min(unit.decode_fixed_s, unit.prefill_fixed_s)
    worked = max(shared * read, multiplied) if unit.overlaps else shared * read + multiplied
    return fixed + worked + cached


def wait_estimate(replica: Replica, traffic: Traffic, rate: float, share: float) -> float | None:
    """Seconds in the queue that a share of requests stays below if each slot always worked as slowly as with all of
    them taken (Erlang's C formula); None where the queue then never empties."""
    slots = max(1, replica.limits.slots_for(traffic.prompt_tokens + traffic.answer_tokens))
    service = slots * work_seconds(replica, traffic.prompt_tokens, traffic.answer_tokens)
    return wait_percentile(rate, service, slots, share)
