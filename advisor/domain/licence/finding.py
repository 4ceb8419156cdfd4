"""The verdict explained: duties, clauses, reasons, the cautious reading, and what would change it."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.domain.constraints import Use
from advisor.domain.licence.agreement import Licence
from advisor.domain.licence.changes import Admission, changes_of
from advisor.domain.licence.judgement import Judgement, judge
from advisor.domain.licence.terms import Duty, Term, TermKind, Verdict
from advisor.domain.licence.triggers import cause
from advisor.values import value

_POINTS: dict[TermKind, str] = {
    "grant": "what it grants",
    "user_threshold": "a limit on users",
    "revenue_threshold": "a limit on revenue",
    "eu_restriction": "the European Union",
    "field_of_use": "the purposes it allows",
    "training_ban": "training other models",
    "duties": "duties",
    "standing": "standing terms",
}


@value
class Obligation:
    """An act that this use owes."""

    id: str
    """For example `NOTICE_FILE` or `DISPLAY:Built with Llama`."""
    text: str
    """What to do, with the exact words to print."""
    exact: str | None
    """The exact words alone."""


@value
class StandingTerm:
    """A term that binds the use without asking for an act."""

    id: str
    text: str


@value
class Clause:
    """A passage that decided."""

    id: str
    text: str
    source: str
    """Title and address of the text; says when it is somebody else's copy."""


@value
class OpenPoint:
    """A point that the text leaves open."""

    id: str
    """`A1` to `A15`."""
    text: str


@value
class CautiousReading:
    """What a cautious reader concludes where the text is open."""

    verdict: Verdict
    obligations: tuple[Obligation, ...]
    because: tuple[OpenPoint, ...]
    """The open points that make the difference."""


@value
class LicenceFinding:
    """What a licence says about a use. The literal reading; `conservative` is the cautious one."""

    licence: str
    """Identifier."""
    verdict: Verdict
    obligations: tuple[Obligation, ...]
    standing: tuple[StandingTerm, ...]
    clauses: tuple[Clause, ...]
    reasons: tuple[str, ...]
    conservative: CautiousReading | None
    """None where it is the same."""
    open_points: tuple[OpenPoint, ...]
    """Every open point that the use touches, whether or not it makes a difference."""
    changes: tuple[str, ...]
    """The smallest changes of the use that would change the verdict."""
    admission: Admission | None = None
    """The first of them after which the licence grants the use; None where it does already, or none does."""


def evaluate(licence: Licence, use: Use, *, model_is_multimodal: bool) -> LicenceFinding:
    """Judge a use of one model under its licence; `unknown` wherever a point is not established."""
    judgement = judge(licence, use, model_is_multimodal)
    if judgement.verdict is Verdict.UNKNOWN:
        return _not_established(licence)
    standing = licence.standing if judgement.verdict.grants else ()
    changes, withheld = changes_of(licence, use, model_is_multimodal, judgement), not judgement.verdict.grants
    return LicenceFinding(
        licence=licence.id,
        verdict=judgement.verdict,
        obligations=_obligations(judgement.duties),
        standing=tuple(StandingTerm(term.id, term.text) for term in standing),
        clauses=_clauses(licence, judgement),
        reasons=tuple(_reasons(licence, use, model_is_multimodal, judgement)),
        conservative=_conservative(judgement),
        open_points=_open_points(licence, judgement),
        changes=tuple(dict.fromkeys(change.text for change in changes)),
        admission=next((c.admission(use) for c in changes if withheld and c.verdict.grants), None),
    )


def _not_established(licence: Licence) -> LicenceFinding:
    points = ", ".join(_POINTS[kind] for kind in licence.missing) or _POINTS["grant"]
    reasons = [f"Nobody established what the licence says on: {points}. Read the licence file before any use."]
    if licence.warning:
        reasons.append(licence.warning)
    return LicenceFinding(licence.id, Verdict.UNKNOWN, (), (), (), tuple(reasons), None, (), ())


def _obligations(duties: tuple[Duty, ...]) -> tuple[Obligation, ...]:
    return tuple(Obligation(duty.id, duty.text, duty.exact) for duty in duties)


def _clauses(licence: Licence, judgement: Judgement) -> tuple[Clause, ...]:
    terms = [term.term for term in judgement.withheld_by]
    if judgement.verdict is Verdict.NEEDS_SEPARATE_LICENCE and licence.separate_licence is not None:
        terms.append(licence.separate_licence)
    if judgement.verdict.grants:
        terms += [licence.grant] if licence.grant is not None else []
        terms += [licence.field_of_use.term] if licence.field_of_use is not None else []
        terms += [duty.term for duty in judgement.duties]
        terms += [standing.term for standing in licence.standing]
    return tuple(dict.fromkeys(_clause(term) for term in terms))


def _clause(term: Term) -> Clause:
    text = term.value if term.phrase is None else f"{term.value} (“{term.phrase}”)"
    copy = " (third-party copy or account)" if term.third_party else ""
    return Clause(term.clause, text, f"{term.source_text}{copy}, {term.source_url}")


def _reasons(licence: Licence, use: Use, multimodal: bool, judgement: Judgement) -> Iterator[str]:
    for restriction in judgement.withheld_by:
        yield restriction.reason(use)
    if judgement.verdict is Verdict.NEEDS_SEPARATE_LICENCE and licence.separate_licence is not None:
        yield f"The way to a separate licence: {licence.separate_licence.value}."
    if not judgement.verdict.grants:
        return
    if licence.grant is not None:
        yield f"The licence allows {licence.grant.value} ({licence.grant.clause})."
    for restriction in licence.restrictions:
        yield restriction.pass_reason(use, multimodal)
    for duty in judgement.duties:
        why = cause(duty.triggers, licence, use, multimodal)
        yield f"The licence asks for {duty.term.value}, because {why} ({duty.term.clause})."
    if not judgement.duties and licence.duties:
        yield "This use triggers none of the acts that the licence asks for."


def _conservative(judgement: Judgement) -> CautiousReading | None:
    verdict, duties = judgement.cautious_verdict, judgement.cautious_duties
    if (verdict, duties) == (judgement.verdict, judgement.duties):
        return None
    added = {duty.kind for duty in duties} - {duty.kind for duty in judgement.duties}
    because = [
        OpenPoint(point.id, point.text)
        for point in judgement.ambiguities
        if (point.verdict is verdict and not verdict.grants) or added.intersection(point.duties)
    ]
    return CautiousReading(verdict, _obligations(duties), tuple(because))


def _open_points(licence: Licence, judgement: Judgement) -> tuple[OpenPoint, ...]:
    points = judgement.ambiguities
    if not judgement.verdict.grants:
        # Nobody owes an act where the licence is withheld, so doubts about acts would only distract.
        acts = {trigger for duty in licence.duties for trigger in duty.triggers}
        points = tuple(point for point in points if not point.duties and acts.isdisjoint(point.triggers))
    return tuple(OpenPoint(point.id, point.text) for point in points)
