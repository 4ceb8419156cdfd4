"""What Export offers: the recommendation and what every target makes of it, written once and shown as it is saved."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath
from typing import TYPE_CHECKING

from textual.content import Content

from advisor.domain.choice import with_choice
from advisor.domain.export_request import PLAIN, ExportRequest
from advisor.errors import AdvisorError, NotProbedError
from advisor.text import printable

if TYPE_CHECKING:
    from advisor.domain.questions import Answer
    from advisor.domain.recommend import Candidate, Recommendation
    from advisor.domain.smoke_report import SmokeReport
    from advisor.service import Advisor
    from advisor.tui.session import Session

FILE_NAME = "recommendation.toml"
NOTES_NAME = "take note"
_LANGUAGES = {
    ".toml": "toml", ".yaml": "yaml", ".sh": "bash", ".service": "ini", ".conf": "ini", ".py": "python",
    ".env": "bash", ".example": "bash", ".md": "markdown", ".html": "html", ".svg": "xml", ".Modelfile": "docker",
}  # fmt: skip
"""Names of Pygments' lexers by the end of a file's name; others are shown without colours."""


@dataclass(frozen=True)
class Preview:
    """One file before it is written, or what is to be known of files."""

    name: str
    """Of the file."""
    text: str
    is_file: bool = True

    @cached_property
    def lines(self) -> Sequence[Content]:
        """The text with its syntax in colours."""
        if not self.is_file:
            return plain_lines(self.text)
        from textual.highlight import highlight

        language = _LANGUAGES.get(PurePath(self.name).suffix, "text")
        return highlight(printable(self.text), language=language).split("\n", allow_blank=True)


def plain_lines(text: str) -> Sequence[Content]:
    """A text in lines, without colours."""
    return [Content(line) for line in text.split("\n")]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be exported, as it stands in the session now."""

    found: Recommendation
    chosen: Candidate
    answers: Mapping[str, Answer]
    report: SmokeReport | None
    """The smoke test of the candidate, where there was one."""

    def is_same(self, other: Wanted | None) -> bool:
        """Whether a file would say the same. Recommendations are compared by identity: each is made once."""
        return (
            other is not None
            and (self.found is other.found and self.chosen is other.chosen and self.report is other.report)
            and self.answers == other.answers
        )


def wanted_of(session: Session) -> Wanted | None:
    """None where no model is selected."""
    found, chosen, smoke = session.found, session.chosen, session.chosen_smoke
    if found is None or chosen is None:
        return None
    return Wanted(found, chosen, dict(session.answers), smoke.report if smoke is not None else None)


class Writer:
    """Writes a recommendation once for as long as it says the same: the files made from it name its hash.

    Safe for several threads.
    """

    def __init__(self, advisor: Advisor) -> None:
        self._advisor = advisor
        self._lock = threading.Lock()
        self._wanted: Wanted | None = None
        self._text = ""

    def recommendation(self, wanted: Wanted) -> str:
        """The TOML file's text. Raises AdvisorError where it cannot be made."""
        with self._lock:
            if not wanted.is_same(self._wanted):
                chosen = with_choice(wanted.found, wanted.chosen)
                self._text = self._advisor.recommendation_text(chosen, wanted.answers, smoke=wanted.report)
                self._wanted = wanted
            return self._text

    def files(
        self, wanted: Wanted, target: str | None, name: str, request: ExportRequest = PLAIN
    ) -> tuple[Preview, ...]:
        """The recommendation itself where no target is chosen, else what the target makes of it, the notes last.

        `name` is the recommendation's, without its ending. Raises AdvisorError where the target cannot serve it.
        """
        text = self.recommendation(wanted)
        if target is None:
            return (Preview(f"{name}.toml", text),)
        made = self._advisor.export_text(text, target, name, request)
        files = [Preview(file, content) for file, content in made.texts.items()]
        notes = [*(f"! {line}" for line in made.cautions), *made.duties]
        return (*files, *([Preview(NOTES_NAME, "\n".join(notes), is_file=False)] if notes else []))


def refusal_lines(error: AdvisorError) -> str:
    """Why a target has no files for the pick, and what to press."""
    lines = [f"✗ {error}", ""]
    if isinstance(error, NotProbedError):
        lines.append("a makes the files all the same; each says so.")
    lines.append("o chooses another target, p opens the options of this one.")
    return "\n".join(lines)
