"""Which questions about a use still matter, found by trying the answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

from advisor.domain.constraints import Use
from advisor.domain.licence.agreement import Licence
from advisor.domain.licence.changes import repaired
from advisor.domain.licence.judgement import judge
from advisor.domain.licence.terms import Verdict

Outcome = tuple[Verdict, tuple[str, ...], Verdict, tuple[str, ...]]
Choices = dict[str, tuple[Any, ...]]

_FIELDS = tuple(field.name for field in fields(Use))
_INSIDE, _OUTSIDE = "FR", "US"
"""A country in the European Union and one outside: the only difference that a licence makes."""


def relevant_questions(licences: Iterable[tuple[Licence, bool]], use: Use) -> frozenset[str]:
    """Fields of `use` whose value can still change a verdict or a duty under one of the licences.

    A pair is a licence and whether the model is multimodal. Each field is changed alone; where a term withholds the
    licence because of several fields at once, its fields are also tried after the term is satisfied.
    """
    by_id = {(licence.id, multimodal): (licence, multimodal) for licence, multimodal in licences}
    pairs = [pair for pair in by_id.values() if pair[0].is_established]
    choices = _choices([licence for licence, _ in pairs])
    variants = {name: tuple(_variants(use, name, choices)) for name in _FIELDS}
    found: set[str] = set()
    for licence, multimodal in pairs:
        found |= _deciding(licence, multimodal, use, {n: v for n, v in variants.items() if n not in found})
        withheld_by = judge(licence, use, multimodal).withheld_by
        names = {name for term in withheld_by for name in term.fields} - found
        if names:
            lifted = repaired(use, withheld_by)
            retried = {name: tuple(_variants(lifted, name, choices)) for name in names}
            found |= _deciding(licence, multimodal, lifted, retried)
    return frozenset(found)


def answers_of_field(name: str, licences: Iterable[Licence]) -> tuple[Any, ...]:
    """Values of a field of `Use` between which one of the licences could tell a difference."""
    values: tuple[Any, ...] = _choices([licence for licence in licences if licence.is_established])[name]
    return values


def _deciding(licence: Licence, multimodal: bool, use: Use, variants: dict[str, tuple[Use, ...]]) -> set[str]:
    """Fields of which some variant comes out differently from the use."""
    base = _outcome(licence, use, multimodal)
    return {
        name
        for name, others in variants.items()
        if any(_outcome(licence, other, multimodal) != base for other in others)
    }


def _outcome(licence: Licence, use: Use, multimodal: bool) -> Outcome:
    found = judge(licence, use, multimodal)
    duties = tuple(duty.id for duty in found.duties)
    return found.verdict, duties, found.cautious_verdict, tuple(duty.id for duty in found.cautious_duties)


def _variants(use: Use, name: str, choices: Choices) -> Iterator[Use]:
    current = getattr(use, name)
    return (replace(use, **{name: value}) for value in choices[name] if value != current)


def _choices(licences: list[Licence]) -> Choices:
    limits = {licence.user_threshold.limit for licence in licences if licence.user_threshold is not None}
    limits |= {licence.revenue_threshold.limit_usd for licence in licences if licence.revenue_threshold is not None}
    figures = (0, *(limit + 1 for limit in sorted(limits)))
    return {name: figures if values is None else values for name, values in _CLOSED_CHOICES.items()}


def _closed_choices() -> dict[str, tuple[Any, ...] | None]:
    """The values of every field with a closed set of them; None for a figure."""
    found: dict[str, tuple[Any, ...] | None] = {}
    for name, hint in get_type_hints(Use).items():
        if get_origin(hint) is Literal:
            found[name] = get_args(hint)
        else:
            found[name] = {bool: (False, True), int: None, str: (_INSIDE, _OUTSIDE)}[hint]
    return found


_CLOSED_CHOICES = _closed_choices()
