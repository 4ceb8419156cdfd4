"""`llm-advisor trial --text`: what files make of a text."""

from __future__ import annotations

import sys
from pathlib import Path

from advisor.cli import output
from advisor.cli.diagnostics import note
from advisor.cli.progress import Bar
from advisor.domain.trial.words import TEXT_COLUMNS, text_lines, text_rows
from advisor.errors import InputError
from advisor.service import Advisor, TextRequest


def compare_text(
    advisor: Advisor, text: Path, files: tuple[Path, ...], tokens: int, *, as_json: bool, plain: bool
) -> None:
    """Score a text with one file, or compare two. Raises InputError for another number of them."""
    if len(files) not in (1, 2):
        raise InputError("--text takes one or two files", hint="Add --file REFERENCE.gguf --file OTHER.gguf.")
    with _Share() as progress:
        found = advisor.compare_on_text(TextRequest(text, files, max_tokens=tokens), on_share=progress)
    if as_json:
        output.emit_json(advisor.text_document(found))
        return
    output.emit_table(TEXT_COLUMNS, text_rows(found), plain=plain, numeric=(1, 2, 4))
    output.emit_text("")
    for line in text_lines(found):
        output.emit_text(line)
    for said in found.notes:
        note(said)


class _Share(Bar):
    """How much of the text is scored, on a terminal."""

    def __call__(self, name: str, share: float) -> None:
        if sys.stderr.isatty():
            self.show(f"{name}: {share:.0%} of the text", share)
