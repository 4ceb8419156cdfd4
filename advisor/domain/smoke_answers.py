"""What the answers of a real file showed: its template, languages, stopping, context and structure, each judged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from advisor.units import format_milliseconds

TemplateState = Literal["rendered", "missing", "refused"]
AnswerCheckId = Literal["template", "stop", "repeat", "language", "context", "structure"]

SURE = 0.9
"""Probability from which an answer counts as written in another language than it was asked in."""
LIKELY = 0.5
"""Probability from which it counts as written in the language of the question. Short texts stay below."""
ALIKE = (frozenset({"no", "nb", "nn", "da"}), frozenset({"hr", "sr", "bs", "sh"}), frozenset({"id", "ms"}))
"""Languages that a few sentences cannot tell apart. They are among those that Unicode CLDR 45 puts nearest to each
other (languageMatching, `written_new` in common/supplemental/languageInfo.xml): Serbo-Croatian ones 4, Danish and
Norwegian 8, Nynorsk and Bokmål 20, Malay and Indonesian 30, where 80 is no likeness at all."""
READ_AS_WELL: Mapping[str, str] = MappingProxyType({"no": "nb", "nn": "nb", "bs": "hr", "sh": "hr"})
"""For a language without a question of its own, one that its readers read as well, in the same letters, and in which an
answer counts (ALIKE): at distances of 1, 20, 4 and 4 in the same list. There, `sh` is Serbian in Latin letters
(languageAlias in supplementalMetadata.xml), and the Serbian question is in Cyrillic ones."""
NEEDLE = "7419"
"""What is hidden in the long prompt."""

TOOL_SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {
            "tool": {"enum": ["get_weather", "send_message"]},
            "city": {"type": "string", "maxLength": 40},
            "days": {"type": "integer"},
        },
        "required": ["tool", "city", "days"],
        "additionalProperties": False,
    }
)
"""The call of a tool, as an agent makes it."""


@dataclass(frozen=True, slots=True)
class LanguageAnswer:
    """An answer to a question in one language."""

    tag: str
    is_required: bool
    text: str
    found: str | None = None
    """The language it is written in, by the identifier; None where that could not be asked."""
    probability: float = 0.0
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class LongAnswer:
    """An answer to a question whose fact is hidden in a long prompt."""

    asked_tokens: int
    """The context that was asked for, or the most that the model has."""
    n_prompt: int
    text: str
    full_seconds: float | None
    """What reading as much as was asked for would take, by the speed up to where it was cut."""
    problem: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the prompt came near the length that was asked for; it is filled by whole sentences."""
        return self.n_prompt >= 0.9 * self.asked_tokens


