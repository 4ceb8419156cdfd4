"""One fault: what is done, what is to be seen, and what was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.faults.lab import Lab


@dataclass(frozen=True)
class Seen:
    """What a fault led to."""

    text: str
    is_right: bool
    """Whether that is what is expected."""
    left: tuple[str, ...] = ()
    """Processes, temporary files and lost data."""

    @property
    def is_good(self) -> bool:
        """Whether it is as expected and nothing is left behind."""
        return self.is_right and not self.left


@dataclass(frozen=True)
class Case:
    """A fault as data."""

    id: str
    fault: str
    expected: str
    cause: Callable[[Lab], Seen] = field(repr=False)
    is_quick: bool = False
    """Whether it runs with the tests."""


@dataclass(frozen=True)
class Group:
    """Faults of one kind."""

    title: str
    note: str
    cases: tuple[Case, ...]
