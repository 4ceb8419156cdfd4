"""Whether a model supports the languages that somebody needs, by what its card claims."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from advisor.domain.constraints import LanguageNeeds
from advisor.domain.model import Languages


class Support(StrEnum):
    SUPPORTED = "supported"
    NOT_CLAIMED = "not_claimed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class LanguageFinding:
    """What a card says on each language asked for."""

    required: dict[str, Support]
    preferred: dict[str, Support]

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


def judge_languages(languages: Languages, needs: LanguageNeeds) -> LanguageFinding:
    """Compare tags; a regional tag such as `pt-BR` is covered by its language."""
    return LanguageFinding(
        required={tag: _support(languages, tag) for tag in needs.required},
        preferred={tag: _support(languages, tag) for tag in needs.preferred},
    )


def _support(languages: Languages, tag: str) -> Support:
    if languages.supported is None:
        return Support.UNKNOWN
    claimed = {known.lower() for known in languages.supported}
    if tag.lower() in claimed or tag.partition("-")[0].lower() in claimed:
        return Support.SUPPORTED
    return Support.NOT_CLAIMED
