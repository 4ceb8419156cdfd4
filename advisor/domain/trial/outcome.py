"""What came of a trial: the answers of each candidate, judged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from advisor.domain.trial.tasks import Task

Ending = Literal["end", "length", "context", "stop"]
"""The model ended its answer, reached the limit of tokens, filled its context, or wrote a text that ends it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a model, with what it took."""

    text: str
    n_tokens: int
    n_prompt: int
    ending: Ending
    ttft_ms: float
    """From the prompt to the first token."""
    decode_ms: float
    """For the tokens after the first."""
    template: str
    """Whether the file's own chat template was applied."""
    threads: int = 0
    neighbours: int = 0
    """Other models that ran at the same time."""

    @property
    def decode_tokens_per_s(self) -> float | None:
        """None where fewer than two tokens were written."""
        return 1000 * (self.n_tokens - 1) / self.decode_ms if self.n_tokens > 1 and self.decode_ms > 0 else None

    @property
    def seconds(self) -> float:
        return (self.ttft_ms + self.decode_ms) / 1000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a candidate made of a task."""

    task_id: str
    answer: Answer | None
    """None where there was none; the reason says why."""
    score: float | None
    """0..1; None where it could not be judged."""
    reason: str
    is_cached: bool = False
    """Whether the answer is from an earlier run."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """A model file on trial."""

    name: str
    """What it is called in reports: the catalogue's `model:quantization`, or the file's name."""
    path: str
    sha256: str
    model: str | None = None
    """Id in the catalogue; None for a file that is none of its models."""
    quantization: str | None = None

    @property
    def id(self) -> str | None:
        return f"{self.model}:{self.quantization}" if self.model and self.quantization else None


@dataclass(frozen=True, slots=True)
class Run:
    """One contestant's outcomes, in the order of the tasks."""

    contestant: Contestant
    outcomes: tuple[Outcome, ...]

    @property
    def scores(self) -> dict[str, float]:
        """By task, those that were judged."""
        return {o.task_id: o.score for o in self.outcomes if o.score is not None}

    @property
    def answered(self) -> Iterator[Answer]:
        return (o.answer for o in self.outcomes if o.answer is not None)


@dataclass(frozen=True, slots=True)
class Sampling:
    """How answers are drawn."""

    max_tokens: int
    temperature: float = 0.0
    """0 takes the likeliest token, so that the same file answers the same."""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a contestant is."""

    name: str
    n_done: int
    n_tasks: int
    n_cached: int
    """Answers that were known before."""
    n_right: float
    """Sum of the scores."""
    n_judged: int


@dataclass(frozen=True, slots=True)
class Trial:
    """All of it."""

    tasks: tuple[Task, ...]
    tasks_name: str
    tasks_sha256: str
    sampling: Sampling
    context_tokens: int
    runs: tuple[Run, ...]
    notes: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether every task has an answer, or a reason why there is none, from every contestant."""
        return all(len(run.outcomes) == len(self.tasks) for run in self.runs)
