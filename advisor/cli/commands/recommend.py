"""`llm-advisor recommend`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from advisor import api
from advisor.api import Needs, answers_of
from advisor.cli import output
from advisor.cli.diagnostics import note
from advisor.cli.help import Command
from advisor.cli.options import (
    complete_model,
    constraint_options,
    gathered,
    machine_options,
    models_dir_option,
    output_options,
    trial_option,
)
from advisor.cli.progress import MeasuringProgress
from advisor.domain.questions import Answer
from advisor.domain.recommend import Recommendation
from advisor.errors import InputError, NoCandidateError
from advisor.service import Advisor, MachineChoice
from advisor.units import counted

if TYPE_CHECKING:
    from advisor.domain.exclusions import Exclusion
    from advisor.domain.relaxing import Relaxation
    from advisor.service import FleetAdvice


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked for beside needs and machine."""

    quant: str | None
    named: tuple[str, ...]
    measure: bool
    remeasure: bool
    sensitivity: bool
    trial: Path | None
    folders: tuple[Path, ...]
    relax: str | None


@dataclass(frozen=True, slots=True)
class _Shown:
    """Where the answer goes and how much of it is shown."""

    place: str | None
    report: Path | None
    force: bool
    with_exclusions: bool
    excluded: bool
    limit: int
    as_json: bool
    plain: bool

    @property
    def is_written(self) -> bool:
        """Whether it goes into files, so that no table is wanted."""
        return self.place is not None or self.report is not None


@click.command("recommend", cls=Command)
@constraint_options
@machine_options
@output_options
@click.option("-o", "place", metavar="FILE", help="Write the recommendation as TOML; - for standard output.")
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write a report: .md or .html.")
@click.option("--force", is_flag=True, help="Overwrite files.")
@click.option("--quant", metavar="TYPE", help="Consider this file type only, e.g. Q4_K_M.")
@click.option(
    "--model",
    "named",
    multiple=True,
    metavar="ID",
    shell_complete=complete_model,
    help="Consider a model that is otherwise only listed.",
)
@click.option("--measure", is_flag=True, help="Time the best candidates here, with slices of them, and rank again.")
@click.option("--remeasure", is_flag=True, help="As --measure, and time also what was timed before.")
@click.option("--sensitivity", is_flag=True, help="Show which weight or requirement would change the pick. Slower.")
@click.option("--exclusions", "with_exclusions", is_flag=True, help="Show how many models each answer excludes.")
@click.option(
    "--what-hardware", is_flag=True, help="Show what hardware would make the models named with --model possible."
)
@trial_option
@models_dir_option
@click.option(
    "--relax",
    metavar="MODEL",
    shell_complete=complete_model,
    help="Change the answers just so far that this excluded model passes.",
)
@click.option("--excluded", is_flag=True, help="List what is excluded instead: requirement, reason and fix.")
@click.option(
    "-n", "limit", type=click.IntRange(1), metavar="N", default=10, show_default=True, help="Rows of the table."
)
@gathered("asked", _Asked)
@gathered("shown", _Shown)
def command(needs: Needs, where: MachineChoice, asked: _Asked, shown: _Shown, what_hardware: bool) -> None:
    """Which model, in which quantization, to run for a use on a machine.

    \b
    llm-advisor recommend
    llm-advisor recommend --set 'languages.required=["fr"]' --set task.kind=coding
    llm-advisor recommend --gpu "RTX 4090" --ram 64GiB --json
    llm-advisor recommend --constraints needs.toml -o recommendation.toml
    llm-advisor recommend --sensitivity
    llm-advisor recommend --trial result.json
    llm-advisor recommend --report report.html
    llm-advisor recommend --preset french-chatbot --exclusions
    llm-advisor recommend --model llama-3.3-70b-instruct --what-hardware
    llm-advisor recommend --set latency.tokens_per_s=20 --excluded
    llm-advisor recommend --set latency.tokens_per_s=20 --relax ministral-3-8b-instruct
    llm-advisor recommend --machine fleet.toml --set scale.users=200
    """
    advisor = Advisor()
    if what_hardware:
        from advisor.cli.commands.recommend_hardware import print_hardware

        _refuse_with_hardware(asked, shown)
        print_hardware(advisor, needs, where, asked.named, asked.quant, as_json=shown.as_json, plain=shown.plain)
        return
    target = None if shown.report is None else advisor.report_target(shown.report)
    for place in (shown.place, shown.report):
        output.check_file(None if place is None else str(place), force=shown.force)
    placed = _on_fleet(advisor, needs, where, asked)
    advice = _advice(advisor, needs, where, asked, placed)
    _tell(advisor, advice, needs)
    if advice.pick is not None and shown.is_written:
        _write(advisor, advice.to_toml(), target, shown)
    if advice.pick is None or shown.place != "-":  # else standard output has the file
        _show(advisor, advice, placed, asked, shown)
    if advice.pick is None:
        raise _nothing(advice.value)
    if placed is not None:
        from advisor.cli.fleet_output import require_enough

        subject = placed.plans.subject
        if advice.pick.model.id != subject.model.id:
            note(f"{advice.pick.model.id} ranks first there; the fleet is placed with {subject.model.id}.")
        require_enough(placed)


def _refuse_with_hardware(asked: _Asked, shown: _Shown) -> None:
    """Raises InputError for an option that the question for hardware cannot have."""
    given = {
        "-o": shown.place,
        "--report": shown.report,
        "--measure": asked.measure,
        "--remeasure": asked.remeasure,
        "--sensitivity": asked.sensitivity,
        "--exclusions": shown.with_exclusions,
        "--trial": asked.trial,
        "--models-dir": asked.folders,
        "--relax": asked.relax,
        "--excluded": shown.excluded,
    }
    wrong = next((option for option, value in given.items() if value), None)
    if wrong is not None:
        why = "it tells what hardware would do and ranks nothing"
        raise InputError(f"--what-hardware takes no {wrong}", why=why, hint=f"Leave {wrong} out.")


