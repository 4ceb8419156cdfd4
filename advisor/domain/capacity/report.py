"""Plans as a document and as lines for people."""

from __future__ import annotations

from typing import Any

from advisor.domain.basis import Basis
from advisor.domain.capacity.breaks import BREAKS_WORDS
from advisor.domain.capacity.load import Traffic
from advisor.domain.capacity.options import Subject
from advisor.domain.capacity.plan import HERE, Plans, ServingPlan, Size
from advisor.domain.capacity.replica import ENGINE_NAMES, ENGINES, Refusal, Replica
from advisor.domain.capacity.targets import Spread, Targets
from advisor.units import (
    counted,
    format_bytes,
    format_figure,
    format_milliseconds,
    format_rate,
    four_digits,
)

COLUMNS = (
    *("engine", "machine", "weights", "machines", "GPUs", "replicas", "slots"),
    *("first token", "per request", "load", "breaks first", "one machine carries", "cost per hour"),
)
_NO_PRICE = "price unknown: enter it in nodes.toml of the configuration directory"

Document = dict[str, Any]


def plans_document(found: Plans) -> Document:
    """Everything, under the keys that docs/plan.md lists. Times in milliseconds, rates per second."""
    return {
        **subject_document(found.subject),
        "survives": found.subject.survive,
        "cheapest": {engine: _cheapest_index(found, engine) for engine in ENGINES},
        "plans": [plan_document(plan, found) for plan in found.plans],
        "refused": [refusal_document(refusal) for refusal in found.refusals],
    }


def subject_document(subject: Subject) -> Document:
    """What every plan is for: the model, the load and the targets."""
    return {
        "basis": Basis.ESTIMATED.value,
        "model": {
            "id": subject.model.id,
            "hf_id": subject.model.hf_id,
            "licence": subject.model.licence,
            "quantization": subject.quantization,
            "context_tokens": subject.context_tokens,
        },
        "load": load_document(subject.traffic),
        "targets": targets_document(subject.targets),
    }


def load_document(traffic: Traffic) -> Document:
    """What the users ask."""
    return {
        "source": traffic.source,
        "users": traffic.users,
        "mean_requests_per_s": four_digits(traffic.mean_requests_per_s),
        "peak_factor": four_digits(traffic.peak_factor),
        "peak_requests_per_s": four_digits(traffic.requests_per_s),
        "prompt_tokens": four_digits(traffic.prompt_tokens),
        "answer_tokens": four_digits(traffic.answer_tokens),
        "prompt_tokens_per_s": four_digits(traffic.prompt_tokens_per_s),
        "answer_tokens_per_s": four_digits(traffic.answer_tokens_per_s),
        "concurrent_requests": traffic.concurrent,
    }


def targets_document(targets: Targets) -> Document:
    """What must hold; None where the user sets no limit."""
    return {
        "percentile": targets.percentile,
        "ttft_ms": None if targets.ttft_s is None else four_digits(1000 * targets.ttft_s),
        "tokens_per_s": None if targets.tpot_s is None else four_digits(1 / targets.tpot_s),
    }


def _cheapest_index(found: Plans, engine: str) -> int | None:
    return next((i for i, plan in enumerate(found.plans) if plan.replica.engine == engine), None)


def plan_document(plan: ServingPlan, found: Plans) -> Document:
    """One plan, with all that an engine must be told."""
    return {
        "engine": plan.replica.engine,
        "machine": _machine_document(plan),
        "quantization": plan.replica.quantization,
        **_counts_document(plan),
        **_replica_document(plan.replica, found.subject.traffic),
        **_cost_document(plan),
        **_metrics_document(plan),
        "bound": _bound_document(plan),
        "one_machine": {
            "peak_requests_per_s": four_digits(plan.one_machine_requests_per_s),
            "users": one_machine_users(plan, found),
        },
        "growth": [_size_document(size) for size in plan.growth],
        "notes": list(plan.replica.notes),
    }


def _machine_document(plan: ServingPlan) -> Document:
    node = plan.node
    return {
        "name": plan.replica.place,
        "gpu": None if node is None else node.gpu.name,
        "gpus": plan.gpus_per_machine,
        "memory_bytes": None if node is None else node.memory_bytes,
        "is_this_machine": node is None,
    }


def _counts_document(plan: ServingPlan) -> Document:
    return {
        "replicas": plan.size.replicas,
        "replicas_needed": plan.needed,
        "replicas_spare": plan.spare,
        "replicas_lost_with_a_machine": plan.lost_with_a_machine,
        "replicas_per_machine": plan.per_machine,
        "machines": plan.size.machines,
        "gpus": plan.size.gpus,
    }


