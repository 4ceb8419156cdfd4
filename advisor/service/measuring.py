"""Speed measured before any download, put together: which slices, where they lie meanwhile, what is remembered."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from advisor.cancelling import cancelling
from advisor.domain.blueprint import Blueprint
from advisor.domain.constraints import Scale
from advisor.domain.hardware import Machine
from advisor.domain.recommend import Candidate, Recommendation
from advisor.domain.slices import layer_step, layer_units, slice_blueprint
from advisor.domain.smoke import BUSY_CORES
from advisor.domain.speed import (
    Speed,
    SpeedConstants,
    Timings,
    calibration_of,
    estimate_speed,
    placement_kind,
)
from advisor.domain.speed.slicing import (
    WIDEST_INTERVAL,
    Extrapolation,
    Slice,
    SlicePlan,
    Timed,
    budget_bytes,
    extrapolation,
    measured_speed,
    plan_slices,
    together,
)
from advisor.domain.speed_report import Subject
from advisor.engine.client import EngineCancelled, EngineClient, OnEvent
from advisor.engine.messages import ContextParams
from advisor.engine.placement import context_params
from advisor.engine.protocol import Event
from advisor.engine.scratch import scratch_root
from advisor.engine.slices import LARGE_PAGES, SliceRun, time_slices
from advisor.engine.synthetic import BlockPools
from advisor.errors import EngineError, InputError
from advisor.service.measurement_cache import recall, remember
from advisor.units import format_bytes

BUDGET_S = 10.0
"""Time for one model, writing and loading aside."""
FINALISTS = 3
"""Places at the top of the ranking that are measured."""
MOST_MEASUREMENTS = 6
"""A ranking that keeps changing is left after so many."""
CacheUse = Literal["use", "renew", "ignore"]
"""What was timed before is recalled, timed again and remembered in its place, or neither recalled nor replaced."""
_PROMPT_SHARE = 0.5
_FILL_SHARE = 0.2
_LEAST_PROMPT = 32


@dataclass(frozen=True, slots=True)
class Measurement:
    """The outcome. Without a speed there is a reason, and the estimate stands."""

    speed: Speed | None
    estimated: Speed | None
    problem: str | None = None
    timed: Timed | None = None
    """None where the speed was remembered."""


def measure(
    subject: Subject,
    machine: Machine,
    constants: SpeedConstants,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
    budget_s: float = BUDGET_S,
    cache_use: CacheUse = "use",
) -> Measurement:
    """Time slices of a model on this machine, or recall what was timed before, as `cache_use` says.

    Raises EngineCancelled when cancelled, InputError for a model without a shape. Whatever else goes wrong is a
    measurement with a problem.
    """
    estimated = _estimate(subject, constants, subject.depth_tokens, subject.prompt_tokens)
    if machine.simulated:
        return Measurement(None, estimated, "the machine is simulated, so nothing can be timed on it")
    known = recall(subject, machine) if cache_use == "use" else None
    if known is not None:
        return Measurement(known, estimated)
    try:
        timed = _time(subject, machine, estimated, on_event, cancel, budget_s)
    except EngineCancelled:
        raise
    except (EngineError, InputError) as error:
        return Measurement(None, estimated, str(error))
    noise = _noise(timed, machine, subject.fit.placement.threads)
    if noise is not None:
        return Measurement(None, estimated, noise, timed)
    speed = _speed(subject, timed, constants)
    if cache_use != "ignore":
        remember(subject, machine, speed)
    return Measurement(speed, estimated, timed=timed)


def measure_finalists(
    found: Recommendation,
    constants: SpeedConstants,
    rank_again: Callable[[Timings], Recommendation],
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
    only: str | None = None,
    *,
    remeasure: bool = False,
) -> tuple[Recommendation, tuple[str, ...]]:
    """Measure the first few of the ranking, each time ranking again, until those at the top are measured.

    `only` measures the candidate of that id instead. The first measurement of a kind of placement calibrates all
    candidates of that kind; what the ranking rests on already stays. `remeasure` times also what was timed before; so
    does asking again where all of them are measured. Before each measurement `on_event` gets a `subject` event with
    the candidate's id and name. Raises EngineCancelled.
    """
    scale = found.constraints.scale
    known = found.timings.at(scale.prompt_tokens, scale.mean_depth_tokens)
    measured, calibrations = dict(known.measured), dict(known.calibrations)
    wanted = {(c.id, c.fit.placement) for c in _wanted(found, only)}
    remeasure = remeasure or (bool(wanted) and wanted <= measured.keys())
    done = set() if remeasure else set(measured)
    problems: dict[str, str] = {}
    for _ in range(MOST_MEASUREMENTS):
        waiting = (c for c in _wanted(found, only) if (c.id, c.fit.placement) not in done and c.id not in problems)
        candidate = next((c for c in waiting if c.model.shape is not None), None)
        if candidate is None:
            break
        if on_event is not None:
            on_event(Event(0, "subject", {"id": candidate.id, "name": _name(candidate)}))
        subject = timed_subject(candidate, scale)
        cache_use: CacheUse = "renew" if remeasure else "use"
        outcome = measure(subject, found.machine, constants, on_event, cancel, cache_use=cache_use)
        if outcome.speed is None:
            problems[candidate.id] = outcome.problem or "unknown"
            continue
        key = candidate.id, candidate.fit.placement
        measured[key] = outcome.speed
        kind = placement_kind(candidate.fit.placement, subject.shape.n_layers)
        if outcome.estimated is not None and (kind not in calibrations or (remeasure and not done)):
            calibrations[kind] = calibration_of(outcome.speed, outcome.estimated)
        done.add(key)
        found = rank_again(Timings(dict(measured), dict(calibrations)))
    return found, tuple(f"{name}: {why}" for name, why in problems.items())


def timed_subject(candidate: Candidate, scale: Scale) -> Subject:
    """The candidate where it was placed, at the lengths of the scale."""
    name = candidate.quantization.name
    return Subject(candidate.model, name, candidate.fit, scale.prompt_tokens, scale.mean_depth_tokens)


def _wanted(found: Recommendation, only: str | None) -> tuple[Candidate, ...]:
    """The candidates that are to be measured, in the order of their rank."""
    if only is None:
        return found.ranked[:FINALISTS]
    return tuple(c for c in found.quantizations if c.id == only)


def _name(candidate: Candidate) -> str:
    return f"{candidate.model.name} {candidate.quantization.name}"


def _noise(timed: Timed, machine: Machine, threads: int) -> str | None:
    """Why a measurement cannot be trusted; None where it can."""
    spare = max(0.0, (machine.cpu.usable_cores.value or threads) - threads)
    if timed.others_cores > spare + BUSY_CORES:
        # Threads wait for each other after every step, so a core shared with others costs many times its share.
        return f"other programs kept {timed.others_cores:.1f} cores busy, which slows llama.cpp down many times over"
    if timed.decode_half_width > WIDEST_INTERVAL:
        return f"the machine is too noisy: ±{timed.decode_half_width:.0%} after {timed.seconds:.0f} s"
    return None


def _estimate(subject: Subject, constants: SpeedConstants, depth: int, prompt: int) -> Speed | None:
    return estimate_speed(
        subject.model, subject.weights, subject.fit, constants, depth_tokens=depth, prompt_tokens=prompt
    )


def _speed(subject: Subject, timed: Timed, constants: SpeedConstants) -> Speed:
    def seconds(depth: int, prompt: int) -> tuple[float, float]:
        found = _estimate(subject, constants, depth, prompt)
        return (1.0, float(prompt)) if found is None else (1 / found.decode_tokens_per_s, found.ttft_ms / 1000)

    return measured_speed(timed, seconds, subject.depth_tokens, subject.prompt_tokens)


def _time(
    subject: Subject,
    machine: Machine,
    estimated: Speed | None,
    on_event: OnEvent | None,
    cancel: threading.Event | None,
    budget_s: float,
) -> Timed:
    plan = choose_slices(subject, machine)
    n_prompt, depth = _affordable(subject, plan, estimated, budget_s)
    parts = []
    threads = subject.fit.placement.threads
    with EngineClient(threads=threads, env=LARGE_PAGES) as client, cancelling(client.cancel, cancel):
        pools = BlockPools(client)
        runs = _runs(subject, plan)
        for context, weighted in runs:
            run = SliceRun(
                blueprint=_blueprints(subject),
                plan=plan,
                extrapolation=weighted,
                context=context,
                n_prompt=n_prompt,
                depth_tokens=depth,
                budget_s=budget_s / len(runs),
                scratch_root=scratch_root(),
            )
            parts.append(time_slices(client, run, on_event, cancel, pools))
    return together(tuple(parts))


def choose_slices(subject: Subject, machine: Machine) -> SlicePlan:
    """Slices within the memory and disk that are free. Raises EngineError where not even the smallest fit."""
    free = machine.memory.available_bytes.value or 0
    budget = budget_bytes(subject.weights.total_bytes, free, machine.disk_free_bytes.value or 0)
    shape, blueprint = subject.shape, _blueprints(subject)
    found = plan_slices(
        shape.n_layers, shape.vocab_size, layer_step(shape), lambda piece: blueprint(piece).tensor_bytes, budget
    )
    if found is None:
        raise EngineError(
            "not even the smallest slices of the model fit",
            why=f"{format_bytes(budget)} of memory and disk may be used now",
            hint="Close other programs, or choose a smaller model.",
        )
    return found


def _blueprints(subject: Subject) -> Callable[[Slice], Blueprint]:
    return lambda piece: slice_blueprint(
        subject.model, subject.quantization, piece.n_layers, piece.vocab_size, is_narrow=piece.is_narrow
    )


def _runs(subject: Subject, plan: SlicePlan) -> list[tuple[ContextParams, Extrapolation]]:
    """One run where all layers lie in one kind of memory, else one for the GPU's layers and one for the others."""
    shape, placement = subject.shape, subject.fit.placement
    whole, on_gpu = context_params(placement), sum(placement.gpu_layers)

    def part(n_layers: int, *, is_whole: bool = True) -> Extrapolation:
        return extrapolation(plan, _units(subject), n_layers, shape.vocab_size, is_whole=is_whole)

    if not on_gpu:
        return [(replace(whole, n_gpu_layers=0), part(shape.n_layers))]
    # Cards of one machine are alike, or the first is the fastest; each layer runs on one of them.
    first = replace(whole, n_gpu_layers=-1, tensor_split=(1.0,))
    runs = [(first, part(on_gpu))]
    if on_gpu < shape.n_layers:
        runs.append((replace(whole, n_gpu_layers=0), part(shape.n_layers - on_gpu, is_whole=False)))
    return runs


def _units(subject: Subject) -> Callable[[int], float]:
    return lambda n_layers: layer_units(subject.shape, subject.quantization, n_layers)


def _affordable(subject: Subject, plan: SlicePlan, estimated: Speed | None, budget_s: float) -> tuple[int, int]:
    """Prompt and depth that leave time for enough rounds, going by the estimate."""
    prompt, depth = subject.prompt_tokens, subject.depth_tokens
    if estimated is None:
        return min(prompt, 512), min(depth, 1024)
    run = (plan.layers.n_layers + plan.rows.n_layers) / subject.shape.n_layers
    per_token_s = run / estimated.prefill_tokens_per_s
    n_prompt = min(prompt, max(_LEAST_PROMPT, int(_PROMPT_SHARE * budget_s / 2 / per_token_s)))
    fill = int(_FILL_SHARE * budget_s / per_token_s)
    return n_prompt, min(depth, n_prompt + fill)
