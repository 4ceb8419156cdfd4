"""`llm-advisor recommend`."""

from __future__ import annotations

from pathlib import Path

import click

from advisor.cli import output
from advisor.cli.diagnostics import note
from advisor.cli.options import constraint_options, machine_choice, machine_options, output_options, typed_answers
from advisor.cli.progress import MeasuringProgress
from advisor.domain.presentation import explanation, sensitivity_paragraphs
from advisor.domain.questions import Answer
from advisor.domain.rankings import EXCLUDED_COLUMNS, FRONT_COLUMN, excluded_rows, plain_row
from advisor.domain.recommend import Recommendation
from advisor.domain.relaxing import relaxation_lines, setting_text
from advisor.domain.wording import ranking_row
from advisor.errors import NoCandidateError
from advisor.service import Advisor

_WIDTH = 78
"""Cells that bars may take, so that the text fits a small terminal."""

_COLUMNS = ("#", "model", "quant", "memory", "speed", "licence", "quality", "score")


@click.command("recommend")
@constraint_options
@machine_options
@output_options
@click.option("-o", "place", metavar="FILE", help="Write the recommendation as TOML; - for standard output.")
@click.option("--force", is_flag=True, help="Overwrite the file.")
@click.option("--quant", metavar="TYPE", help="Consider this file type only, e.g. Q4_K_M.")
@click.option("--model", "named", multiple=True, metavar="ID", help="Consider a model that is otherwise only listed.")
@click.option("--measure", is_flag=True, help="Time the best candidates here, with slices of them, and rank again.")
@click.option("--sensitivity", is_flag=True, help="Show which weight or requirement would change the pick. Slower.")
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
    force: bool,
    quant: str | None,
    named: tuple[str, ...],
    measure: bool,
    sensitivity: bool,
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
    llm-advisor recommend --set latency.tokens_per_s=20 --excluded
    llm-advisor recommend --set latency.tokens_per_s=20 --relax ministral-3-8b-instruct
    """
    advisor = Advisor()
    answers = advisor.answers(constraints_file, settings, typed_answers())
    constraints = advisor.constraints(answers)
    machine = advisor.machine(machine_choice(gpu, ram, machine_file))
    found = advisor.recommend(machine, constraints, named=named, quantization=quant)
    if relax is not None:
        answers, found = _relaxed(advisor, relax, found, answers)
    if measure:
        found = _measured(advisor, found)
    if sensitivity:
        note("Trying other requirements, one at a time …")
        found = advisor.with_constraint_changes(found)
    if place is not None and found.pick is not None:
        output.emit_file(advisor.recommendation_text(found, answers), place, force=force)
    if as_json:
        output.emit_json(advisor.recommendation_document(found, answers))
    elif excluded:
        output.emit_table(EXCLUDED_COLUMNS, excluded_rows(found), plain=plain)
    elif place is None:
        _print(found, plain=plain, limit=limit)
        if sensitivity and plain:
            _print_sensitivity(found)
    if found.pick is None:
        raise _nothing(found)


def _relaxed(
    advisor: Advisor, name: str, found: Recommendation, answers: dict[str, Answer]
) -> tuple[dict[str, Answer], Recommendation]:
    done = advisor.relax(name, found, answers)
    if not done.is_admitted:
        reasons = "; ".join(reason.text for reason in done.obstacles)
        raise NoCandidateError(f"no answer admits {done.model.id}", why=reasons)
    if not done.settings and not done.names_model:
        note(f"{done.model.id} passes as it is.")
        return answers, found
    for line in relaxation_lines(done, advisor.questionnaire, answers):
        note(line)
    typed = [f"--set '{setting_text(advisor.questionnaire, s)}'" for s in done.settings]
    note(f"The same without --relax: {' '.join([*typed, *([f'--model {done.model.id}'] * done.names_model)])}")
    return dict(done.answers), done.found


def _measured(advisor: Advisor, found: Recommendation) -> Recommendation:
    with MeasuringProgress() as progress:
        ranked, problems = advisor.measure_finalists(found, on_event=progress)
    for problem in problems:
        note(f"not measured: {problem}")
    return ranked


def _print(found: Recommendation, *, plain: bool, limit: int) -> None:
    if found.machine.simulated:
        note("For a simulated machine.")
    if found.pick is None:
        return
    row, columns = (plain_row, (*_COLUMNS, FRONT_COLUMN)) if plain else (ranking_row, _COLUMNS)
    rows = [row(i, candidate) for i, candidate in enumerate(found.ranked[:limit], start=1)]
    output.emit_table(columns, rows, plain=plain, numeric=(0, 3, 4, 6, 7))
    if not plain:
        output.emit_paragraphs([(p.title, p.lines) for p in explanation(found.pick, found, width=_WIDTH)])


def _print_sensitivity(found: Recommendation) -> None:
    """A second table, after an empty line, so that a script can tell the two apart."""
    output.emit_text("")
    rows = [(p.title, line) for p in sensitivity_paragraphs(found) for line in p.lines]
    output.emit_table(("about", "finding"), rows, plain=True)


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
