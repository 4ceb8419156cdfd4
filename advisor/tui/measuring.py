"""One measurement by slices as the screens show it: what is timed, how far it is, how well it is known."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from advisor.domain.recommend import Candidate, Recommendation
    from advisor.domain.speed import Speed
    from advisor.errors import AdvisorError
    from advisor.tui.messages import EngineEvent


@dataclass(frozen=True, slots=True)
class Measuring:
    """Changed by events only; each event makes a new one."""

    only: Candidate | None
    """The one candidate that is measured; None for the best of the ranking."""
    before: Mapping[str, Speed | None]
    """What was said of each candidate before it was measured, by id."""
    name: str = ""
    """The model that is timed now."""
    subjects: tuple[str, ...] = ()
    """Ids of the candidates so far."""
    stage: str = "start"
    share: float | None = None
    """Of the stage, 0..1."""
    n_rounds: int = 0
    half_widths: tuple[float, ...] = ()
    """Half of the interval after each round of the stage, as a share of the figure."""
    problems: tuple[str, ...] = ()
    found: Recommendation | None = None
    """The latest ranking."""
    is_done: bool = False
    is_cancelled: bool = False
    error: AdvisorError | None = None
    started: float = field(default_factory=time.monotonic)
    """On the monotonic clock, in seconds."""

    @property
    def is_running(self) -> bool:
        return not self.is_done and not self.is_cancelled and self.error is None

    @property
    def measured(self) -> dict[str, Speed | None]:
        """What was said before of the candidates that were taken up, by id."""
        return {name: self.before.get(name) for name in self.subjects}

    def moved(self, event: EngineEvent) -> Measuring:
        """The measurement one event later."""
        payload = event.payload
        if event.kind == "subject":
            subjects = (*self.subjects, str(payload["id"]))
            begun = replace(self, name=str(payload["name"]), subjects=subjects, stage="start")
            return replace(begun, share=None, n_rounds=0, half_widths=())
        if event.kind != "progress":
            return self
        stage, share = str(payload.get("stage", "")), payload.get("share")
        widths = self.half_widths if stage == self.stage else ()
        if payload.get("half_width") is not None:
            widths = (*widths, float(payload["half_width"]))
        return replace(
            self,
            stage=stage,
            share=None if share is None else float(share),
            n_rounds=int(payload.get("rounds", 0)),
            half_widths=widths,
        )
