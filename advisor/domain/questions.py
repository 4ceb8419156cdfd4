"""The questionnaire: one table of questions, rendered as form, flags and file, and read back into constraints."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

from advisor.domain.language_names import NO_NAMES, LanguageNames
from advisor.errors import InputError, nearest
from advisor.units import format_bytes, parse_size
from advisor.values import value

Answer = bool | int | float | str | tuple[str, ...] | None
QuestionKind = Literal["bool", "integer", "number", "size", "choice", "choices", "text", "tags"]

_WORDS_FOR_NOTHING = ("", "none", "unset")


@value
class Question:
    """One thing that the user is asked."""

    key: str
    """Dotted key in the constraints file, for example `task.context_tokens`."""
    kind: QuestionKind
    title: str
    help: str
    default: Answer
    choices: Mapping[str, str]
    """Valid answers with the words that a person reads."""
    minimum: float | None
    maximum: float | None
    pattern: str | None
    optional: bool
    advanced: bool
    """Hidden until the user asks for everything."""
    names: LanguageNames = NO_NAMES
    """What language codes are checked against."""

    @property
    def section(self) -> str:
        return self.key.partition(".")[0]

    @property
    def domain_text(self) -> str:
        """The valid answers in words."""
        if self.choices:
            return f"{'any' if self.kind == 'choices' else 'one'} of {', '.join(self.choices)}"
        return {
            "bool": "true or false",
            "size": "a size such as 4GiB",
            "tags": "language codes such as en, fr",
            "text": "two capital letters such as DE" if self.pattern else "text",
        }.get(self.kind, self._range_text())

    def _range_text(self) -> str:
        noun = "a whole number" if self.kind == "integer" else "a number"
        low, high = self.minimum, self.maximum
        if low is not None and high is not None:
            return f"{noun} from {low:,.12g} to {high:,.12g}"
        return f"{noun} of at least {low:,.12g}" if low is not None else noun


@value
class Section:
    """Questions that belong together."""

    id: str
    title: str


@value
class Questionnaire:
    """All questions in their order."""

    sections: tuple[Section, ...]
    questions: tuple[Question, ...]

    def __getitem__(self, key: str) -> Question:
        """The question of a key. Raises InputError with the nearest valid key."""
        for question in self.questions:
            if question.key == key:
                return question
        hint = nearest(key, self.keys()) or f"Sections are {', '.join(s.id for s in self.sections)}."
        raise InputError(f"unknown key {key!r}", hint=hint)

    def keys(self) -> tuple[str, ...]:
        return tuple(q.key for q in self.questions)

    def defaults(self) -> dict[str, Answer]:
        return {q.key: q.default for q in self.questions}

    def of_section(self, section: str) -> tuple[Question, ...]:
        return tuple(q for q in self.questions if q.section == section)


def read_answer(question: Question, raw: object) -> Answer:
    """The answer meant by a TOML value or by a word that somebody typed.

    Raises InputError that names the key, the value and what would be valid.
    """
    if question.optional and (raw is None or (isinstance(raw, str) and raw.strip().lower() in _WORDS_FOR_NOTHING)):
        return None
    try:
        answer = _READERS[question.kind](question, raw)
    except ValueError as error:
        raise InputError(
            f"{question.key}: {raw!r} cannot be used", why=str(error) or f"expected {question.domain_text}"
        ) from error
    _check_range(question, answer)
    return answer


def _check_range(question: Question, answer: Answer) -> None:
    if isinstance(answer, bool) or not isinstance(answer, int | float):
        return
    low, high = question.minimum, question.maximum
    if (low is not None and answer < low) or (high is not None and answer > high) or answer != answer:
        raise InputError(f"{question.key}: {answer!r} is out of range", why=f"expected {question.domain_text}")


def _read_bool(question: Question, raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    word = str(raw).strip().lower() if isinstance(raw, str) else ""
    if word in ("true", "yes", "y", "on"):
        return True
    if word in ("false", "no", "n", "off"):
        return False
    raise ValueError


@contextmanager
def _in_plain_words() -> Iterator[None]:
    """Drop Python's own words about a number, so that those about the question take their place."""
    try:
        yield
    except (ValueError, OverflowError):
        raise ValueError from None


def _read_integer(question: Question, raw: object) -> int:
    if isinstance(raw, bool):
        raise ValueError
    if isinstance(raw, int):
        return raw
    if isinstance(raw, str):
        with _in_plain_words():
            return int(raw.strip().replace(",", "").replace("_", ""))
    raise ValueError


def _read_number(question: Question, raw: object) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        raise ValueError
    with _in_plain_words():
        return float(raw)


def _read_size(question: Question, raw: object) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int | str):
        raise ValueError
    return raw if isinstance(raw, int) else parse_size(raw)


def _read_choice(question: Question, raw: object) -> str:
    if isinstance(raw, str) and raw.strip() in question.choices:
        return raw.strip()
    hint = nearest(raw, question.choices) if isinstance(raw, str) else None
    raise ValueError(f"expected {question.domain_text}" + (f". {hint}" if hint else ""))


def _words(raw: object) -> list[str]:
    if isinstance(raw, str):
        return [word for word in re.split(r"[,\s]+", raw.strip()) if word]
    if isinstance(raw, Iterable):
        words = list(raw)
        if all(isinstance(word, str) for word in words):
            return [str(word).strip() for word in words]
    raise ValueError


def _read_choices(question: Question, raw: object) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(_read_choice(question, word) for word in _words(raw)))
    if not words:
        raise ValueError(f"choose at least {question.domain_text}")
    return words


def _read_text(question: Question, raw: object) -> str:
    if not isinstance(raw, str):
        raise ValueError
    text = raw.strip().upper() if question.pattern else raw.strip()
    if text and question.pattern:
        if not re.fullmatch(question.pattern, text):
            raise ValueError
        return _country(text, question.names)
    return text


_OTHER_COUNTRY_CODES = {"EL": "GR", "UK": "GB"}
"""What the institutions of the European Union write beside ISO 3166."""


def _country(code: str, names: LanguageNames) -> str:
    """The code by ISO 3166: an unknown one would pass for a country outside the European Union."""
    code = _OTHER_COUNTRY_CODES.get(code, code)
    if names.regions and code not in names.regions:
        raise ValueError(f"{code} is no country of ISO 3166; write for example DE for Germany")
    return code


def _read_tags(question: Question, raw: object) -> tuple[str, ...]:
    return tuple(dict.fromkeys(question.names.tag(word) for word in _words(raw)))


_READERS: dict[str, Callable[[Question, object], Answer]] = {
    "bool": _read_bool,
    "integer": _read_integer,
    "number": _read_number,
    "size": _read_size,
    "choice": _read_choice,
    "choices": _read_choices,
    "text": _read_text,
    "tags": _read_tags,
}


def answer_text(question: Question, answer: Answer) -> str:
    """An answer as a person writes it, which `read_answer` reads back."""
    if answer is None:
        return ""
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    if isinstance(answer, tuple):
        return ", ".join(answer)
    if question.kind == "size" and isinstance(answer, int):
        text = format_bytes(answer).replace(" ", "")
        return text if parse_size(text) == answer else str(answer)
    if isinstance(answer, float):
        short = f"{answer:g}"
        return short if float(short) == answer else repr(answer)
    return str(answer)
