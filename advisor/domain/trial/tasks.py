"""A task of a trial: what the model is asked, and how its answer is judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Role = Literal["system", "user", "assistant"]
Amount = Literal["all", "any", "share"]
Which = Literal["first", "last"]

DEFAULT_MAX_TOKENS = 256
"""Of an answer, unless a task or the command line says otherwise."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Exact:
    """The answer is one of these texts, white space at its ends aside."""

    expected: tuple[str, ...]
    ignore_case: bool = False
    ignore_punctuation: bool = False
    """Also leaves out punctuation at the ends, such as the full stop after a single word."""


@dataclass(frozen=True, slots=True)
class Contains:
    """The answer contains these texts: all of them, any of them, or scored by the share that it contains."""

    expected: tuple[str, ...]
    amount: Amount = "all"
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression matches somewhere in the answer."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Numeric:
    """A number of the answer is within a tolerance of the expected one."""

    expected: float
    tolerance: float = 0.0
    """Absolute."""
    relative_tolerance: float = 0.0
    """As a share of the expected number; the wider of the two counts."""
    which: Which = "last"
    """Which number of the answer counts; working comes before its result."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The answer names the letter of an option."""

    expected: str
    """A capital letter."""
    n_options: int


@dataclass(frozen=True, slots=True)
class JsonShape:
    """The answer contains a JSON value that a schema allows, and that equals the expected one where there is one."""

    schema: Mapping[str, Any]
    has_expected: bool = False
    expected: Any = None


@dataclass(frozen=True, slots=True)
class Code:
    """The answer's Python code runs, and a test after it passes."""

    test: str
    timeout_s: float = 5.0


Check = Exact | Contains | Pattern | Numeric | Choice | JsonShape | Code

NAMES: dict[type, str] = {
    Exact: "exact", Contains: "contains", Pattern: "regex", Numeric: "numeric", Choice: "choice",
    JsonShape: "json_schema", Code: "code",
}  # fmt: skip
"""What a kind of check is called in a file of tasks."""


@dataclass(frozen=True, slots=True)
class Task:
    """One question to a model."""

    id: str
    messages: tuple[Message, ...]
    check: Check | None
    """None where there is nothing to hold the answer against; people can still judge it."""
    line: int
    """Where it stands in its file, from 1."""
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    """The answer ends before any of these texts."""
    tags: tuple[str, ...] = ()

    @property
    def question(self) -> str:
        """The last turn, which is what a person needs to see."""
        return self.messages[-1].content


@dataclass(frozen=True, slots=True)
class TaskSet:
    """The tasks of a file."""

    tasks: tuple[Task, ...]
    sha256: str
    """Of the file."""
    source: str
    """What format it was read as."""
    notes: tuple[str, ...] = ()
    """What was made of a foreign format."""


def n_unchecked(tasks: Sequence[Task]) -> int:
    """Tasks without a check."""
    return sum(task.check is None for task in tasks)
