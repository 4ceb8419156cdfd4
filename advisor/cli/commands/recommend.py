"""`llm-advisor recommend`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from advisor import api
from advisor.cli import output
from advisor.cli.diagnostics import note
from advisor.cli.fleet_output import note_failures, print_placement, require_enough
from advisor.cli.options import (
    constraint_options,
    given_answers,
    is_simulated,
    machine_choice,
    machine_options,
    models_dir_option,
    needs_of,
    output_options,
)
from advisor.cli.progress import MeasuringProgress
from advisor.domain.carried_words import COLUMN, carried_cell, one_machine_ends
from advisor.domain.constraints import Constraints
from advisor.domain.exclusions import Exclusion, exclusion_document
from advisor.domain.hardware import Machine
from advisor.domain.hardware_options import HardwareAnswer
from advisor.domain.hardware_words import OPTION_COLUMNS, hardware_document, hardware_paragraph, option_rows
from advisor.domain.local_files import LocalFile
from advisor.domain.presentation import explanation, sensitivity_paragraphs
from advisor.domain.questions import Answer
from advisor.domain.rankings import EXCLUDED_COLUMNS, FRONT_COLUMN, excluded_rows, plain_row
from advisor.domain.recommend import Recommendation
from advisor.domain.relaxing import Relaxation, relaxation_lines, setting_text
from advisor.domain.wording import ranking_row
from advisor.errors import InputError, NoCandidateError
from advisor.service import Advisor, FleetAdvice

_WIDTH = 78
"""Cells that bars may take, so that the text fits a small terminal."""

_COLUMNS = ("#", "model", "quant", "memory", "speed", "licence", "quality", "score")


@click.command("recommend")
@constraint_options
@machine_options
@output_options
@click.option("-o", "place", metavar="FILE", help="Write the recommendation as TOML; - for standard output.")
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write a report: .md or .html.")
@click.option("--force", is_flag=True, help="Overwrite files.")
@click.option("--quant", metavar="TYPE", help="Consider this file type only, e.g. Q4_K_M.")
@click.option("--model", "named", multiple=True, metavar="ID", help="Consider a model that is otherwise only listed.")
@click.option("--measure", is_flag=True, help="Time the best candidates here, with slices of them, and rank again.")
@click.option("--sensitivity", is_flag=True, help="Show which weight or requirement would change the pick. Slower.")
@click.option("--exclusions", "with_exclusions", is_flag=True, help="Show how many models each answer excludes.")
@click.option(
    "--what-hardware", is_flag=True, help="Show what hardware would make the models named with --model possible."
)
@click.option(
    "--trial",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="RESULT.json",
    help="Judge quality by a trial on your own tasks, as `trial -o` writes it, above published results.",
)
@models_dir_option
@click.option("--relax", metavar="MODEL", help="Change the answers just so far that this excluded model passes.")
@click.option("--excluded", is_flag=True, help="List what is excluded instead: requirement, reason and fix.")
@click.option("-n", "limit", type=click.IntRange(1), default=10, show_default=True, help="Rows of the table.")
def command(
    constraints_file: Path | None,
    settings: tuple[str, ...],
    gpu: str | None,
    ram: int | None,
    machine_file: Path | None,
    as_json: bool,
    plain: bool,
    place: str | None,
    report: Path | None,
    force: bool,
    quant: str | None,
    named: tuple[str, ...],
    measure: bool,
    sensitivity: bool,
    with_exclusions: bool,
    what_hardware: bool,
    trial: Path | None,
    folders: tuple[Path, ...],
    relax: str | None,
    excluded: bool,
    limit: int,
) -> None:
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
        constraints = advisor.constraints(given_answers(advisor, constraints_file, settings))
        machine = advisor.machine(machine_choice(gpu, ram, machine_file))
        _print_wishes(_wishes(advisor, machine, constraints, named, quant), as_json=as_json, plain=plain)
        return
    target = None if report is None else advisor.report_target(report)
    placed = None
    if machine_file is not None and advisor.is_fleet_file(machine_file):
        needs = advisor.constraints(given_answers(advisor, constraints_file, settings))
        placed = _on_fleet(advisor, machine_file, needs, is_simulated(gpu, ram, None), named, quant)
    if sensitivity:
        note("Trying other requirements, one at a time …")
    with MeasuringProgress() as progress:
        advice = api.recommend(
            needs_of(constraints_file, settings),
            gpu=gpu,
            ram=ram,
            machine=machine_file if placed is None else placed.machine,
            models=named,
            quantization=quant,
            relax=relax,
            measure=measure,
            sensitivity=sensitivity,
            trial=trial,
            models_dirs=folders,
            on_event=progress,
            advisor=advisor,
        )
    if advice.relaxation is not None:
        _tell_relaxation(advisor, advice.relaxation, given_answers(advisor, constraints_file, settings))
    for said in advice.trial_notes:
        note(said)
    for problem in advice.problems:
        note(f"not measured: {problem}")
    if advice.pick is not None and not (place is None and report is None):
        text = advice.to_toml()
        if place is not None:
            output.emit_file(text, place, force=force)
        if report is not None and target is not None:
            output.emit_files(_report(advisor, text, target, report), report.parent, force=force)
    counts = tuple(advisor.exclusions(advice.value, advice.answers)) if with_exclusions else None
    if as_json:
        extra: dict[str, Any] = {} if counts is None else {"exclusions": [exclusion_document(one) for one in counts]}
        if placed is not None:
            extra["fleet"] = advisor.fleet_advice_document(placed)
        output.emit_json({**advice.document, **extra})
    elif excluded:
        output.emit_table(EXCLUDED_COLUMNS, excluded_rows(advice.value), plain=plain)
    elif place is None and report is None:
        _print(advice.value, plain=plain, limit=limit)
        if not plain:
            output.emit_paragraphs(_here(advisor.candidates_here(advice.value, folders)))
        if sensitivity and plain:
            _print_sensitivity(advice.value)
        if counts is not None:
            _print_exclusions(counts, plain=plain)
        if placed is not None:
            print_placement(placed, plain=plain)
    if advice.pick is None:
        raise _nothing(advice.value)
    if placed is not None:
        subject = placed.plans.subject
        if advice.pick.model.id != subject.model.id:
            note(f"{advice.pick.model.id} ranks first there; the fleet is placed with {subject.model.id}.")
        require_enough(placed)


def _on_fleet(
    advisor: Advisor,
    path: Path,
    constraints: Constraints,
    is_changed: bool,
    named: tuple[str, ...],
    quant: str | None,
) -> FleetAdvice:
    """The pick placed on the machines of a fleet file. Raises InputError where options would change them."""
    if is_changed:
        raise InputError("--gpu and --ram change one machine", hint=f"Leave them out, or change {path}.")
    fleet = advisor.fleet_of_file(path)
    note_failures(fleet)
    placed = advisor.recommend_on_fleet(fleet, constraints, named=named, quantization=quant)
    note(f"For {placed.node_name}, one of {len(fleet.nodes)} machines; on which of them it runs follows below.")
    return placed


def _wishes(
    advisor: Advisor, machine: Machine, constraints: Constraints, named: tuple[str, ...], quant: str | None
) -> tuple[HardwareAnswer, ...]:
    if not named:
        raise InputError("--what-hardware names no model", hint="Add for example --model llama-3.3-70b-instruct.")
    quantization = None if quant is None else advisor.quantization_name(quant)
    return tuple(advisor.hardware_for(name, machine, constraints, quantization=quantization) for name in named)


def _print_wishes(found: tuple[HardwareAnswer, ...], *, as_json: bool, plain: bool) -> None:
    """The options of each model, or why there are none. Raises NoCandidateError where some model has none."""
    if as_json:
        output.emit_json({"hardware": [hardware_document(one) for one in found]})
    for one in () if as_json else found:
        rows = [(one.model.id, *row) for row in option_rows(one)]
        if rows:
            output.emit_table(("model", *OPTION_COLUMNS), rows, plain=plain, numeric=(3, 4))
        else:
            note("; ".join((one.model.id, *hardware_paragraph(one).lines)))
    impossible = [one.model.id for one in found if not one.is_possible]
    if impossible:
        why = "the reasons stand above, or under `obstacles` in the document"
        hint = "Change the needs: llm-advisor licence and recommend --exclusions say which."
        raise NoCandidateError(f"no hardware makes {', '.join(impossible)} possible", why=why, hint=hint)


def _report(advisor: Advisor, text: str, target: str, path: Path) -> dict[str, str]:
    """The report's files, the first under the name that was asked for."""
    first, *others = advisor.export_text(text, target, path.stem).items()
    return {path.name: first[1], **dict(others)}


