"""Licences, judged for the described use: verdict, duties with the exact words, limits, the cautious reading."""

from __future__ import annotations

from dataclasses import replace

from advisor.domain.head_to_head.subjects import Scene, Subject
from advisor.domain.head_to_head.values import Edge, EdgeKind, Figure, Line, Section, known
from advisor.domain.licence import LicenceFinding, evaluate
from advisor.domain.recommend import licence_use
from advisor.domain.wording import VERDICT_MARKS

NOT_ADVICE = "A reading of the texts for the described use, not legal advice."


def licence_section(subjects: tuple[Subject, ...], scene: Scene) -> Section:
    """Verdicts for this use, and for handing on a fine-tuned model."""
    lines = [
        Line("verdict", "for this use", tuple(_verdict_figure(s) for s in subjects), _edge(subjects)),
        Line("duties", "duties", tuple(_duties_figure(s.licence) for s in subjects), unit="duties"),
        Line("standing", "always binding", tuple(_standing_figure(s.licence) for s in subjects)),
        Line("cautious", "a cautious reader", tuple(_cautious_figure(s.licence) for s in subjects)),
        Line("limits", "limits in the text", tuple(_limits_figure(s) for s in subjects)),
        Line("changes", "what would change it", tuple(_changes_figure(s.licence) for s in subjects)),
        Line("derivative", "publishing a fine-tune", tuple(_derivative_figure(s, scene) for s in subjects)),
        Line("clauses", "clauses", tuple(_clauses_figure(s.licence) for s in subjects)),
    ]
    return Section("licence", "Licence", tuple(lines), (NOT_ADVICE,))


def _verdict_figure(subject: Subject) -> Figure:
    finding = subject.licence
    text = f"{VERDICT_MARKS[finding.verdict.value]}, {subject.terms.name}"
    why = "" if finding.verdict.grants else f": {' '.join(finding.reasons)}"
    return known(text + why, finding.verdict.value, source=subject.terms.url)


def _edge(subjects: tuple[Subject, ...]) -> Edge:
    """The more permissive verdict leads; with equal verdicts, the one with fewer duties."""
    ranks = [(-s.licence.verdict.strength, -len(s.licence.obligations)) for s in subjects]
    best = max(ranks)
    if ranks.count(best) > 1:
        return Edge(EdgeKind.EVEN, None, "equal for this use" if len(set(ranks)) == 1 else "the best are equal")
    index = ranks.index(best)
    second = max(rank for rank in ranks if rank != best)
    if best[0] > second[0]:
        return Edge(EdgeKind.LEADS, index, "the more permissive verdict")
    n = best[1] - second[1]
    return Edge(EdgeKind.LEADS, index, f"{n} {'duty' if n == 1 else 'duties'} fewer")


def _duties_figure(finding: LicenceFinding) -> Figure:
    if not finding.verdict.grants:
        return known("not granted, so none arise", None)
    return known(" ".join(duty.text for duty in finding.obligations) or "none", len(finding.obligations))


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _standing_figure(finding: LicenceFinding) -> Figure:
    if not finding.verdict.grants:
        return known("not granted, so nothing binds")
    return known(
        " ".join(_sentence(term.text) for term in finding.standing) or "nothing beyond the licence's general terms"
    )


def _cautious_figure(finding: LicenceFinding) -> Figure:
    cautious = finding.conservative
    if cautious is None:
        return known("says the same", finding.verdict.value)
    extra = [duty.text for duty in cautious.obligations if duty not in finding.obligations]
    parts = [VERDICT_MARKS[cautious.verdict.value], *extra, *(f"because {p.text}" for p in cautious.because)]
    return known("; ".join(parts), cautious.verdict.value)


def _limits_figure(subject: Subject) -> Figure:
    terms, limits = subject.terms, []
    if terms.user_threshold is not None:
        threshold = terms.user_threshold
        limits.append(f"{threshold.limit:,} monthly active users in {threshold.month} ({threshold.term.clause})")
    if terms.revenue_threshold is not None:
        revenue = terms.revenue_threshold
        limits.append(f"{revenue.limit_usd:,} USD of revenue a month ({revenue.term.clause})")
    place = terms.eu_restriction
    if place is not None:
        untouched = place.multimodal_only and len(subject.model.modalities) == 1
        note = "; this model takes text only" if untouched else ""
        limits.append(f"{place.term.value}{note} ({place.term.clause})")
    if terms.field_of_use is not None:
        limits.append(f"{terms.field_of_use.term.value} ({terms.field_of_use.term.clause})")
    if terms.training_ban is not None:
        limits.append(f"{terms.training_ban.term.value} ({terms.training_ban.term.clause})")
    if not terms.is_established:
        return known("unknown: nobody established the terms")
    return known("; ".join(limits) or "none on users, revenue, place, purpose or outputs")


def _changes_figure(finding: LicenceFinding) -> Figure:
    return known(" ".join(finding.changes) or "no answer of the questionnaire")


def _derivative_figure(subject: Subject, scene: Scene) -> Figure:
    """The verdict if the fine-tuned weights were handed on."""
    use = replace(licence_use(scene.constraints), redistribute="derivative_weights", fine_tune=True)
    finding = evaluate(subject.terms, use, model_is_multimodal=len(subject.model.modalities) > 1)
    duties = [duty.text for duty in finding.obligations]
    return known(". ".join([VERDICT_MARKS[finding.verdict.value], " ".join(duties)]).strip(), finding.verdict.value)


def _clauses_figure(finding: LicenceFinding) -> Figure:
    sources = list(dict.fromkeys(clause.source for clause in finding.clauses))
    text = "; ".join(f"{clause.id}: {clause.text}" for clause in finding.clauses)
    return known(text or "none decided", None, source="; ".join(sources) or None)
