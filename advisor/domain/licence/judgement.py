"""The verdict alone: which terms withhold the licence and which duties a use triggers."""

from __future__ import annotations

from advisor.domain.constraints import Use
from advisor.domain.licence.agreement import Licence
from advisor.domain.licence.restrictions import Restriction
from advisor.domain.licence.terms import Ambiguity, Duty, Verdict, strongest
from advisor.domain.licence.triggers import is_triggered
from advisor.values import value


@value
class Judgement:
    """The literal reading beside the cautious one."""

    verdict: Verdict
    withheld_by: tuple[Restriction, ...]
    """Terms that withhold the licence, the strongest first."""
    duties: tuple[Duty, ...]
    cautious_verdict: Verdict
    cautious_duties: tuple[Duty, ...]
    """The literal duties, then those that only a cautious reader sees."""
    ambiguities: tuple[Ambiguity, ...]
    """Open questions that this use touches."""


def judge(licence: Licence, use: Use, multimodal: bool) -> Judgement:
    """Weigh every term of a licence against a use of one of its models."""
    if not licence.is_established:
        return Judgement(Verdict.UNKNOWN, (), (), Verdict.UNKNOWN, (), ())
    biting = [term for term in licence.restrictions if term.bites(use, multimodal)]
    withheld_by = tuple(sorted(biting, key=lambda term: -term.verdict.strength))
    open_points = tuple(a for a in licence.ambiguities if is_triggered(a.triggers, licence, use, multimodal))
    withheld = strongest(term.verdict for term in withheld_by)
    duties = _duties(licence, use, multimodal, withheld)
    feared = strongest([withheld, *(a.verdict for a in open_points if a.verdict is not None)])
    cautious_duties = _cautious_duties(licence, duties, open_points) if feared.grants else ()
    return Judgement(
        _granted(withheld, duties), withheld_by, duties, _granted(feared, cautious_duties), cautious_duties, open_points
    )


def _duties(licence: Licence, use: Use, multimodal: bool, withheld: Verdict) -> tuple[Duty, ...]:
    if not withheld.grants:
        return ()
    return tuple(d for d in licence.duties if is_triggered(d.triggers, licence, use, multimodal))


def _cautious_duties(
    licence: Licence, duties: tuple[Duty, ...], open_points: tuple[Ambiguity, ...]
) -> tuple[Duty, ...]:
    feared = {kind for point in open_points for kind in point.duties}
    return duties + tuple(d for d in licence.duties if d.kind in feared and d not in duties)


def _granted(withheld: Verdict, duties: tuple[Duty, ...]) -> Verdict:
    return Verdict.ALLOWED_WITH_OBLIGATIONS if withheld is Verdict.ALLOWED and duties else withheld