def _tell_relaxation(advisor: Advisor, done: Relaxation, before: dict[str, Answer]) -> None:
    """What was changed to admit a model, from the answers before, and how to write the same without asking."""
    if not done.settings and not done.names_model:
        note(f"{done.model.id} passes as it is.")
        return
    for line in relaxation_lines(done, advisor.questionnaire, before):
        note(line)
    typed = [f"--set '{setting_text(advisor.questionnaire, s)}'" for s in done.settings]
    note(f"The same without --relax: {' '.join([*typed, *([f'--model {done.model.id}'] * done.names_model)])}")


def _print(found: Recommendation, *, plain: bool, limit: int) -> None:
    if found.machine.simulated:
        note("For a simulated machine.")
    if found.pick is None:
        return
    row, columns = (plain_row, (*_COLUMNS, FRONT_COLUMN)) if plain else (ranking_row, _COLUMNS)
    rows = [row(i, candidate) for i, candidate in enumerate(found.ranked[:limit], start=1)]
    if found.load.is_shared:
        columns = (*columns, COLUMN)
        rows = [(*cells, carried_cell(c)) for cells, c in zip(rows, found.ranked, strict=False)]
        for line in one_machine_ends(found):
            note(f"{line[0].upper()}{line[1:]}.")
    output.emit_table(columns, rows, plain=plain, numeric=(0, 3, 4, 6, 7))
    if not plain:
        output.emit_paragraphs([(p.title, p.lines) for p in explanation(found.pick, found, width=_WIDTH)])


