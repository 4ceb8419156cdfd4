"""All of standard output: data only, the same bytes for the same inputs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from advisor.files import check_place, write_all, write_atomically
from advisor.text import harmless_json, one_line, printable

Row = Sequence[str]


def emit_json(document: dict[str, Any]) -> None:
    """A document with the schema version first."""
    click.echo(harmless_json(json.dumps({"schema_version": 1, **document}, ensure_ascii=False, indent=2)))


def emit_text(text: str) -> None:
    """Lines of text, harmless for a terminal."""
    click.echo(printable(text))


def check_file(place: str | None, *, force: bool) -> None:
    """Before work that takes long: raise InputError where its outcome could not be written by `emit_file`."""
    if place is not None and place != "-":
        check_place(Path(place), overwrite=force)


def emit_file(text: str, place: str, *, force: bool) -> None:
    """Text to a file, or to standard output for `-`. Raises InputError where the file exists or is unwritable."""
    if place == "-":
        click.echo(text, nl=False)
        return
    write_atomically(Path(place), text, overwrite=force)


def emit_files(texts: Mapping[str, str], folder: Path, *, force: bool) -> list[Path]:
    """Texts to files of a folder, all or, where one exists, none. Raises InputError like `emit_file`."""
    return write_all(folder, texts, overwrite=force)


def emit_table(columns: Row, rows: Sequence[Row], *, plain: bool, numeric: Sequence[int] = ()) -> None:
    """A table: drawn on a terminal, tab-separated without truncation otherwise."""
    head, *cells = [[one_line(cell) for cell in row] for row in (columns, *rows)]
    if plain or not sys.stdout.isatty():
        for line in (head, *cells):
            click.echo("\t".join(line))
        return
    from advisor.cli.drawing import draw

    draw(head, cells, frozenset(numeric))


def emit_paragraphs(paragraphs: Sequence[tuple[str, Sequence[str]]]) -> None:
    """Titled paragraphs, their lines indented."""
    for title, lines in paragraphs:
        click.echo(f"\n{one_line(title)}")
        for line in lines:
            click.echo(f"  {printable(line)}")


def emit_facts(facts: Sequence[tuple[str, str]], *, plain: bool) -> None:
    """Names and values, one pair a line: aligned, or tab-separated for `--plain`."""
    if plain:
        for name, value in facts:
            click.echo(f"{one_line(name)}\t{one_line(value)}")
        return
    width = max((len(name) for name, _ in facts), default=0)
    for name, value in facts:
        click.echo(f"{one_line(name):<{width}}  {one_line(value)}")
