"""The smoke test, put together: what to run, what to ask, and the verdict on what was measured."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from advisor.cancelling import cancelling
from advisor.domain.basis import Basis
from advisor.domain.constraints import Constraints
from advisor.domain.footprint import Footprint
from advisor.domain.hardware import Machine
from advisor.domain.header import max_context_of, shape_of, weights_of
from advisor.domain.language_names import NO_NAMES, LanguageNames
from advisor.domain.placement import Placement, cpu_placement
from advisor.domain.pools import threads_for
from advisor.domain.recommend import Candidate
from advisor.domain.sizing import size_model
from advisor.domain.smoke import SmokeMeasurement, judge
from advisor.domain.smoke_answers import READ_AS_WELL
from advisor.domain.smoke_next import next_steps
from advisor.domain.smoke_report import SmokeReport, expectation, file_expectation
from advisor.domain.speed import SpeedConstants
from advisor.engine.client import EngineClient, OnEvent
from advisor.engine.placement import context_params
from advisor.engine.scratch import scratch_root
from advisor.engine.smoke import SmokePlan, run_file
from advisor.errors import InputError
from advisor.gguf.header import GgufHeader
from advisor.gguf.split import read_model
from advisor.gguf.template import chat_template
from advisor.local_files.identifying import has_tokenizer, kind_of
from advisor.service.measuring import choose_slices, measure, timed_subject
from advisor.units import GIB

SMOKE_PROMPT_TOKENS = 128
"""Longest prompt that is timed; the wait for a longer one is scaled from it. More would take minutes on a processor."""
MEMORY_FACTOR = 1.5
MEMORY_MARGIN_BYTES = 2 * GIB
"""A file may take so much more than predicted before it is stopped, so that it never takes the machine with it; Python
and the stacks of threads count too."""


@dataclass(frozen=True, slots=True)
class SmokeKit:
    """What the knowledge gives to a smoke test."""

    constants: SpeedConstants
    questions: Mapping[str, str]
    """One request in each language that has one, by tag."""
    names: LanguageNames = NO_NAMES


@dataclass(frozen=True, slots=True)
class _File:
    """A file that is run, and how it lies in memory."""

    path: Path
    header: GgufHeader
    placement: Placement
    footprint: Footprint


def smoke_candidate(
    candidate: Candidate,
    found: Path | None,
    machine: Machine,
    constraints: Constraints,
    kit: SmokeKit,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
    others: Callable[[], Sequence[Candidate]] = tuple,
) -> SmokeReport:
    """Run a candidate's file where one was found on this machine, else slices of it with random weights.

    `others` gives all candidates, best first; it is asked after a failure alone. Raises InputError for a file that is
    no model and a model that cannot be run, EngineError where llama.cpp is missing or the run was cancelled.
    """
    if found is None:
        measured = _run_slices(candidate, machine, constraints, kit, on_event, cancel)
    else:
        file = _File(found, answering_header(found), candidate.fit.placement, candidate.fit.footprint)
        measured = _run(file, constraints, kit, on_event, cancel)
    verdict = judge(measured, expectation(candidate, constraints), _words(constraints, kit))
    report = SmokeReport(candidate.id, str(found) if found else None, measured, verdict)
    if verdict.verdict != "fail":
        return report
    return replace(report, next_steps=next_steps(candidate, verdict, constraints, others()))


def smoke_file(
    path: Path,
    machine: Machine,
    constraints: Constraints,
    kit: SmokeKit,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
) -> SmokeReport:
    """Run a file on the processor, at the context that was asked for as far as the model has it."""
    header = answering_header(path)
    shape = shape_of(header.metadata, header.tensors)
    most = max_context_of(header.metadata) or constraints.task.context_tokens
    placement = cpu_placement(min(constraints.task.context_tokens, most), threads=threads_for(machine))
    footprint = size_model(path.name, shape, weights_of(header.tensors), "", placement, 0).footprint
    measured = _run(_File(path, header, placement, footprint), constraints, kit, on_event, cancel)
    verdict = judge(measured, file_expectation(footprint, constraints), _words(constraints, kit))
    return SmokeReport(path.name, str(path), measured, verdict, next_steps(str(path), verdict, constraints, ()))


def answering_header(path: Path) -> GgufHeader:
    """The header, of all parts, of a file that can answer. Raises InputError for a projector, an adapter and a file
    without tokenizer, as for all that is no GGUF."""
    header = read_model(path)
    kind = kind_of(header)
    if kind == "projector":
        hint = "Give the model's own file; llama.cpp takes the projector beside it, with `--mmproj`."
        raise InputError(f"{path.name} is no model", why="it is the projector of a vision model", hint=hint)
    if kind == "adapter":
        hint = "Give the file of the model that it was made for."
        raise InputError(f"{path.name} is no model", why="it is an adapter (LoRA)", hint=hint)
    try:
        shape_of(header.metadata, header.tensors)
    except InputError as error:
        raise InputError(f"{path.name}: {error.what}", why=error.why, hint=error.hint) from error
    if not has_tokenizer(header):
        hint = "Convert the model again with its tokenizer, or download another file; `smoke MODEL` times its shape."
        raise InputError(f"{path.name} cannot answer", why="it brings no tokenizer", hint=hint)
    return header


def _words(constraints: Constraints, kit: SmokeKit) -> dict[str, str]:
    """Names of languages: those asked for, and what the identifier may find in their place."""
    needs = constraints.languages
    return {tag: kit.names.words(tag) for tag in (*needs.required, *needs.preferred, *kit.questions)}


def _run(
    file: _File, constraints: Constraints, kit: SmokeKit, on_event: OnEvent | None, cancel: threading.Event | None
) -> SmokeMeasurement:
    plan = _plan(file, constraints, kit)
    client = EngineClient(threads=file.placement.threads, memory_limit_bytes=plan.memory_limit_bytes)
    with client, cancelling(client.cancel, cancel):
        return run_file(client, file.path, plan, on_event)


def _plan(file: _File, constraints: Constraints, kit: SmokeKit) -> SmokePlan:
    needs = constraints.languages
    wanted = list(dict.fromkeys((*needs.required, *needs.preferred)))
    questions = {tag: kit.questions[key] for tag in wanted if (key := _question_of(tag, kit)) is not None}
    template = chat_template(file.path, file.header)
    context = context_params(file.placement)
    most = max_context_of(file.header.metadata) or context.slot_tokens
    return SmokePlan(
        context=context,
        layers=shape_of(file.header.metadata, file.header.tensors).n_layers,
        template=None if template is None else template.text,
        bos="" if template is None else template.bos,
        eos="" if template is None else template.eos,
        prompt_tokens=min(constraints.scale.prompt_tokens, SMOKE_PROMPT_TOKENS),
        questions=questions,
        required=frozenset(needs.required),
        unasked=tuple([tag for tag in wanted if tag not in questions]),
        long_tokens=min(constraints.task.context_tokens, context.slot_tokens, most),
        calls_tools=constraints.task.kind == "agents",
        memory_limit_bytes=int(MEMORY_FACTOR * file.footprint.total_bytes) + MEMORY_MARGIN_BYTES,
        scratch_root=scratch_root(),
    )


def _question_of(tag: str, kit: SmokeKit) -> str | None:
    """The key of the question for a tag: that of its language, or of one that its readers read as well."""
    base = tag.partition("-")[0].lower()
    return next((key for key in (base, READ_AS_WELL.get(base, "")) if key in kit.questions), None)


def _run_slices(
    candidate: Candidate,
    machine: Machine,
    constraints: Constraints,
    kit: SmokeKit,
    on_event: OnEvent | None,
    cancel: threading.Event | None,
) -> SmokeMeasurement:
    """The speed of a model that is not here, in the one way in which it is measured."""
    model, scale = candidate.model, constraints.scale
    if model.shape is None:
        raise InputError(f"{model.id} cannot be run", why=model.shape_reason)
    subject = timed_subject(candidate, scale)
    total = model.shape.n_layers
    outcome = measure(subject, machine, kit.constants, on_event, cancel, cache_use="ignore")
    timed, speed = outcome.timed, outcome.speed
    if timed is None or (speed is not None and speed.basis is not Basis.MEASURED):
        return SmokeMeasurement(True, 0, total, outcome.problem)
    prefill = None if speed is None else speed.prefill_tokens_per_s
    return SmokeMeasurement(
        synthetic=True,
        layers_run=choose_slices(subject, machine).layers.n_layers,
        layers_total=total,
        error=None,
        prompt_tokens=scale.prompt_tokens,
        full_ttft_ms=None if speed is None else speed.ttft_ms,
        full_decode_tokens_per_s=None if speed is None else speed.decode_tokens_per_s,
        decode_low=None if speed is None else speed.low,
        decode_high=None if speed is None else speed.high,
        prefill_tokens_per_s=prefill,
        prefill_low=None if prefill is None else prefill / (1 + timed.prefill_half_width),
        prefill_high=None if prefill is None else prefill / max(0.05, 1 - timed.prefill_half_width),
        unjudged=outcome.problem,
        others_cores=timed.others_cores,
    )