def _here(here: Mapping[str, LocalFile]) -> list[tuple[str, list[str]]]:
    lines = [f"{candidate}  {file.path}" for candidate, file in here.items()]
    return [("Already here", lines)] if lines else []


def _print_sensitivity(found: Recommendation) -> None:
    """A second table, after an empty line, so that a script can tell the two apart."""
    output.emit_text("")
    rows = [(p.title, line) for p in sensitivity_paragraphs(found) for line in p.lines]
    output.emit_table(("about", "finding"), rows, plain=True)


def _print_exclusions(excluded: tuple[Exclusion, ...], *, plain: bool) -> None:
    """A table of its own, after an empty line."""
    output.emit_text("")
    rows = [(one.key, str(len(one.alone)), str(len(one.with_others))) for one in excluded]
    output.emit_table(("answer", "excludes alone", "with others"), rows, plain=plain, numeric=(1, 2))


def _nothing(found: Recommendation) -> NoCandidateError:
    for miss in found.near_misses:
        name = f"{miss.model.id} {miss.quantization or ''}".strip()
        for reason in miss.reasons:
            note(f"near miss {name}: {reason.text}" + (f" -> {reason.fix}" if reason.fix else ""))
    count = len(found.rejected)
    return NoCandidateError(
        "no model satisfies the constraints",
        why=f"all {count} are excluded",
        hint="The nearest misses and what would admit them stand above.",
    )
