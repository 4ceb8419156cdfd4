from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest

from advisor.domain.licence import LicenceFinding, Verdict, evaluate
from advisor.domain.licence.restrictions import EU_COUNTRIES
from advisor.domain.licence.terms import TermKind, strongest
from tests.domain.licence_support import CASES, shipped, use_of

ALL_CASES: list[dict[str, Any]] = CASES["case"]
OPEN_POINTS = {f"A{n}" for n in range(1, 16)}
by_id = pytest.mark.parametrize("case", ALL_CASES, ids=[case["id"] for case in ALL_CASES])


def _finding(case: dict[str, Any]) -> LicenceFinding:
    licence = shipped()[case["licence"]]
    return evaluate(licence, use_of(**case["use"]), model_is_multimodal=case.get("multimodal", False))


def _default(licence: str, *, multimodal: bool = False, **changes: Any) -> LicenceFinding:
    return evaluate(shipped()[licence], use_of(**changes), model_is_multimodal=multimodal)


@by_id
def test_verdict_and_obligations_of_the_case(case: dict[str, Any]) -> None:
    finding = _finding(case)
    assert (finding.verdict, [o.id for o in finding.obligations]) == (case["verdict"], case["obligations"]), case["why"]


@by_id
def test_standing_terms_of_the_case(case: dict[str, Any]) -> None:
    assert [term.id for term in _finding(case).standing] == case.get("standing", [])


@by_id
def test_cautious_reading_of_the_case(case: dict[str, Any]) -> None:
    finding = _finding(case)
    if "conservative" not in case:
        assert finding.conservative is None
        return
    assert finding.conservative is not None
    found = {
        "verdict": finding.conservative.verdict,
        "obligations": [o.id for o in finding.conservative.obligations],
    }
    assert found == case["conservative"]
    assert {point.id for point in finding.conservative.because} & set(case["open"])


@by_id
def test_open_points_of_the_case_are_named(case: dict[str, Any]) -> None:
    assert set(case.get("open", [])) <= {point.id for point in _finding(case).open_points}


@by_id
def test_every_verdict_is_explained(case: dict[str, Any]) -> None:
    finding = _finding(case)
    assert finding.reasons
    assert all(sentence.endswith(".") for sentence in (*finding.reasons, *finding.changes))
    assert bool(finding.clauses) == (finding.verdict is not Verdict.UNKNOWN)
    assert all(clause.id and clause.text and "https://" in clause.source for clause in finding.clauses)


def test_the_cases_hold_the_reference_set_and_forty_more() -> None:
    origins = [case["origin"] for case in ALL_CASES]
    assert origins.count("reference") == 25
    assert origins.count("clause") >= 40
    assert all(case["clause"] for case in ALL_CASES if case["origin"] == "clause")
    assert len({case["id"] for case in ALL_CASES}) == len(ALL_CASES)


def test_every_open_point_is_exercised_by_a_case() -> None:
    assert {point for case in ALL_CASES for point in case.get("open", [])} == OPEN_POINTS


def test_verdicts_are_ordered_from_unknown_to_allowed() -> None:
    order = ["unknown", "forbidden", "needs_separate_licence", "allowed_with_obligations", "allowed"]
    assert [str(v) for v in sorted(Verdict, key=lambda v: -v.strength)] == order
    assert strongest([Verdict.ALLOWED, Verdict.FORBIDDEN, Verdict.NEEDS_SEPARATE_LICENCE]) is Verdict.FORBIDDEN
    assert strongest([]) is Verdict.ALLOWED


@pytest.mark.parametrize("point", get_args(TermKind))
@pytest.mark.parametrize("licence", sorted(shipped()))
def test_one_missing_point_makes_any_licence_unknown(licence: str, point: TermKind) -> None:
    incomplete = replace(shipped()[licence], missing=(point,))
    finding = evaluate(incomplete, use_of(deployment="internal"), model_is_multimodal=False)
    assert finding.verdict is Verdict.UNKNOWN
    assert (len(finding.obligations), len(finding.standing), len(finding.changes)) == (0, 0, 0)


def test_exact_words_stand_in_the_text_of_the_obligation() -> None:
    finding = _default("llama3", deployment="weights", redistribute="derivative_weights", fine_tune=True)
    exact = {o.id: o.exact for o in finding.obligations}
    assert exact == {
        "COPY_OF_LICENCE": None,
        "NOTICE_FILE": "Meta Llama 3 is licensed under the Meta Llama 3 Community License, "
        "Copyright © Meta Platforms, Inc. All Rights Reserved.",
        "DISPLAY:Built with Meta Llama 3": "Built with Meta Llama 3",
        "NAME_PREFIX:Llama 3": "Llama 3",
    }
    assert all(o.exact is None or o.exact in o.text for o in finding.obligations)


def test_the_month_of_the_test_stands_in_the_reason() -> None:
    months = {"llama2": "June 2023", "llama3": "March 2024", "llama3.1": "June 2024", "llama3.2": "August 2024"}
    months |= {"llama3.3": "November 2024", "llama4": "March 2025"}
    for licence, month in months.items():
        finding = _default(licence, mau_at_release=800_000_000)
        assert month in finding.reasons[0]
        assert "800,000,000" in finding.reasons[0]


@pytest.mark.parametrize("country", sorted(EU_COUNTRIES))
def test_each_member_state_and_outermost_region_is_in_the_european_union(country: str) -> None:
    assert _default("llama4", multimodal=True, country=country.lower()).verdict is Verdict.FORBIDDEN


@pytest.mark.parametrize("country", ["US", "CH", "GB", "NO", "IS", "LI", "TR", "UA", "NC", "PF", "GL", ""])
def test_no_other_country_is_in_the_european_union(country: str) -> None:
    assert len(EU_COUNTRIES) == 27 + len({"AX", "EL", "GF", "GP", "MF", "MQ", "RE", "YT"})
    assert _default("llama4", multimodal=True, country=country).verdict is Verdict.ALLOWED_WITH_OBLIGATIONS


def test_a_third_party_copy_is_marked_as_such() -> None:
    assert all("third-party copy" in clause.source for clause in _default("mrl-0.1").clauses)
    assert not any("third-party copy" in clause.source for clause in _default("llama3.1").clauses)


def test_a_withheld_licence_lists_the_clause_that_withholds_it_first() -> None:
    finding = _default("llama4", multimodal=True, country="IE", mau_at_release=10**9)
    assert [clause.id.split(",")[0] for clause in finding.clauses] == ["AUP", "2"]
    assert len(finding.reasons) == 2


def test_the_route_to_a_separate_licence_is_named() -> None:
    assert "sales@mistral.ai" in " ".join(_default("mistral-modified-mit", revenue_usd_month=10**8).reasons)
    assert "license@mistral.ai" in " ".join(_default("mnpl-0.1").reasons)


def test_an_unknown_licence_warns_against_guessing_from_the_family() -> None:
    finding = _default("unknown")
    assert finding.licence == "unknown"
    assert any("sister model" in reason for reason in finding.reasons)


def test_an_inclusive_limit_catches_the_figure_itself() -> None:
    threshold = shipped()["llama3.1"].user_threshold
    assert threshold is not None
    inclusive = replace(shipped()["llama3.1"], user_threshold=replace(threshold, operator=">="))
    at_limit = evaluate(inclusive, use_of(mau_at_release=700_000_000), model_is_multimodal=False)
    assert at_limit.verdict is Verdict.NEEDS_SEPARATE_LICENCE
    assert at_limit.changes[0].startswith("At or below 699,999,999 monthly users")
