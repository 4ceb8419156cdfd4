"""`llm-advisor presets`."""

from __future__ import annotations

import click

from advisor.cli import output
from advisor.cli.help import Command
from advisor.cli.options import output_options
from advisor.domain.answers import answers_document
from advisor.domain.presets import Preset
from advisor.domain.questions import Questionnaire, answer_text
from advisor.service import Advisor


@click.command("presets", cls=Command)
@output_options
def command(as_json: bool, plain: bool) -> None:
    """Answers to begin with: what each preset is for and what it answers. The other questions keep their defaults.

    \b
    llm-advisor presets
    llm-advisor recommend --preset coding --set task.context_tokens=32768
    """
    advisor = Advisor()
    if as_json:
        output.emit_json({"presets": [_document(preset) for preset in advisor.presets]})
        return
    rows = [_row(preset, advisor.questionnaire) for preset in advisor.presets]
    output.emit_table(("id", "title", "for", "answers"), rows, plain=plain)


def _row(preset: Preset, questionnaire: Questionnaire) -> tuple[str, ...]:
    answers = (f"{key} = {answer_text(questionnaire[key], a) or 'none'}" for key, a in preset.answers.items())
    return preset.id, preset.title, preset.sentence, "; ".join(answers)


def _document(preset: Preset) -> dict[str, object]:
    return {
        "id": preset.id,
        "title": preset.title,
        "sentence": preset.sentence,
        "answers": answers_document(preset.answers),
    }