@dataclass(frozen=True, slots=True)
class Structured:
    """An answer under the grammar of `TOOL_SCHEMA`."""

    text: str
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class AnswerFacts:
    """What the answers showed; None where a question was not put."""

    template: TemplateState
    template_reason: str | None = None
    n_answers: int = 0
    """Those that had room to end."""
    n_ended: int = 0
    """Those that the model ended by itself."""
    longest_tokens: int = 0
    """Of the answers that were cut."""
    is_repeatable: bool | None = None
    languages: tuple[LanguageAnswer, ...] = ()
    unasked: tuple[str, ...] = ()
    """Languages for which there is no question."""
    long: LongAnswer | None = None
    structured: Structured | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One point judged: `id`, whether it holds (None if that cannot be said), whether it must, and why."""

    id: AnswerCheckId
    passed: bool | None
    required: bool
    text: str


def judge_answers(facts: AnswerFacts, names: Mapping[str, str] = MappingProxyType({})) -> tuple[Finding, ...]:
    """All points in the order in which they were tried. `names` are those of languages, for people."""
    found = [_template(facts), _stop(facts), _repeat(facts)]
    found += [_language(answer, names) for answer in facts.languages]
    found += [
        Finding("language", None, False, f"{names.get(tag, tag)} not tried: no question is known in it")
        for tag in facts.unasked
    ]
    found += [_long(facts.long), _structured(facts.structured)]
    return tuple([finding for finding in found if finding is not None])


def _template(facts: AnswerFacts) -> Finding:
    if facts.template == "rendered":
        return Finding("template", True, True, "its chat template was rendered in a sandbox and used")
    if facts.template == "missing":
        return Finding("template", False, False, "it brings no chat template: a base model or a bad conversion")
    return Finding("template", False, True, f"its chat template {facts.template_reason}")


def _stop(facts: AnswerFacts) -> Finding | None:
    if not facts.n_answers:
        return None
    if facts.n_ended:
        return Finding("stop", True, False, f"ended {facts.n_ended} of {facts.n_answers} answers by itself")
    text = f"never stopped by itself: all answers were cut, the longest after {facts.longest_tokens} tokens"
    return Finding("stop", False, False, text)


def _repeat(facts: AnswerFacts) -> Finding | None:
    if facts.is_repeatable is None:
        return None
    same = "gave the same tokens twice at temperature 0"
    text = same if facts.is_repeatable else "gave other tokens the second time, at temperature 0"
    return Finding("repeat", facts.is_repeatable, False, text)


def _language(answer: LanguageAnswer, names: Mapping[str, str]) -> Finding:
    asked = names.get(answer.tag, answer.tag)
    if answer.problem is not None or answer.found is None:
        return Finding("language", None, False, f"{asked} not judged: {answer.problem or 'no identifier'}")
    if not answer.text.strip():
        return Finding("language", False, answer.is_required, f"asked in {asked}, it wrote nothing")
    percent = f"{answer.probability:.0%} sure"
    if _is_same(answer.tag, answer.found):
        if answer.probability >= LIKELY:
            return Finding("language", True, answer.is_required, f"asked in {asked}, it answers in it ({percent})")
    elif answer.probability >= SURE:
        text = f"asked in {asked}, it answers in {names.get(answer.found, answer.found)} ({percent})"
        return Finding("language", False, answer.is_required, text)
    likeliest = names.get(answer.found, answer.found)
    text = f"asked in {asked}, the answer's language is not clear (likeliest {likeliest}, {percent})"
    return Finding("language", None, False, text)


def _is_same(tag: str, found: str) -> bool:
    asked = tag.partition("-")[0].lower()
    return asked == found or any(asked in group and found in group for group in ALIKE)


def _long(answer: LongAnswer | None) -> Finding | None:
    if answer is None:
        return None
    if answer.problem is not None:
        return Finding("context", False, True, f"{answer.asked_tokens:,} tokens of context: {answer.problem}")
    is_found = NEEDLE in answer.text
    what = "found what was hidden" if is_found else "did not find what was hidden"
    if answer.is_whole:
        return Finding("context", is_found, False, f"read a prompt of {answer.n_prompt:,} tokens and {what} in it")
    seconds = answer.full_seconds
    why = "" if seconds is None else f", which would take {format_milliseconds(1000 * seconds)} or more"
    shorter = f"read a prompt of {answer.n_prompt:,} tokens instead of {answer.asked_tokens:,}{why}, and {what} in it"
    return Finding("context", None if is_found else False, False, shorter)


def _structured(answer: Structured | None) -> Finding | None:
    if answer is None:
        return None
    if answer.problem is not None:
        return Finding("structure", False, True, f"no tool call by a grammar: {answer.problem}")
    try:
        call = json.loads(answer.text)
    except (ValueError, RecursionError):
        text = f"the tool call by a grammar is no JSON: {answer.text[:60]!r}"
        return Finding("structure", False, True, text)
    has_all = isinstance(call, dict) and {"tool", "city", "days"} <= set(call)
    text = "called a tool by a grammar, and the call parses" if has_all else "the tool call by a grammar lacks keys"
    return Finding("structure", has_all, True, text)
