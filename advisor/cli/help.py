"""Help that is read at a glance: examples under a title, and groups for options that many commands share."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import click

GROUPS = ("Options", "Needs", "Machine", "Output")
"""Titles in the order of help. What one command alone takes stands under the first."""

Record = tuple[str, str]
"""An option and what it means."""


class SharedOption(click.Option):
    """An option that several commands have, shown under the title of its group."""

    def __init__(self, *names: Any, group: str, **attributes: Any) -> None:
        super().__init__(*names, **attributes)
        self.group = group


class WithExamples(click.Command):
    """What stands after Click's mark `\\b` in the text of a command are its examples."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        text, examples = split_help(self.help or "")
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(text)
        if examples:
            with formatter.section("Examples"):
                for line in examples:
                    formatter.write(f"{'':>{formatter.current_indent}}{line}\n")


class Command(WithExamples):
    """A command whose options are shown in groups."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, records in self.groups(ctx):
            with formatter.section(title):
                formatter.write_dl(records)

    def groups(self, ctx: click.Context) -> Iterator[tuple[str, list[Record]]]:
        """Title and options of each group that has any."""
        found: dict[str, list[Record]] = {title: [] for title in GROUPS}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None and record[1]:
                found[param.group if isinstance(param, SharedOption) else GROUPS[0]].append(record)
        yield from ((title, records) for title, records in found.items() if records)


class Group(WithExamples, click.Group):
    """A command that is divided into others."""

    command_class = Command


def split_help(text: str) -> tuple[str, list[str]]:
    """The paragraphs of a command's text, and the lines of its examples."""
    told: list[str] = []
    examples: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        lines = [line.strip() for line in paragraph.splitlines()]
        if lines[:1] == ["\b"]:
            examples += lines[1:]
        else:
            told.append(" ".join(lines))
    return "\n\n".join(told), examples