def _on_fleet(advisor: Advisor, needs: Needs, where: MachineChoice, asked: _Asked) -> FleetAdvice | None:
    """The pick placed on the machines of a fleet file; None for one machine.

    Raises InputError where options would change the machines.
    """
    if where.file is None or not advisor.is_fleet_file(where.file):
        return None
    from advisor.cli.fleet_output import note_failures

    constraints = advisor.constraints(answers_of(advisor, needs))
    if where.is_changed:
        raise InputError("--gpu and --ram change one machine", hint=f"Leave them out, or change {where.file}.")
    fleet = advisor.fleet_of_file(where.file)
    note_failures(fleet)
    placed = advisor.recommend_on_fleet(fleet, constraints, named=asked.named, quantization=asked.quant)
    machines = counted(len(fleet.nodes), "machine")
    note(f"For {placed.node_name}, one of {machines}; on which of them it runs follows below.")
    return placed


def _advice(
    advisor: Advisor, needs: Needs, where: MachineChoice, asked: _Asked, placed: FleetAdvice | None
) -> api.Advice:
    if asked.sensitivity:
        note("Trying other requirements, one at a time …")
    with MeasuringProgress() as progress:
        return api.recommend(
            needs,
            gpu=where.gpu,
            ram=where.ram_bytes,
            machine=where.file if placed is None else placed.machine,
            models=asked.named,
            quantization=asked.quant,
            relax=asked.relax,
            measure="again" if asked.remeasure else asked.measure,
            sensitivity=asked.sensitivity,
            trial=asked.trial,
            models_dirs=asked.folders,
            on_event=progress,
            advisor=advisor,
        )


def _tell(advisor: Advisor, advice: api.Advice, needs: Needs) -> None:
    """What is said beside the answer: changed needs, remarks on a trial, what could not be measured."""
    if advice.relaxation is not None:
        _tell_relaxation(advisor, advice.relaxation, answers_of(advisor, needs))
    for said in advice.trial_notes:
        note(said)
    for problem in advice.problems:
        note(f"not measured: {problem}")


def _write(advisor: Advisor, text: str, target: str | None, shown: _Shown) -> None:
    if shown.place is not None:
        output.emit_file(text, shown.place, force=shown.force)
    if shown.report is not None and target is not None:
        output.emit_files(_report(advisor, text, target, shown.report), shown.report.parent, force=shown.force)


def _show(advisor: Advisor, advice: api.Advice, placed: FleetAdvice | None, asked: _Asked, shown: _Shown) -> None:
    counts = tuple(advisor.exclusions(advice.value, advice.answers)) if shown.with_exclusions else None
    if shown.as_json:
        output.emit_json(_document(advisor, advice, placed, counts))
        return
    # What words need is not loaded for JSON, which programs wait for.
    from advisor.cli import ranking_output

    if shown.excluded:
        ranking_output.print_excluded(advice.value, plain=shown.plain)
    elif not shown.is_written:
        ranking_output.print_ranking(advice.value, plain=shown.plain, limit=shown.limit)
        if not shown.plain:
            ranking_output.print_files_here(advisor.candidates_here(advice.value, asked.folders))
        if asked.sensitivity and shown.plain:
            ranking_output.print_sensitivity(advice.value)
        if counts is not None:
            ranking_output.print_exclusions(counts, plain=shown.plain)
        if placed is not None:
            from advisor.cli.fleet_output import print_placement

            print_placement(placed, plain=shown.plain)


def _document(
    advisor: Advisor, advice: api.Advice, placed: FleetAdvice | None, counts: tuple[Exclusion, ...] | None
) -> dict[str, Any]:
    extra: dict[str, Any] = {}
    if counts is not None:
        from advisor.domain.exclusions import exclusion_document

        extra["exclusions"] = [exclusion_document(one) for one in counts]
    if placed is not None:
        extra["fleet"] = advisor.fleet_advice_document(placed)
    return {**advice.document, **extra}


def _report(advisor: Advisor, text: str, target: str, path: Path) -> dict[str, str]:
    """The report's files, the first under the name that was asked for."""
    first, *others = advisor.export_text(text, target, path.stem).texts.items()
    return {path.name: first[1], **dict(others)}


def _tell_relaxation(advisor: Advisor, done: Relaxation, before: dict[str, Answer]) -> None:
    """What was changed to admit a model, from the answers before, and how to write the same without asking."""
    from advisor.domain.relaxing import relaxation_lines, setting_text

    if not done.settings and not done.names_model:
        note(f"{done.model.id} passes as it is.")
        return
    for line in relaxation_lines(done, advisor.questionnaire, before):
        note(line)
    typed = [f"--set '{setting_text(advisor.questionnaire, s)}'" for s in done.settings]
    note(f"The same without --relax: {' '.join([*typed, *([f'--model {done.model.id}'] * done.names_model)])}")


def _nothing(found: Recommendation) -> NoCandidateError:
    for miss in found.near_misses:
        name = f"{miss.model.id} {miss.quantization or ''}".strip()
        for reason in miss.reasons:
            note(f"near miss {name}: {reason.line}")
    count = len(found.rejected)
    return NoCandidateError(
        "no model satisfies the constraints",
        why=f"all {count} are excluded",
        hint="The nearest misses stand above with what each lacks first; --relax MODEL finds all that one needs.",
    )
