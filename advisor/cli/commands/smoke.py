"""`llm-advisor smoke`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click

from advisor.api import Needs, answers_of
from advisor.cli import output
from advisor.cli.diagnostics import note
from advisor.cli.help import Command
from advisor.cli.options import complete_model_or_file, constraint_options, models_dir_option, output_options
from advisor.domain.constraints import Constraints
from advisor.domain.quantization import DEFAULT_QUANTIZATION
from advisor.domain.smoke_report import SmokeReport, smoke_document
from advisor.domain.wording import smoke_facts
from advisor.errors import CheckFailedError, InputError
from advisor.service import Advisor


@click.command("smoke", cls=Command)
@click.argument("target", metavar="MODEL|FILE.gguf|RECOMMENDATION.toml", shell_complete=complete_model_or_file)
@click.option("--quant", metavar="TYPE", default=DEFAULT_QUANTIZATION, show_default=True, help="File type of a model.")
@click.option(
    "-o",
    "place",
    metavar="FILE",
    help="Write a recommendation again with the test in it; - for standard output.",
)
@click.option("--force", is_flag=True, help="Overwrite that file.")
@models_dir_option
@constraint_options
@output_options
def command(
    target: str,
    quant: str,
    place: str | None,
    force: bool,
    folders: tuple[Path, ...],
    needs: Needs,
    as_json: bool,
    plain: bool,
) -> None:
    """Run a model here for a moment and judge what was measured. Exit code 4 when it fails, with what to try next.

    A file of the model that is on this machine is used, as `files` lists them. Its chat template is rendered in a
    sandbox, it is asked a question in each language that you need, and read a long prompt; it must stop by itself, say
    the same twice, and for agents call a tool by a grammar. None is downloaded (`download` does that): without a file,
    slices of the model with random weights are timed, which tells the speed and nothing about answers.

    \b
    llm-advisor smoke recommendation.toml
    llm-advisor smoke recommendation.toml -o tested.toml
    llm-advisor smoke ./model.gguf
    llm-advisor smoke llama-3.2-3b-instruct --quant Q8_0
    """
    advisor = Advisor()
    if place is not None and not target.lower().endswith(".toml"):
        why = "-o writes the test into the recommendation that it tests"
        raise InputError("there is nothing to write", why=why, hint="Name a recommendation file, or leave -o out.")
    output.check_file(place, force=force)
    report = _run(advisor, target, quant, needs, folders)
    if place is not None:
        output.emit_file(advisor.recommendation_with_smoke(Path(target), report), place, force=force)
    if place != "-":  # standard output has the file
        _tell(report, as_json=as_json, plain=plain)
    if report.verdict.verdict == "fail":
        failed = [c.text for c in report.verdict.checks if c.passed is False and c.required]
        hint = next((f"Try {s.text}: {s.command}" for s in report.next_steps if s.command), None)
        raise CheckFailedError("the smoke test failed", why="; ".join(failed), hint=hint)


def _tell(report: SmokeReport, *, as_json: bool, plain: bool) -> None:
    if as_json:
        output.emit_json(smoke_document(report))
    else:
        output.emit_facts(smoke_facts(report), plain=plain)


def _run(
    advisor: Advisor,
    target: str,
    quant: str,
    needs: Needs,
    folders: tuple[Path, ...],
) -> SmokeReport:
    progress = _Progress()
    if target.lower().endswith(".gguf") and "://" not in target:
        constraints = advisor.constraints(answers_of(advisor, needs))
        return advisor.smoke_file(Path(target), constraints, on_event=progress)
    if target.lower().endswith(".toml"):
        return _run_recommended(advisor, Path(target), needs, folders, progress)
    constraints = advisor.constraints(answers_of(advisor, needs))
    return _run_model(advisor, advisor.model_no_file(target).id, quant, constraints, folders, progress)


def _run_recommended(
    advisor: Advisor, path: Path, needs: Needs, folders: tuple[Path, ...], progress: _Progress
) -> SmokeReport:
    model, quantization = advisor.recorded_pick(path)
    constraints = advisor.constraints(answers_of(advisor, replace(needs, file=path)))
    return _run_model(advisor, model, quantization, constraints, folders, progress)


def _run_model(
    advisor: Advisor,
    name: str,
    quant: str,
    constraints: Constraints,
    folders: tuple[Path, ...],
    progress: _Progress,
) -> SmokeReport:
    model = advisor.model(name)
    found = advisor.recommend(advisor.machine(), constraints, named=(model.id,), quantization=quant)
    candidate = next(iter(found.candidates_of(model.id)), None)
    if candidate is None:
        rejection = next(r for r in found.rejected if r.model.id == model.id)
        fixes = "; ".join(reason.fix for reason in rejection.reasons if reason.fix)
        raise InputError(
            f"{model.id} in {quant} is excluded here",
            why="; ".join(reason.text for reason in rejection.reasons),
            hint=f"To admit it: {fixes}" if fixes else None,
        )
    return advisor.smoke(candidate, constraints, folders=folders, on_event=progress)


class _Progress:
    """Narrates stages once each, on a terminal only."""

    def __init__(self) -> None:
        self._said: set[str] = set()
        self._wanted = sys.stderr.isatty()

    def __call__(self, event: object) -> None:
        payload = getattr(event, "payload", {})
        stage = str(payload.get("stage", "run"))
        if self._wanted and stage not in self._said:
            self._said.add(stage)
            note({"write": "writing random weights …", "load": "loading …"}.get(stage, f"{stage} …"))
