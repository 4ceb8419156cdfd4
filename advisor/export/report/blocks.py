"""What a report is made of. Text is plain and may be foreign: a renderer escapes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values."""

    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: frozenset[int] = frozenset()
    """Columns that are set flush right."""


@dataclass(frozen=True, slots=True)
class Points:
    """A list of sentences under a word that says what they are."""

    title: str
    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing with the sentence that says the same; its figures stand in a table beside it, too."""

    name: str
    """Of the file, where the drawing is one."""
    svg: Element
    text: str


Block = Facts | Grid | Points | Chart


@dataclass(frozen=True, slots=True)
class Section:
    """A part under a heading. One that has nothing to say is left out."""

    title: str
    blocks: Sequence[Block]
    intro: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """All of it."""

    title: str
    summary: Sequence[str]
    """The answer in a few sentences."""
    badge: str | None
    """What the reader must know before believing any figure, such as that the machine is simulated."""
    sections: Sequence[Section]
