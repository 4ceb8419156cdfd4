"""The user's own catalogue entries, which the facade lays over what ships; broken ones never hide it."""

from __future__ import annotations

import warnings
from pathlib import Path

from advisor import paths
from advisor.domain.catalogue import Catalogue
from advisor.domain.model import GgufFile, Model
from advisor.errors import AdvisorError, AdvisorWarning, InputError
from advisor.files import is_folder


class OwnEntries:
    """The part of the facade that knows the overlay."""

    overlay_problem: AdvisorError | None = None
    """Why the user's entries are not used; None where they are, where there are none, and before anybody looked."""

    @property
    def overlay(self) -> Path:
        """The directory of the user's own entries, which need not exist."""
        return paths.config_dir()

    def with_own_entries(self, shipped: Catalogue, knowledge: Path) -> Catalogue:
        """The catalogue with the user's entries, or the shipped one and a warning where they cannot be used."""
        # Whoever has no overlay does not pay for one.
        if not is_folder(self.overlay / "models"):
            return shipped
        from advisor.catalog.overlay import with_overlay

        try:
            return with_overlay(shipped, knowledge, self.overlay)
        except InputError as error:
            self._refuse(error)
            return shipped

    def with_own_files(self, model: Model, knowledge: Path) -> tuple[GgufFile, ...]:
        """The published files of a model, as far as the user's list goes from there."""
        from advisor.catalog.loader import load_gguf_files

        shipped = load_gguf_files(knowledge, model.id)
        if not is_folder(self.overlay / "gguf"):
            return shipped
        from advisor.domain.upkeep.files import joined_files

        try:
            return joined_files(shipped, load_gguf_files(self.overlay, model.id))
        except InputError as error:
            self._refuse(error)
            return shipped

    def _refuse(self, error: InputError) -> None:
        self.overlay_problem = error
        text = f"your own entries are not used, only what ships: {error}"
        end = "" if text.endswith((".", "?")) else "."
        hint = "See all that is wrong with: llm-advisor catalog validate"
        warnings.warn(f"{text}{end} {hint}", AdvisorWarning, stacklevel=2)
