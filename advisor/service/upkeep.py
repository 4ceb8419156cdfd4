"""What the facade offers for the upkeep of the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import TYPE_CHECKING, Any

from advisor.errors import InputError
from advisor.service.core import Core

if TYPE_CHECKING:
    from advisor.upkeep.refreshing import Refreshed
    from advisor.upkeep.validation import Validation


class Upkeep(Core):
    """The part of the facade that looks after the catalogue."""

    def validate_catalogue(self, today: date, *, use_engine: bool = True) -> Validation:
        """Everything that is wrong with the shipped files and with the user's own. Never raises for what it finds."""
        from advisor.upkeep.validation import validate

        return validate(self.knowledge, self.overlay, today, use_engine=use_engine)

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

    def refresh_catalogue(
        self, names: Iterable[str], today: date, *, dry_run: bool = False, say: Callable[[str], None]
    ) -> Refreshed:
        """Bring the published files of the named models, or of all, from the Hub into the user's overlay.

        Raises NetworkError where the Hub must not be asked, InputError for an unknown model, for one without a
        repository and for an overlay that cannot be written. What fails at the Hub is in the result.
        """
        from advisor.catalog.loader import load_gguf_files
        from advisor.hub.access import hub_access
        from advisor.hub.retry import RetryPolicy
        from advisor.upkeep.refreshing import refresh, repositories

        access = hub_access()
        named = [self.model(name) for name in names]
        for model in named:
            if not repositories(model, load_gguf_files(self.knowledge, model.id)):
                hint = "Add an entry with gguf_repos to your overlay; docs/catalogue.md says how."
                raise InputError(f"no repository with GGUF files of {model.id} is known", hint=hint)
        models = named or self.catalogue.models
        retry = RetryPolicy(on_wait=say)
        return refresh(models, self.knowledge, self.overlay, access, today, dry_run=dry_run, say=say, retry=retry)

    def refreshed_document(self, found: Refreshed) -> dict[str, Any]:
        """A refresh as plain values."""
        from advisor.export.upkeep import change_document

        return {
            "repositories": found.n_repos,
            "changes": [change_document(change) for change in found.changes],
            "written": [str(path) for path in found.written],
            "failures": [{"model": f.model, "repo": f.repo, "text": str(f.error)} for f in found.failures],
            "not_asked": found.n_skipped,
        }
