"""Judging answers, as far as that needs no other program: regular expressions, schemas and code run in a child."""

from __future__ import annotations

import json
import math
import re
import string
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from advisor.domain.trial.tasks import Choice, Contains, Exact, Numeric

_NUMBER = re.compile(r"[-+−]?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:[eE][-+]?\d{1,3})?")
_FENCE = re.compile(r"```[ \t]*([A-Za-z0-9_+-]*)[ \t]*\r?\n(.*?)(?:```|\Z)", re.DOTALL)
_MOST_STARTS = 200
"""Places at which a JSON value is looked for; an answer of braces alone would otherwise be read over and over."""
_ROUNDING = 1e-12
"""By which share decimals may be off that a computer added up: some thousand times the last digit of a double."""
_PUNCTUATION = string.punctuation + "«»„“”‘’‚…。，！？、"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a check says of an answer."""

    score: float | None
    """0..1; None where nothing could be said."""
    reason: str
    """In a few words."""


RIGHT = Judgement(1.0, "as expected")


def judge_exact(check: Exact, answer: str) -> Judgement:
    """Compare whole texts."""
    given = _folded(answer, check.ignore_case, check.ignore_punctuation)
    wanted = [_folded(text, check.ignore_case, check.ignore_punctuation) for text in check.expected]
    return RIGHT if given in wanted else Judgement(0.0, f"expected {_listed(check.expected)}")


def judge_contains(check: Contains, answer: str) -> Judgement:
    """Look for texts."""
    given = _folded(answer, check.ignore_case, False)
    missing = [text for text in check.expected if _folded(text, check.ignore_case, False) not in given]
    n_found = len(check.expected) - len(missing)
    if check.amount == "share" and missing:
        return Judgement(n_found / len(check.expected), f"{_listed(missing)} missing")
    if not missing or (check.amount == "any" and n_found):
        return RIGHT
    return Judgement(0.0, f"{_listed(missing)} missing" if check.amount == "all" else f"none of {_listed(missing)}")


def judge_numeric(check: Numeric, answer: str) -> Judgement:
    """Compare the first or last number of the answer; thousands may be parted by commas."""
    numbers = [_number(match.group()) for match in _NUMBER.finditer(answer)]
    if not numbers:
        return Judgement(0.0, "no number in the answer")
    number = numbers[0 if check.which == "first" else -1]
    allowed = max(check.tolerance, check.relative_tolerance * abs(check.expected))
    # A sum of decimals is off by the last digits of a double although the answer is right.
    rounding = _ROUNDING * max(abs(number), abs(check.expected))
    is_near = math.isfinite(number) and abs(number - check.expected) <= allowed + rounding
    return RIGHT if is_near else Judgement(0.0, f"{number:.15g} instead of {check.expected:.15g}")


def judge_choice(check: Choice, answer: str) -> Judgement:
    """Take the first letter that stands alone and is one of the options."""
    letters = string.ascii_uppercase[: check.n_options]
    text = answer.strip()
    first = re.match(rf"\(?([{letters}{letters.lower()}])(?:[).:]|\s*$)", text)
    found = first or re.search(rf"\b([{letters}])\b", text)
    if found is None:
        return Judgement(0.0, "no option named")
    letter = found.group(1).upper()
    return RIGHT if letter == check.expected else Judgement(0.0, f"{letter} instead of {check.expected}")


def find_json(answer: str) -> tuple[bool, Any]:
    """Whether the answer contains a JSON object or array, and the first one: in a fenced block, else anywhere."""
    blocks = [body for language, body in _FENCE.findall(answer) if language.lower() in ("json", "")]
    for text in (*blocks, answer):
        for start in _starts(text):
            try:
                value, _ = json.JSONDecoder().raw_decode(text, start)
            except (ValueError, RecursionError):
                continue
            return True, value
    return False, None


def find_code(answer: str) -> str:
    """The Python of an answer: its fenced blocks joined, or all of it where there are none. Blocks without a language
    count where none is called Python: beside such a one they show what it prints."""
    blocks: list[tuple[str, str]] = [(language.lower(), body) for language, body in _FENCE.findall(answer)]
    named = [body for language, body in blocks if language in ("python", "py", "python3")]
    found = named or [body for language, body in blocks if not language]
    return "\n\n".join(found) if found else answer


def _starts(text: str) -> Iterator[int]:
    found = [match.start() for match in re.finditer(r"[{\[]", text)]
    yield from found[:_MOST_STARTS]


def _folded(text: str, ignore_case: bool, ignore_punctuation: bool) -> str:
    """Composed characters, no white space at the ends, and what else is not to count left out."""
    found = unicodedata.normalize("NFC", text).strip()
    if ignore_punctuation:
        found = found.strip(_PUNCTUATION + string.whitespace)
    return found.casefold() if ignore_case else found


def _number(text: str) -> float:
    return float(text.replace(",", "").replace("−", "-"))


def _listed(texts: tuple[str, ...] | list[str]) -> str:
    shown = ", ".join(f"{text[:60]!r}" for text in texts[:3])
    return shown if len(texts) <= 3 else f"{shown} and {len(texts) - 3} more"
