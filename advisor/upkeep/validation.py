"""The catalogue looked over and every blueprint of it tried by llama.cpp."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from advisor.catalog.audit import Audit, audit
from advisor.domain.footprint import footprint
from advisor.domain.model import Model, Shape
from advisor.domain.placement import cpu_placement
from advisor.domain.upkeep.finding import Finding, in_order, n_errors
from advisor.domain.weights import blueprint, refusal, weights
from advisor.engine.client import EngineClient, EngineRefused, EngineUnavailable
from advisor.engine.figures import LOG_STEP_BYTES, disagreements, engine_footprint
from advisor.engine.operations import size_blueprint
from advisor.engine.placement import context_params
from advisor.errors import AdvisorError, EngineError, InputError

DRY_RUN_TOKENS = 4096
_FILE_TYPES = ("Q4_K_M", "Q4_0", "F16")
"""The first that llama.cpp's quantizer can make of a shape is tried."""
_MAX_DEATHS = 3
"""After so many dead children in a row it is the engine that is broken, not the blueprint."""


@dataclass(frozen=True, slots=True)
class Validation:
    """What was looked at and what is wrong."""

    findings: tuple[Finding, ...]
    n_files: int
    n_models: int
    n_dry_runs: int
    """Blueprints that llama.cpp was asked about."""
    engine_problem: EngineError | None
    """Why it could not be asked about the rest."""

    @property
    def n_errors(self) -> int:
        return n_errors(self.findings)


def validate(knowledge: Path, overlay: Path, today: date, *, use_engine: bool) -> Validation:
    """Look over everything; with `use_engine` have llama.cpp load each blueprint. Never raises for what it finds."""
    found = audit(knowledge, overlay, today)
    if not use_engine:
        return Validation(found.findings, found.n_files, len(found.models), 0, None)
    findings = list(found.findings)
    n, problem = 0, None
    try:
        for about_one in _dry_runs(found):
            n += 1
            findings += about_one
    except EngineError as error:
        problem = error
    return Validation(in_order(findings), found.n_files, len(found.models), n, problem)


def _dry_runs(found: Audit) -> Iterator[list[Finding]]:
    """What llama.cpp says of each model with a shape. Raises EngineError where it cannot be asked."""
    deaths = 0
    with EngineClient(threads=1) as client:
        for model, file in found.models:
            if model.shape is None:
                continue
            try:
                yield [*_dry_run(client, model, model.shape, file)]
                deaths = 0
            except EngineUnavailable:
                raise
            except InputError as error:
                yield [_refused(model, file, error)]  # a blueprint too large for any file
            except EngineError as error:
                deaths = 0 if isinstance(error, EngineRefused) else deaths + 1
                if deaths == _MAX_DEATHS:
                    raise
                yield [_refused(model, file, error)]


def _dry_run(client: EngineClient, model: Model, shape: Shape, file: str) -> Iterator[Finding]:
    file_type = next((t for t in _FILE_TYPES if refusal(shape, t) is None), "F16")
    tokens = min(model.max_context_tokens or DRY_RUN_TOKENS, DRY_RUN_TOKENS)
    placement = cpu_placement(tokens)
    report = size_blueprint(client, blueprint(model, file_type), context_params(placement))
    expected = footprint(shape, weights(shape, file_type), placement, ())
    slack = 0 if shape.state_space is None else LOG_STEP_BYTES
    for text in disagreements(expected, engine_footprint(expected, report.memory), cache_slack_bytes=slack):
        fix = "Correct the dimension that is wrong, or the closed form where the engine changed."
        yield Finding("error", file, f"model[{model.id}].shape", f"{file_type}: {text}", fix)


def _refused(model: Model, file: str, error: AdvisorError) -> Finding:
    reason = f"llama.cpp does not load its blueprint: {error.what}" + (f": {error.why}" if error.why else "")
    return Finding("error", file, f"model[{model.id}].shape", reason, "Correct the dimension that is wrong.")
