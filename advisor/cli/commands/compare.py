"""`llm-advisor compare`."""

from __future__ import annotations

from pathlib import Path

import click

from advisor.api import Needs, answers_of
from advisor.cli import output
from advisor.cli.diagnostics import note
from advisor.cli.help import Command
from advisor.cli.options import complete_model, constraint_options, machine_options, output_options, trial_option
from advisor.domain.head_to_head import HeadToHead
from advisor.domain.head_to_head.layout import LEGEND, short_names, sources_of, tables_of
from advisor.errors import NoCandidateError
from advisor.service import Advisor, MachineChoice


@click.command("compare", cls=Command)
@click.argument("names", metavar="A B [C [D]]", nargs=-1, shell_complete=complete_model)
@constraint_options
@machine_options
@output_options
@trial_option
@click.option("--markdown", is_flag=True, help="A page of Markdown with tables and numbered sources.")
def command(
    names: tuple[str, ...],
    needs: Needs,
    where: MachineChoice,
    as_json: bool,
    plain: bool,
    trial: Path | None,
    markdown: bool,
) -> None:
    """Models or families side by side, for this machine and this use: quality, cost, licence, languages, fine-tuning.

    \b
    llm-advisor compare mistral-7b-instruct-v0.3 llama-3.1-8b-instruct
    llm-advisor compare mixtral-8x7b-instruct-v0.1:Q4_K_M llama-3.3-70b-instruct --gpu "RTX 4090x2"
    llm-advisor compare mistral llama --set 'languages.required=["fr"]' --use-eu-based true
    llm-advisor compare mistral-7b-instruct-v0.3 llama-3.1-8b-instruct --trial result.json
    """
    if sum((markdown, as_json, plain)) > 1:
        raise click.UsageError("--markdown, --json and --plain exclude one another.")
    advisor = Advisor()
    constraints = advisor.constraints(answers_of(advisor, needs))
    evidence, remarks = (None, ()) if trial is None else advisor.trial_evidence(trial)
    for said in remarks:
        note(said)
    found = advisor.compare(names, advisor.machine(where), constraints, trial=evidence)
    if found.machine.simulated:
        note("For a simulated machine.")
    if as_json:
        output.emit_json(advisor.comparison_document(found))
    elif markdown:
        output.emit_text(advisor.comparison_markdown(found).rstrip("\n"))
    elif plain:
        _print_plain(found)
    else:
        _print(found)
    if not found.anything_usable:
        raise _nothing(found)


def _print(found: HeadToHead) -> None:
    for table in tables_of(found):
        output.emit_paragraphs([(table.title, ())])
        output.emit_table(table.columns, table.rows, plain=False)
        for text in table.notes:
            output.emit_text(f"  {text}")
    numbered = [f"[{i}] {source}" for i, source in enumerate(sources_of(found), start=1)]
    output.emit_paragraphs([("Sources", numbered), ("Legend", (LEGEND,)), ("Bottom line", found.bottom_line)])


def _print_plain(found: HeadToHead) -> None:
    """One figure a line; who leads stands under the subject `edge`, the bottom line under the section of that name."""
    rows, names = [], short_names(found)
    for section in found.sections:
        for line in section.lines:
            for subject, figure in zip(found.subjects, line.figures, strict=True):
                basis = figure.basis.value if figure.basis else ""
                rows.append((section.id, line.id, subject.label, figure.text, basis, figure.source or ""))
            if line.edge is not None:
                who = names[line.edge.subject] if line.edge.subject is not None else line.edge.kind.value
                rows.append((section.id, line.id, "edge", f"{who}: {line.edge.text}", line.edge.kind.value, ""))
    rows += [("bottom_line", str(i), "", text, "", "") for i, text in enumerate(found.bottom_line, start=1)]
    output.emit_table(("section", "line", "subject", "text", "basis", "source"), rows, plain=True)


def _nothing(found: HeadToHead) -> NoCandidateError:
    names = ", ".join(subject.model.id for subject in found.subjects)
    reasons = "; ".join(dict.fromkeys(reason.text for subject in found.subjects for reason in subject.reasons))
    return NoCandidateError(
        f"none of {names} satisfies the constraints",
        why=reasons,
        hint="The comparison stands above, with what would admit each.",
    )
