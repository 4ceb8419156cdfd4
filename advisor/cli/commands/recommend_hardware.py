"""`llm-advisor recommend --what-hardware`: what would make models possible."""

from __future__ import annotations

from advisor.api import Needs, answers_of
from advisor.cli import output
from advisor.cli.diagnostics import note
from advisor.domain.hardware_options import HardwareAnswer
from advisor.domain.hardware_words import OPTION_COLUMNS, hardware_document, hardware_paragraph, option_rows
from advisor.errors import InputError, NoCandidateError
from advisor.service import Advisor, MachineChoice


def print_hardware(
    advisor: Advisor,
    needs: Needs,
    where: MachineChoice,
    named: tuple[str, ...],
    quant: str | None,
    *,
    as_json: bool,
    plain: bool,
) -> None:
    """The hardware that each named model wants. Raises InputError without a name, NoCandidateError where none helps."""
    constraints = advisor.constraints(answers_of(advisor, needs))
    machine = advisor.machine(where)
    if not named:
        raise InputError("--what-hardware names no model", hint="Add for example --model llama-3.3-70b-instruct.")
    quantization = None if quant is None else advisor.quantization_name(quant)
    found = tuple(advisor.hardware_for(name, machine, constraints, quantization=quantization) for name in named)
    _print(found, as_json=as_json, plain=plain)


def _print(found: tuple[HardwareAnswer, ...], *, as_json: bool, plain: bool) -> None:
    """The options of each model, or why there are none. Raises NoCandidateError where some model has none."""
    if as_json:
        output.emit_json({"hardware": [hardware_document(one) for one in found]})
    for one in () if as_json else found:
        rows = [(one.model.id, *row) for row in option_rows(one)]
        if rows:
            output.emit_table(("model", *OPTION_COLUMNS), rows, plain=plain, numeric=(3, 4))
        else:
            note(f"{one.model.id}: {'; '.join(hardware_paragraph(one).lines)}")
    impossible = [one.model.id for one in found if not one.is_possible]
    if impossible:
        why = "the reasons stand above, or under `obstacles` in the document"
        hint = "Change the needs: llm-advisor licence and recommend --exclusions say which."
        raise NoCandidateError(f"no hardware makes {', '.join(impossible)} possible", why=why, hint=hint)
