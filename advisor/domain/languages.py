"""Whether a model supports the languages that somebody needs, by what its card claims."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from advisor.domain.constraints import LanguageNeeds
from advisor.domain.language_names import NO_NAMES, LanguageNames
from advisor.domain.model import Languages
from advisor.values import value


class Support(StrEnum):
    """What a model card says on one language; UNKNOWN where nobody sourced its list."""

    SUPPORTED = "supported"
    NOT_CLAIMED = "not_claimed"
    UNKNOWN = "unknown"


@value
class LanguageFinding:
    """What a card says on each language asked for."""

    required: dict[str, Support]
    preferred: dict[str, Support]
    names: Mapping[str, str] = field(default_factory=dict)
    """Each language asked for in English and in the language itself, by tag."""
    narrowed_by: str | None = None
    """`image` or `audio` where the card supports other languages with it than with text alone."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Required languages that the card does not claim, or that nobody sourced."""
        return tuple(tag for tag, support in self.required.items() if support is not Support.SUPPORTED)

    @property
    def preferred_share(self) -> float:
        """Share of the preferred languages that are supported; 1 where none is preferred."""
        if not self.preferred:
            return 1.0
        return sum(s is Support.SUPPORTED for s in self.preferred.values()) / len(self.preferred)

    def words(self, tag: str) -> str:
        """A language as a person reads it: `German (Deutsch) [de]`."""
        name = self.names.get(tag, tag)
        return tag if name == tag else f"{name} [{tag}]"


def judge_languages(
    languages: Languages, needs: LanguageNeeds, *, modality: str = "text", names: LanguageNames = NO_NAMES
) -> LanguageFinding:
    """Hold the needs against the list of the card for what goes in; a regional tag is covered by its language."""
    supported = languages.supported_for(modality)
    return LanguageFinding(
        required={tag: _support(supported, tag) for tag in needs.required},
        preferred={tag: _support(supported, tag) for tag in needs.preferred},
        names={tag: names.words(tag) for tag in (*needs.required, *needs.preferred)},
        narrowed_by=modality if supported != languages.supported else None,
    )


def _support(supported: tuple[str, ...] | None, tag: str) -> Support:
    if supported is None:
        return Support.UNKNOWN
    claimed = {known.lower() for known in supported}
    if tag.lower() in claimed or tag.partition("-")[0].lower() in claimed:
        return Support.SUPPORTED
    return Support.NOT_CLAIMED
