"""What workers and screens tell the app. Workers only post; the app changes the state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from textual.message import Message

if TYPE_CHECKING:
    from advisor.domain.exclusions import Exclusion
    from advisor.domain.hardware import Machine
    from advisor.domain.head_to_head import HeadToHead
    from advisor.domain.recommend import Recommendation
    from advisor.domain.relaxing import Relaxation
    from advisor.domain.smoke_report import SmokeReport
    from advisor.domain.trial.evidence import Evidence
    from advisor.domain.trial.outcome import Trial
    from advisor.errors import AdvisorError

Topic = Literal["machine", "answers", "refilled", "advice", "counts", "chosen", "smoke", "measuring"]
"""What changed in the session; `refilled` when answers changed that nobody typed into the form."""


class EngineEvent(Protocol):
    """Progress of a run: `progress` with stage and share, or `token` with number, milliseconds and perhaps text."""

    @property
    def kind(self) -> str: ...

    @property
    def payload(self) -> Mapping[str, Any]: ...


@dataclass
class Probed(Message):
    """The machine was looked at."""

    machine: Machine


@dataclass
class Advised(Message):
    """A recommendation is ready, or the reason why there is none."""

    ticket: int
    """Number of the request: an answer to an old one is dropped."""
    outcome: Recommendation | AdvisorError


@dataclass
class Counted(Message):
    """What each answer excludes, and which questions cannot change anything."""

    ticket: int
    """Number of the request for advice that it belongs to."""
    idle: frozenset[str]
    exclusions: tuple[Exclusion, ...] | None
    """None while they are being counted."""


@dataclass
class Relaxed(Message):
    """What admitting a model changes, or why nobody can tell."""

    ticket: int
    """Number of the advice that it was asked for."""
    outcome: Relaxation | AdvisorError


@dataclass
class Compared(Message):
    """Marked models side by side, or why they cannot be compared."""

    ticket: int
    outcome: HeadToHead | AdvisorError


@dataclass
class SmokeMoved(Message):
    """The running smoke test got on."""

    ticket: int
    event: EngineEvent


@dataclass
class SmokeEnded(Message):
    """The smoke test is over."""

    ticket: int
    outcome: SmokeReport | AdvisorError


@dataclass
class MeasuringMoved(Message):
    """The running measurement got on."""

    ticket: int
    event: EngineEvent


@dataclass
class RankedAgain(Message):
    """A candidate was measured, and all are ranked anew."""

    ticket: int
    found: Recommendation


@dataclass
class MeasuringEnded(Message):
    """The measurement is over: the last ranking and what could not be measured, or why there is none."""

    ticket: int
    outcome: tuple[Recommendation, tuple[str, ...]] | AdvisorError


@dataclass
class ProbeFailed(Message):
    """The machine that was asked for cannot be had."""

    error: AdvisorError


@dataclass
class RankBy(Message):
    """Quality is to be judged by a trial of the user's own."""

    source: Trial | Path
    """The trial, or the file of its result."""


@dataclass
class EvidenceRead(Message):
    """What a trial says, with what it does not say, or why it says nothing."""

    outcome: tuple[Evidence, tuple[str, ...]] | AdvisorError


class AnswersChanged(Message):
    """An answer changed, so the advice is out of date."""
