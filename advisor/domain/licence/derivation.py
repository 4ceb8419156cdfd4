"""What a derivative may not shed: the restrictions of the licence that its base is under."""

from __future__ import annotations

from advisor.domain.licence.agreement import Licence
from advisor.domain.licence.terms import TermKind

_RESTRICTIONS: tuple[TermKind, ...] = (
    "user_threshold",
    "revenue_threshold",
    "eu_restriction",
    "field_of_use",
    "training_ban",
)


def shed_restrictions(own: Licence, base: Licence) -> tuple[str, ...]:
    """Restrictions of the base's licence that the derivative's licence would do away with, in plain words.

    A licence that nobody established sheds nothing: its verdict is `unknown` in any case.
    """
    if not own.is_established:
        return ()
    if not base.is_established:
        return ("terms that nobody established",)
    kinds = [kind for kind in _RESTRICTIONS if getattr(base, kind) is not None and getattr(own, kind) is None]
    return tuple(kind.replace("_", " ") for kind in kinds)
