from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.domain.constraints import Use
from advisor.domain.licence import LicenceFinding, Verdict, evaluate, relevant_questions
from advisor.domain.licence.judgement import judge
from tests.domain.licence_support import shipped

FIGURES = st.one_of(
    st.integers(0, 2_000_000_000), st.sampled_from([0, 20_000_000, 20_000_001, 700_000_000, 700_000_001])
)
PLACES = st.sampled_from(["", "US", "CH", "DE", "fr", "GB"])


def _strategy(hint: object) -> st.SearchStrategy[object]:
    if get_origin(hint) is Literal:
        return st.sampled_from(get_args(hint))
    return {bool: st.booleans(), int: FIGURES, str: PLACES}[hint]  # type: ignore[index]  # hints are these types


USES: st.SearchStrategy[Use] = st.builds(Use, **{name: _strategy(h) for name, h in get_type_hints(Use).items()})
LICENCES = st.sampled_from(sorted(shipped()))
FIGURE_FIELDS = st.sampled_from(["mau", "mau_at_release", "affiliates_mau_at_release", "revenue_usd_month"])


def use_with(use: Use, field: str, answer: Any) -> Use:
    return replace(use, **{field: answer})


def _strengths(finding: LicenceFinding) -> tuple[int, int]:
    cautious = finding.conservative or finding
    return finding.verdict.strength, cautious.verdict.strength


@given(LICENCES, USES, st.booleans(), FIGURE_FIELDS, st.integers(1, 10**10))
@settings(max_examples=400, deadline=None)
def test_more_users_or_revenue_never_weaken_a_restriction(
    name: str, use: Use, multimodal: bool, field: str, more: int
) -> None:
    before = _strengths(evaluate(shipped()[name], use, model_is_multimodal=multimodal))
    grown = replace(use, **{field: getattr(use, field) + more})
    after = _strengths(evaluate(shipped()[name], grown, model_is_multimodal=multimodal))
    assert after[0] >= before[0]
    assert after[1] >= before[1]


@given(LICENCES, USES, st.booleans())
@settings(max_examples=400, deadline=None)
def test_a_finding_is_consistent(name: str, use: Use, multimodal: bool) -> None:
    finding = evaluate(shipped()[name], use, model_is_multimodal=multimodal)
    assert _strengths(finding)[1] >= _strengths(finding)[0], "a cautious reader is never the bolder one"
    assert bool(finding.obligations) == (finding.verdict is Verdict.ALLOWED_WITH_OBLIGATIONS)
    assert finding.conservative is None or finding.conservative.because
    assert finding.verdict.grants or not finding.standing
    assert len({o.id for o in finding.obligations}) == len(finding.obligations)
    assert finding == evaluate(shipped()[name], use, model_is_multimodal=multimodal)


@given(LICENCES, USES, st.booleans())
@settings(max_examples=300, deadline=None)
def test_a_withheld_use_is_always_told_what_would_change_it(name: str, use: Use, multimodal: bool) -> None:
    finding = evaluate(shipped()[name], use, model_is_multimodal=multimodal)
    if finding.verdict in (Verdict.FORBIDDEN, Verdict.NEEDS_SEPARATE_LICENCE):
        assert any("it would be allowed" in change for change in finding.changes)


@given(USES, st.booleans())
def test_unknown_stays_unknown_whatever_the_use(use: Use, multimodal: bool) -> None:
    assert evaluate(shipped()["unknown"], use, model_is_multimodal=multimodal).verdict is Verdict.UNKNOWN


@given(LICENCES, USES, st.booleans(), st.data())
@settings(max_examples=300, deadline=None)
def test_a_question_that_is_skipped_could_not_have_mattered(
    name: str, use: Use, multimodal: bool, data: st.DataObject
) -> None:
    licence = shipped()[name]
    skipped = sorted({f.name for f in fields(Use)} - relevant_questions([(licence, multimodal)], use))
    if not skipped:
        return
    field = data.draw(st.sampled_from(skipped))
    other = use_with(use, field, data.draw(_strategy(get_type_hints(Use)[field])))
    before, after = (judge(licence, described, multimodal) for described in (use, other))
    assert (after.verdict, after.duties) == (before.verdict, before.duties)
    assert (after.cautious_verdict, after.cautious_duties) == (before.cautious_verdict, before.cautious_duties)
