"""Everything the advisor knows, as one frozen value."""

from __future__ import annotations

from collections.abc import Mapping

from advisor.domain.language_names import NO_NAMES, LanguageNames
from advisor.domain.licence import Licence
from advisor.domain.model import Model
from advisor.domain.quality import QualityScale
from advisor.domain.quantization import Quantization
from advisor.domain.speed.constants import SpeedConstants
from advisor.values import value


@value
class Catalogue:
    """Models, licences and file types, with the hash of the files they come from."""

    version: str
    """Date of the newest entry."""
    sha256: str
    """Hash over the knowledge files, so that a recommendation can name the facts it rests on."""
    models: tuple[Model, ...]
    """Ordered by id."""
    licences: Mapping[str, Licence]
    quantizations: Mapping[str, Quantization]
    speed: SpeedConstants
    """What estimates of speed rest on."""
    quality: QualityScale
    """Abilities fitted to published results."""
    languages: LanguageNames = NO_NAMES
    """What to call the languages of the model cards."""

    def model(self, model_id: str) -> Model | None:
        """The model of that id, whatever the case, or None."""
        wanted = model_id.casefold()
        return next((m for m in self.models if wanted in (m.id, m.hf_id.casefold())), None)
