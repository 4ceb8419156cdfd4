"""What a head-to-head is made of: sections of lines, each with one figure per subject."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from advisor.domain.basis import Basis
from advisor.domain.constraints import Constraints
from advisor.domain.hardware import Machine
from advisor.domain.head_to_head.subjects import Subject

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Figure:
    """What a line says of one subject."""

    text: str
    """For people; says `unknown` and why where nothing is known."""
    value: Scalar = None
    """For programs, in the unit that the line names."""
    basis: Basis | None = None
    source: str | None = None
    """Where it was read, or what it was computed from."""


class EdgeKind(StrEnum):
    """How the figures of a line stand to one another."""

    LEADS = "leads"
    """One subject is ahead of every other by more than the figures are uncertain."""
    CLOSE = "close"
    """They differ, but the evidence cannot tell them apart or the difference is small."""
    EVEN = "even"
    INCOMPARABLE = "incomparable"
    """The figures were not made alike, so that their difference says nothing."""


@dataclass(frozen=True, slots=True)
class Edge:
    """Who is ahead on a line."""

    kind: EdgeKind
    subject: int | None = None
    """Index of the subject that leads."""
    text: str = ""
    """By how much, or why nothing can be said."""


@dataclass(frozen=True, slots=True)
class Line:
    """One point of comparison."""

    id: str
    title: str
    figures: tuple[Figure, ...]
    """One for each subject, in their order."""
    edge: Edge | None = None
    """None where neither can be better."""
    remark: str | None = None
    """What holds for all subjects: the unit, the setting, the engine."""
    unit: str | None = None
    """Unit of the values."""


@dataclass(frozen=True, slots=True)
class Section:
    """Lines on one theme."""

    id: str
    title: str
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HeadToHead:
    """The whole comparison, with what it rests on."""

    machine: Machine
    constraints: Constraints
    subjects: tuple[Subject, ...]
    sections: tuple[Section, ...]
    bottom_line: tuple[str, ...]
    """Sentences that follow from the lines by the rules of `advisor.domain.head_to_head.bottom_line`."""
    catalogue_version: str
    catalogue_sha256: str

    @property
    def anything_usable(self) -> bool:
        """Whether at least one subject passes every requirement."""
        return any(subject.usable for subject in self.subjects)

    def line(self, line_id: str) -> Line | None:
        """The line of that id."""
        return next((line for section in self.sections for line in section.lines if line.id == line_id), None)


def known(text: str, value: Scalar = None, basis: Basis | None = None, source: str | None = None) -> Figure:
    """A figure that somebody sourced or computed."""
    return Figure(text, value, basis, source)


def unknown(reason: str) -> Figure:
    """A figure that nobody has."""
    return Figure(f"unknown: {reason}")
