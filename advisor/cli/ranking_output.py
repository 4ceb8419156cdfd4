"""A recommendation as tables and paragraphs."""

from __future__ import annotations

from collections.abc import Mapping

from advisor.cli import output
from advisor.cli.diagnostics import note
from advisor.domain.carried_load_words import COLUMN, carried_cell, one_machine_ends
from advisor.domain.exclusions import Exclusion
from advisor.domain.local_files import LocalFile
from advisor.domain.presentation import explanation, sensitivity_paragraphs
from advisor.domain.ranking_rows import EXCLUDED_COLUMNS, FRONT_COLUMN, excluded_rows, plain_row
from advisor.domain.recommend import Recommendation
from advisor.domain.wording import ranking_row

_WIDTH = 78
"""Cells that bars may take, so that the text fits a small terminal."""

_COLUMNS = ("#", "model", "quant", "memory", "speed", "licence", "quality", "score")


def print_ranking(found: Recommendation, *, plain: bool, limit: int) -> None:
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


def print_files_here(here: Mapping[str, LocalFile]) -> None:
    """Candidates whose file is on this machine already; nothing where none is."""
    lines = [f"{candidate}  {file.path}" for candidate, file in here.items()]
    output.emit_paragraphs([("Already here", lines)] if lines else [])


def print_excluded(found: Recommendation, *, plain: bool) -> None:
    """What is excluded, with requirement, reason and fix."""
    output.emit_table(EXCLUDED_COLUMNS, excluded_rows(found), plain=plain)


def print_sensitivity(found: Recommendation) -> None:
    """A second table, after an empty line, so that a script can tell the two apart."""
    output.emit_text("")
    rows = [(p.title, line) for p in sensitivity_paragraphs(found) for line in p.lines]
    output.emit_table(("about", "finding"), rows, plain=True)


def print_exclusions(excluded: tuple[Exclusion, ...], *, plain: bool) -> None:
    """A table of its own, after an empty line."""
    output.emit_text("")
    rows = [(one.key, str(len(one.alone)), str(len(one.with_others))) for one in excluded]
    output.emit_table(("answer", "excludes alone", "with others"), rows, plain=plain, numeric=(1, 2))
