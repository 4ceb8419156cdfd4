"""Language tags of BCP 47: what a person typed as a tag, and a tag in the words of a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from advisor.domain.model import LanguageName

_EXAMPLES = "write for example en, fr or pt-BR"


@dataclass(frozen=True)
class LanguageNames:
    """Languages, regions and scripts by their codes."""

    languages: Mapping[str, LanguageName] = field(default_factory=dict)
    """By BCP 47 tag."""
    regions: Mapping[str, str] = field(default_factory=dict)
    """English name by ISO 3166 code."""
    scripts: Mapping[str, str] = field(default_factory=dict)
    """English name by ISO 15924 code."""
    own_regions: Mapping[str, str] = field(default_factory=dict)
    """Name of a region in a language, by regional tag such as `pt-BR`."""

    @cached_property
    def _by_code(self) -> dict[str, str]:
        """Tags by every code of their language: `de`, `deu` and `ger`."""
        other = {code: name.tag for name in self.languages.values() for code in name.codes}
        return {**other, **{tag: tag for tag in self.languages}}

    @cached_property
    def _by_name(self) -> dict[str, str]:
        """Tags by their names, in lower case."""
        own = {name.own.casefold(): name.tag for name in self.languages.values() if name.own}
        return {**own, **{name.english.casefold(): name.tag for name in self.languages.values()}}

    def tag(self, word: str) -> str:
        """The tag as BCP 47 writes it: `pt_br` is `pt-BR`, `deu` is `de`.

        Raises ValueError, with the nearest tag, for a word that names no registered language.
        """
        language, *rest = word.strip().replace("_", "-").split("-")
        subtags = [_cased(subtag) for subtag in rest]
        known = self._by_code.get(language.lower())
        found = "-".join([known or language.lower(), *subtags])
        if known is not None and all(self._is_named(subtag) for subtag in subtags):
            return found
        if not _is_registered(found):
            raise ValueError(self._complaint(word, known, subtags))
        return found

    def _is_named(self, subtag: str) -> bool:
        return subtag in self.regions or subtag in self.scripts

    def _complaint(self, word: str, known: str | None, subtags: list[str]) -> str:
        from difflib import get_close_matches

        if known is not None:
            wrong = next((s for s in subtags if not self._is_named(s)), "-".join(subtags))
            near = get_close_matches(wrong, [*self.regions, *self.scripts], n=1, cutoff=0.5)
            hint = f"did you mean {known}-{near[0]}?" if near else f"{known} alone covers all its regions"
            return f"{word!r} is no language code: {wrong!r} is no region and no script; {hint}"
        likely = [f"{tag} ({self.words(tag)})" for tag in self._suggestions(word)]
        hint = f"did you mean {' or '.join(likely)}?" if likely else _EXAMPLES
        return f"{word!r} is no language code; {hint}"

    def _suggestions(self, word: str) -> list[str]:
        """Tags that somebody can have meant, the likeliest first: by name, by country, by likeness."""
        from difflib import get_close_matches

        wanted = word.strip().casefold()
        if wanted in self._by_name:
            return [self._by_name[wanted]]
        spoken = [tag.partition("-")[0] for tag in self.own_regions if tag.endswith(f"-{wanted.upper()}")]
        if spoken:
            return spoken[:3]
        country = self.regions.get(wanted.upper(), "").casefold()
        near = get_close_matches(country or wanted, self._by_name, n=1, cutoff=0.65)
        if near:
            return [self._by_name[name] for name in near]
        return get_close_matches(wanted, self.languages, n=2, cutoff=0.6)

    def words(self, tag: str) -> str:
        """The name in English and in the language itself: `German (Deutsch)`; the tag where nobody named it."""
        language, *subtags = tag.split("-")
        name = self.languages.get(language)
        if name is None:
            return tag
        english = ", ".join([name.english, *(self._subtag_words(s) for s in subtags)])
        own = ", ".join([name.own or "", *self._own_subtags(tag, subtags)]) if name.own else ""
        return f"{english} ({own})" if own and own.casefold() != english.casefold() else english

    def _subtag_words(self, subtag: str) -> str:
        return self.regions.get(subtag) or self.scripts.get(subtag) or subtag

    def _own_subtags(self, tag: str, subtags: list[str]) -> Iterator[str]:
        language = tag.partition("-")[0]
        for subtag in subtags:
            if subtag not in self.scripts:
                yield self.own_regions.get(f"{language}-{subtag}") or subtag


NO_NAMES = LanguageNames()
"""Where nobody needs to read a name."""


def _cased(subtag: str) -> str:
    """A subtag in the case of RFC 5646, section 2.1.1: script in title case, region in upper case, others in lower."""
    if len(subtag) == 4 and subtag.isalpha():
        return subtag.title()
    return subtag.upper() if len(subtag) == 2 and subtag.isalpha() else subtag.lower()


def _is_registered(tag: str) -> bool:
    """Whether every subtag is in the registry of IANA."""
    # Its tables take longer to load than all else that a short command does, and few tags need them.
    import langcodes

    return bool(langcodes.tag_is_valid(tag))