def _replica_document(replica: Replica, traffic: Traffic) -> Document:
    return {
        "gpus_per_replica": replica.gpus,
        "tensor_parallel": replica.tensor_parallel,
        "pipeline_parallel": replica.pipeline_parallel,
        "slots": replica.limits.slots,
        "requests_at_once": replica.limits.slots_for(traffic.largest_tokens),
        "slots_limited_by": replica.slots_by,
        "cache_tokens": replica.limits.cache_tokens,
        "batch_tokens": replica.limits.chunk_tokens,
        "context_tokens": replica.context_tokens,
        "weights_bytes": replica.weights_bytes,
        "kv_cache_bytes": replica.cache_bytes,
    }


def _cost_document(plan: ServingPlan) -> Document:
    """What it costs and where the price is from; this machine has none, and an unknown one has a reason."""
    price = None if plan.node is None else plan.node.price
    document: Document = {"cost_usd_hour": plan.size.cost_usd_hour, "price": None}
    if price is not None:
        document["price"] = {"usd_hour": price.usd_hour, "source": price.source, "checked": price.checked}
    elif plan.node is not None:
        document["price_reason"] = _NO_PRICE
    return document


def _metrics_document(plan: ServingPlan) -> Document:
    """What users see at the peak, and of how much a replica is capable."""
    metrics = plan.metrics
    return {
        "ttft_ms": spread_document(metrics.ttft),
        "tpot_ms": spread_document(metrics.tpot),
        "wait_ms": spread_document(metrics.wait),
        "answer_tokens_per_s": four_digits(metrics.answer_tokens_per_s * plan.needed),
        "requests_in_flight": four_digits(metrics.in_flight * plan.needed),
        "utilisation": four_digits(metrics.utilisation),
        "breaks_first": plan.capacity.breaks_first,
        "replica_requests_per_s": four_digits(plan.capacity.requests_per_s),
    }


def _bound_document(plan: ServingPlan) -> Document:
    """What no replica can exceed, by the bound of the step costs."""
    read_s = plan.replica.read_s
    return {
        "replica_requests_per_s": four_digits(plan.capacity.bound_requests_per_s),
        "wait_ms": None if plan.wait_bound_s is None else four_digits(1000 * plan.wait_bound_s),
        "ttft_ms": four_digits(1000 * plan.capacity.floor_ttft_s),
        "tpot_ms": four_digits(1000 * plan.capacity.floor_tpot_s),
        "weights_read_ms": four_digits(1000 * read_s) if read_s else None,
    }


def one_machine_users(plan: ServingPlan, found: Plans) -> int | None:
    """Users at which the targets break on one machine; None where the load is not given in users."""
    traffic = found.subject.traffic
    if traffic.users is None:
        return None
    return max(1, int(traffic.users * plan.one_machine_requests_per_s / traffic.requests_per_s))


def _size_document(size: Size) -> Document:
    return {
        "times": size.factor,
        "replicas": size.replicas,
        "machines": size.machines,
        "gpus": size.gpus,
        "cost_usd_hour": size.cost_usd_hour,
    }


def spread_document(spread: Spread) -> Document:
    """A time in milliseconds at three percentiles."""
    return {
        "p50": four_digits(1000 * spread.p50),
        "p95": four_digits(1000 * spread.p95),
        "p99": four_digits(1000 * spread.p99),
    }


def refusal_document(refusal: Refusal) -> Document:
    """Why an engine cannot run the model somewhere."""
    return {"engine": refusal.engine, "machine": refusal.place, "code": refusal.code, "text": refusal.text}


def plan_row(plan: ServingPlan, found: Plans) -> tuple[str, ...]:
    """A plan as cells under COLUMNS."""
    replica = plan.replica
    metrics = plan.metrics
    users = one_machine_users(plan, found)
    rate = f"{format_figure(plan.one_machine_requests_per_s)} requests/s"
    return (
        ENGINE_NAMES[replica.engine],
        replica.place,
        replica.quantization,
        f"{plan.size.machines:,}",
        f"{plan.size.gpus:,}",
        f"{plan.needed:,} + {plan.spare}",
        f"{replica.limits.slots_for(found.subject.traffic.largest_tokens)}",
        format_milliseconds(1000 * metrics.ttft.asked),
        rate_text(metrics.tpot.asked),
        f"{metrics.utilisation:.0%}",
        BREAKS_WORDS[plan.capacity.breaks_first],
        rate if users is None else counted(users, "user"),
        "unknown" if plan.size.cost_usd_hour is None else f"${plan.size.cost_usd_hour:,.2f}",
    )


