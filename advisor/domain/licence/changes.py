"""What the user could change about a use to change its verdict. Each change is tried before it is named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace

from advisor.domain.constraints import Use
from advisor.domain.licence.agreement import Licence
from advisor.domain.licence.judgement import Judgement, judge
from advisor.domain.licence.restrictions import Fix, Restriction
from advisor.domain.licence.terms import Verdict
from advisor.values import value

_OUTCOMES: dict[Verdict, str] = {
    Verdict.FORBIDDEN: "it would be forbidden",
    Verdict.NEEDS_SEPARATE_LICENCE: "it would need a separate licence",
    Verdict.ALLOWED_WITH_OBLIGATIONS: "it would be allowed with obligations",
    Verdict.ALLOWED: "it would be allowed",
}


@value
class Admission:
    """A change after which the licence grants the use."""

    text: str
    """As a sentence."""
    answers: tuple[tuple[str, bool | int | str], ...]
    """What to answer otherwise, by key of the constraints file."""


@value
class UseChange:
    """A change of the use that changes the verdict."""

    text: str
    """A sentence such as `At or below 700,000,000 monthly users in June 2024, ...: it would be allowed.`"""
    use: Use
    verdict: Verdict
    """Of the changed use."""

    def admission(self, before: Use) -> Admission:
        """The answers in which the two uses differ. A use has fields of the section `use` and one of `task`."""
        pairs = ((f.name, getattr(self.use, f.name), getattr(before, f.name)) for f in fields(Use))
        changed = {("task." if name == "fine_tune" else "use.") + name: new for name, new, old in pairs if new != old}
        return Admission(self.text, tuple(changed.items()))


def changes_of(licence: Licence, use: Use, multimodal: bool, judgement: Judgement) -> tuple[UseChange, ...]:
    """The changes that lead to another verdict, the smallest first."""
    found: list[UseChange] = []
    for fix in _candidates(licence, use, judgement):
        verdict = judge(licence, fix.use, multimodal).verdict
        if verdict is not judgement.verdict:
            text = f"{fix.phrase[0].upper()}{fix.phrase[1:]}: {_OUTCOMES[verdict]}."
            found.append(UseChange(text, fix.use, verdict))
    return tuple(found)


def _candidates(licence: Licence, use: Use, judgement: Judgement) -> Iterator[Fix]:
    if judgement.verdict.grants:
        yield from _away_from_grant(licence, use, judgement)
        return
    for restriction in judgement.withheld_by:
        yield from restriction.fixes(use)
    if len(judgement.withheld_by) > 1:
        phrases = [restriction.fixes(use)[0].phrase for restriction in judgement.withheld_by]
        yield Fix("; and ".join(phrases), repaired(use, judgement.withheld_by))


def _away_from_grant(licence: Licence, use: Use, judgement: Judgement) -> Iterator[Fix]:
    if judgement.duties:
        yield from _without_duties(use)
    revenue = licence.revenue_threshold
    if revenue is not None:
        # The only limit that is counted anew every month, so that today's grant can lapse.
        above = replace(use, revenue_usd_month=revenue.limit_usd + 1)
        yield Fix(f"in a month that follows one with more than {revenue.limit_usd:,} USD of worldwide revenue", above)


def _without_duties(use: Use) -> Iterator[Fix]:
    inside = replace(use, deployment="internal", redistribute="none")
    kept = replace(use, trained_model_distributed=False)
    both = replace(inside, trained_model_distributed=False)
    if inside != use:
        yield Fix("kept inside the organisation, with nothing handed on", inside)
    if kept != use:
        yield Fix("with the trained model kept inside the organisation", kept)
    if inside != use and kept != use:
        yield Fix("kept inside the organisation, the trained model too", both)


def repaired(use: Use, restrictions: tuple[Restriction, ...]) -> Use:
    """The use after the first fix of every restriction."""
    for restriction in restrictions:
        fixes = restriction.fixes(use)
        use = fixes[0].use if fixes else use
    return use
