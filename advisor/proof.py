"""The smoke test, put together: what to run, where it lies meanwhile, and the verdict on what was measured."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from advisor import paths
from advisor.domain.constraints import Constraints
from advisor.domain.hardware import Machine
from advisor.domain.header import max_context_of, shape_of, weights_of
from advisor.domain.placement import Placement, cpu_placement
from advisor.domain.pools import threads_for
from advisor.domain.recommend import Candidate
from advisor.domain.sizing import size_model
from advisor.domain.slices import layer_step, slice_blueprint
from advisor.domain.smoke import SmokeMeasurement, judge
from advisor.domain.smoke_report import SmokeReport, expectation, file_expectation, synthetic_budget
from advisor.engine.client import EngineClient
from advisor.engine.placing import context_params
from advisor.engine.protocol import Event
from advisor.engine.smoke import SmokeParams, run_smoke
from advisor.engine.synthetic import SyntheticTarget
from advisor.errors import InputError
from advisor.gguf.reader import read_header

OnEvent = Callable[[Event], None]

SMOKE_PROMPT_TOKENS = 128
"""Longest prompt that is run; the wait for a longer one is scaled from it. More would take minutes on a processor."""


def smoke_candidate(
    candidate: Candidate,
    found: Path | None,
    machine: Machine,
    constraints: Constraints,
    on_event: OnEvent | None,
    cancel: threading.Event | None,
) -> SmokeReport:
    """Run a candidate's file where one was found on this machine, else random weights in its shape."""
    target = found if found is not None else _synthetic(candidate, machine)
    measured = _run(target, candidate.fit.placement, constraints, on_event, cancel)
    verdict = judge(measured, expectation(candidate, constraints))
    return SmokeReport(candidate.id, str(found) if found else None, measured, verdict)


def smoke_file(
    path: Path,
    machine: Machine,
    constraints: Constraints,
    on_event: OnEvent | None,
    cancel: threading.Event | None,
) -> SmokeReport:
    """Run a file on the processor, at the context that was asked for as far as the model has it."""
    header = read_header(path)
    shape = shape_of(header.metadata, header.tensors)
    most = max_context_of(header.metadata) or constraints.task.context_tokens
    placement = cpu_placement(min(constraints.task.context_tokens, most), threads=threads_for(machine))
    sizing = size_model(path.name, shape, weights_of(header.tensors), "", placement, 0)
    measured = _run(path, placement, constraints, on_event, cancel)
    verdict = judge(measured, file_expectation(sizing.footprint, constraints))
    return SmokeReport(path.name, str(path), measured, verdict)


def _synthetic(candidate: Candidate, machine: Machine) -> SyntheticTarget:
    model, file_type = candidate.model, candidate.quantization.name
    if model.shape is None:
        raise InputError(f"{model.id} cannot be run", why=model.shape_reason)
    return SyntheticTarget(
        blueprint=lambda n_layers: slice_blueprint(model, file_type, n_layers),
        layers_total=model.shape.n_layers,
        budget_bytes=synthetic_budget(machine),
        layer_step=layer_step(model.shape),
    )


def _run(
    target: Path | SyntheticTarget,
    placement: Placement,
    constraints: Constraints,
    on_event: OnEvent | None,
    cancel: threading.Event | None,
) -> SmokeMeasurement:
    params = SmokeParams(
        context=context_params(placement),
        prompt_tokens=min(constraints.scale.prompt_tokens, SMOKE_PROMPT_TOKENS),
        scratch_root=scratch_root(),
    )
    with EngineClient(threads=placement.threads) as client, cancelling(client.cancel, cancel):
        return run_smoke(client, target, params, on_event)


def scratch_root() -> Path:
    """Beside the caches and not in the system's temporary directory, which is often held in memory."""
    folder = paths.cache_dir() / "scratch"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror or str(error)
        hint = "Point LLM_ADVISOR_CACHE_DIR at a directory that can be written."
        raise InputError(f"{folder} cannot be made", why=why, hint=hint) from error
    return folder


@contextmanager
def cancelling(stop: Callable[[], None], cancel: threading.Event | None) -> Iterator[None]:
    """Call `stop` as soon as `cancel` is set, from a thread that ends with the block."""
    if cancel is None:
        yield
        return
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            if cancel.wait(0.05):
                stop()

    watcher = threading.Thread(target=watch, name="cancel-smoke", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