def load_facts(subject: Subject) -> list[tuple[str, str]]:
    """The load and the targets, name and value."""
    traffic, targets = subject.traffic, subject.targets
    first = "no limit" if targets.ttft_s is None else f"within {format_milliseconds(1000 * targets.ttft_s)}"
    speed = "no limit" if targets.tpot_s is None else f"at least {format_rate(1 / targets.tpot_s)}"
    return [
        ("model", _model_text(subject)),
        ("load", traffic.source),
        ("peak", f"{format_figure(traffic.requests_per_s)} requests/s of {traffic.prompt_tokens:,.0f} prompt and "
                 f"{traffic.answer_tokens:,.0f} answer tokens"),
        ("tokens", f"{traffic.prompt_tokens_per_s:,.0f} in and {traffic.answer_tokens_per_s:,.0f} out per second"),
        ("targets", f"first token {first}, {speed} per request, for {targets.percentile} % of requests"),
    ]  # fmt: skip


def _model_text(subject: Subject) -> str:
    forms = [f"{subject.quantization} on llama.cpp"] if subject.quantization != "FP8" else []
    if subject.precisions:
        forms.append(f"{' or '.join(subject.precisions)} on vLLM")
    return f"{subject.model.id}, {', '.join(forms)}"


def plan_lines(plan: ServingPlan, found: Plans) -> tuple[str, list[str]]:
    """The cheapest plan of an engine, as a titled paragraph."""
    replica, size, metrics = plan.replica, plan.size, plan.metrics
    engine = ENGINE_NAMES[replica.engine]
    title = f"{engine}: {size.machines} × {replica.place}"
    if replica.place == HERE:
        title = f"{engine}: this machine" + (f" and {size.machines - 1:,} like it" if size.machines > 1 else "")
    held = f"{format_bytes(replica.weights_bytes)} of weights, {format_bytes(replica.cache_bytes)} of KV cache"
    share = counted(replica.gpus, "GPU") if replica.gpus else "the processor"
    if replica.tensor_parallel > 1:
        share += f" sharing each layer (tensor parallel {replica.tensor_parallel})"
    slots = replica.limits.slots_for(found.subject.traffic.largest_tokens)
    lines = [
        f"each replica: {replica.quantization} on {share}, {held}, {counted(slots, 'request')} at once",
        *_spare_lines(plan, found),
        f"first token p50 {_ms(metrics.ttft.p50)}, p95 {_ms(metrics.ttft.p95)}, p99 {_ms(metrics.ttft.p99)}; "
        f"per request {_rates(metrics.tpot)}",
        f"{metrics.in_flight * plan.needed:,.1f} requests in flight on average, {metrics.utilisation:.0%} of the most "
        f"that a replica can do ({format_figure(plan.capacity.bound_requests_per_s)} requests/s by the bound)",
        f"breaks first: {BREAKS_WORDS[plan.capacity.breaks_first]}, beyond {_carried(plan, found)} on one machine",
        "growth: " + ", ".join(_growth(s) for s in plan.growth),
    ]
    if size.cost_usd_hour is None:
        lines.append("what it costs is not known" if plan.node is None else _NO_PRICE)
    elif plan.node is not None and plan.node.price is not None:
        price = plan.node.price
        lines.append(f"${price.usd_hour:,.2f} an hour and machine ({price.source}, {price.checked})")
    return title, [*lines, *replica.notes]


def _spare_lines(plan: ServingPlan, found: Plans) -> list[str]:
    survives = found.subject.survive
    lines = [
        f"{counted(plan.needed, 'replica')} for the peak and {plan.spare:,} more, so that one {survives} may be lost"
    ]
    lost = plan.lost_with_a_machine
    if survives == "replica" and (lost > 1 or plan.size.machines == 1):
        whole = "all of them" if plan.size.machines == 1 else f"{lost:,} of them"
        lines.append(f"a lost machine takes {whole} with it: --survive machine plans for that")
    return lines


def _carried(plan: ServingPlan, found: Plans) -> str:
    users = one_machine_users(plan, found)
    rate = f"{format_figure(plan.one_machine_requests_per_s)} requests/s"
    return rate if users is None else f"{counted(users, 'user')} ({rate})"


def _growth(size: Size) -> str:
    cost = "" if size.cost_usd_hour is None else f" at ${size.cost_usd_hour:,.2f}/h"
    return f"{size.factor}× = {counted(size.replicas, 'replica')} on {counted(size.machines, 'machine')}{cost}"


def _ms(seconds: float) -> str:
    return format_milliseconds(1000 * seconds)


def _rates(tpot: Spread) -> str:
    return f"p50 {rate_text(tpot.p50)}, p95 {rate_text(tpot.p95)}, p99 {rate_text(tpot.p99)}"


def rate_text(tpot_s: float) -> str:
    """The speed of a request from the seconds between two of its tokens, which an answer of one token has not."""
    return format_rate(1 / tpot_s) if tpot_s else "one token"
