"""The speed of one model, placed on a machine: what `llm-advisor speed` says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from advisor.domain.constraints import Constraints
from advisor.domain.fit import Fit, closest_way, ways_to_run
from advisor.domain.hardware import Machine
from advisor.domain.model import Model, Shape
from advisor.domain.placement import Pool, cpu_placement
from advisor.domain.pools import threads_for
from advisor.domain.speed import Speed, SpeedConstants, estimate_speed
from advisor.domain.speed.latency import READING_TOKENS_PER_S, Latency, latency, reading_text
from advisor.domain.weights import Weights, weights
from advisor.errors import InputError
from advisor.units import counted, format_bytes, format_milliseconds, format_rate, format_tokens


@dataclass(frozen=True, slots=True)
class SpeedReport:
    """The speed of a model where it was placed, and the waits that follow from it."""

    model: str
    quantization: str
    fit: Fit
    speed: Speed | None
    """On the best basis there is."""
    estimated: Speed | None
    latency: Latency | None
    answer_tokens: int
    """Length of the full answer that the latency is of."""
    problem: str | None
    """Why nothing was measured although it was asked for."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is estimated or measured: a model in a quantization, where it was placed, for a prompt and a depth."""

    model: Model
    quantization: str
    fit: Fit
    prompt_tokens: int
    depth_tokens: int

    @property
    def shape(self) -> Shape:
        """The model's shape. Raises InputError where it has none."""
        if self.model.shape is None:
            raise InputError(f"the speed of {self.model.id} is unknown", why=self.model.shape_reason)
        return self.model.shape

    @property
    def weights(self) -> Weights:
        return weights(self.shape, self.quantization)


@dataclass(frozen=True, slots=True)
class Placed:
    """A subject with its estimate, and the length of the answers that are asked for."""

    subject: Subject
    estimated: Speed | None
    answer_tokens: int


def place_for_speed(
    model: Model,
    file_type: str,
    machine: Machine,
    pools: tuple[Pool, ...],
    constants: SpeedConstants,
    constraints: Constraints,
    *,
    prompt_tokens: int | None,
    depth_tokens: int | None,
) -> Placed:
    """The model where it decodes fastest. Prompt and depth default to those of the constraints.

    Raises InputError for a model without a shape, and where it fits nowhere.
    """
    scale = constraints.scale
    prompt = scale.prompt_tokens if prompt_tokens is None else prompt_tokens
    depth = prompt + scale.answer_tokens // 2 if depth_tokens is None else depth_tokens

    if model.shape is None:
        raise InputError(f"the speed of {model.id} is unknown", why=model.shape_reason)
    held = weights(model.shape, file_type)
    cells = max(constraints.task.context_tokens, prompt + scale.answer_tokens, depth + 1)
    ways = _ways(model, model.shape, file_type, machine, pools, cells, allow_cpu=constraints.machine.allow_cpu)
    timed = [
        (way, estimate_speed(model, held, way, constants, depth_tokens=depth, prompt_tokens=prompt)) for way in ways
    ]
    fit, speed = max(timed, key=lambda pair: pair[1].decode_tokens_per_s if pair[1] else 0.0)
    return Placed(Subject(model, file_type, fit, prompt, depth), speed, scale.answer_tokens)


def _ways(
    model: Model,
    shape: Shape,
    file_type: str,
    machine: Machine,
    pools: tuple[Pool, ...],
    cells: int,
    *,
    allow_cpu: bool,
) -> tuple[Fit, ...]:
    held = weights(shape, file_type)
    base = cpu_placement(cells, threads=threads_for(machine), n_gpus=len(pools) - 1)
    ways = ways_to_run(shape, held, base, pools, allow_cpu=allow_cpu)
    if ways:
        return ways
    closest = closest_way(shape, held, base, pools, allow_cpu=allow_cpu)
    missing = f"{format_bytes(sum(closest.shortfalls))} of memory are missing" if closest else None
    hint = "Choose a smaller quantization or a shorter context."
    raise InputError(f"{model.id} in {file_type} does not fit", why=missing, hint=hint)


def speed_report(placed: Placed, measured: Speed | None, problem: str | None = None) -> SpeedReport:
    """The report on the best speed that is known."""
    best, subject = measured or placed.estimated, placed.subject
    waits = latency(best, placed.answer_tokens) if best else None
    return SpeedReport(
        model=subject.model.id,
        quantization=subject.quantization,
        fit=subject.fit,
        speed=best,
        estimated=placed.estimated,
        latency=waits,
        answer_tokens=placed.answer_tokens,
        problem=problem,
    )


def speed_document(report: SpeedReport) -> dict[str, Any]:
    """The report as plain values; unknown figures are None."""
    speed, waits = report.speed, report.latency
    return {
        "model": report.model,
        "quantization": report.quantization,
        "basis": speed.basis.value if speed else None,
        "decode_tokens_per_s": _rounded(speed.decode_tokens_per_s if speed else None),
        "prefill_tokens_per_s": _rounded(speed.prefill_tokens_per_s if speed else None),
        "ttft_ms": _rounded(speed.ttft_ms if speed else None),
        "low": _rounded(speed.low if speed else None),
        "high": _rounded(speed.high if speed else None),
        "depth_tokens": speed.depth_tokens if speed else None,
        "prompt_tokens": speed.prompt_tokens if speed else None,
        "answer_tokens": report.answer_tokens,
        "answer_ms": _rounded(waits.answer_ms if waits else None),
        "reading_share": _rounded(waits.reading_share if waits else None),
        "reading_tokens_per_s": _rounded(READING_TOKENS_PER_S),
        "gpu_layers": list(report.fit.placement.gpu_layers),
        "assumed": list(speed.assumed) if speed else [],
        "estimated_decode_tokens_per_s": _rounded(report.estimated.decode_tokens_per_s if report.estimated else None),
        "problem": report.problem,
    }


def speed_facts(report: SpeedReport) -> list[tuple[str, str]]:
    """The report in words."""
    speed, waits = report.speed, report.latency
    facts = [("model", report.model), ("quantization", report.quantization), ("runs on", _place(report.fit))]
    if speed is None or waits is None:
        return [*facts, ("speed", "unknown: no memory bandwidth is known for a device of this machine")]
    facts += [
        ("decode", f"{format_rate(speed.decode_tokens_per_s)} at {format_tokens(speed.depth_tokens)} tokens"),
        ("likely", f"{format_rate(speed.low)} to {format_rate(speed.high)}"),
        ("prompt", format_rate(speed.prefill_tokens_per_s)),
        ("first token", f"{format_milliseconds(waits.ttft_ms)} for a prompt of {speed.prompt_tokens:,} tokens"),
        ("full answer", f"{format_milliseconds(waits.answer_ms)} for {report.answer_tokens:,} tokens"),
        ("reading", f"text comes {reading_text(waits.reading_share)}"),
        ("basis", speed.basis.value),
    ]
    if report.estimated is not None and report.estimated != speed:
        facts.append(("estimated", f"{format_rate(report.estimated.decode_tokens_per_s)} by formula"))
    facts += [("assumed", text) for text in speed.assumed]
    return facts + ([("not measured", report.problem)] if report.problem else [])


def _place(fit: Fit) -> str:
    pairs = zip(fit.placement.gpu_layers, fit.pools[1:], strict=True)
    counts = [f"{counted(n, 'layer')} on {pool.name}" for n, pool in pairs if n]
    if not counts:
        return f"the processor, {counted(fit.placement.threads, 'thread')}"
    return ", ".join(counts) + (", experts in RAM" if fit.placement.experts_in_ram else "")


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
