"""The part of the facade that runs smoke tests. What it needs is loaded when somebody asks."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.service.files_here import FilesHere

if TYPE_CHECKING:
    from advisor.domain.constraints import Constraints
    from advisor.domain.recommend import Candidate
    from advisor.domain.smoke_report import SmokeReport
    from advisor.engine.client import OnEvent
    from advisor.service.smoke_runs import SmokeKit


class Smoking(FilesHere):
    """The part of the facade that runs smoke tests."""

    def smoke(
        self,
        candidate: Candidate,
        constraints: Constraints,
        *,
        folders: Iterable[Path] = (),
        on_event: OnEvent | None = None,
        cancel: threading.Event | None = None,
    ) -> SmokeReport:
        """Run the candidate for a moment: its file if it is here, else random weights in its shape; and judge it.

        Raises EngineError where llama.cpp is missing or the run was cancelled, InputError where the disk is full.
        """
        from advisor.service.smoke_runs import smoke_candidate

        here = self.file_here(candidate.model.id, candidate.quantization.name, folders)
        machine = self.machine()
        return smoke_candidate(
            candidate,
            None if here is None else Path(here.path),
            machine,
            constraints,
            self._smoke_kit(),
            on_event,
            cancel,
            lambda: self.recommend(machine, constraints).quantizations,
        )

    def smoke_file(
        self,
        path: Path,
        constraints: Constraints,
        *,
        on_event: OnEvent | None = None,
        cancel: threading.Event | None = None,
    ) -> SmokeReport:
        """Run a GGUF file on the processor and judge it. Raises InputError for a file that is no model."""
        from advisor.service.smoke_runs import smoke_file

        return smoke_file(path, self.machine(), constraints, self._smoke_kit(), on_event, cancel)

    def recommendation_with_smoke(self, path: Path, report: SmokeReport) -> str:
        """The text of a recommendation file with a smoke test in it. Raises InputError for another file."""
        from advisor.domain.smoke_report import smoke_document
        from advisor.export.recommendation_file import parse_recommendation, recommendation_text
        from advisor.export.smoke_record import with_smoke

        text = recommendation_text(path)
        parse_recommendation(text, name=str(path))
        return with_smoke(text, smoke_document(report))

    def _smoke_kit(self) -> SmokeKit:
        from advisor.catalog.smoke import load_questions
        from advisor.service.smoke_runs import SmokeKit

        return SmokeKit(self.catalogue.speed, load_questions(self.knowledge), self.catalogue.languages)
