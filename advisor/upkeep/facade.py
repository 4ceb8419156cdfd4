"""What the facade offers for the upkeep of the catalogue."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from advisor.upkeep.validation import OnModel, Validation


class Upkeep:
    """The part of the facade that looks after the catalogue."""

    if TYPE_CHECKING:

        @property
        def knowledge(self) -> Path: ...

        @property
        def overlay(self) -> Path: ...

    def validate_catalogue(
        self, today: date, *, use_engine: bool = True, on_model: OnModel | None = None
    ) -> Validation:
        """Everything that is wrong with the shipped files and with the user's own. Never raises for what it finds."""
        from advisor.upkeep.validation import validate

        return validate(self.knowledge, self.overlay, today, use_engine=use_engine, on_model=on_model)

    def validation_document(self, found: Validation, today: date) -> dict[str, Any]:
        """A validation as plain values."""
        from advisor.export.upkeep import finding_document

        return {
            "today": today.isoformat(),
            "knowledge": str(self.knowledge),
            "overlay": str(self.overlay),
            "files": found.n_files,
            "models": found.n_models,
            "dry_runs": found.n_dry_runs,
            "engine_problem": None if found.engine_problem is None else str(found.engine_problem),
            "errors": found.n_errors,
            "warnings": len(found.findings) - found.n_errors,
            "findings": [finding_document(finding) for finding in found.findings],
        }
