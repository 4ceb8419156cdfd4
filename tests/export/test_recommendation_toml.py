from __future__ import annotations

import tomllib
from typing import Any

import pytest
import tomli

from advisor.domain.basis import Basis
from advisor.domain.licence import Verdict
from advisor.domain.questions import Questionnaire
from advisor.errors import NoCandidateError
from advisor.export.recommendation_toml import recommendation_toml
from advisor.export.words import BASIS_WORDS, VERDICT_WORDS
from advisor.units import format_bytes
from tests.export.support import CREATED, MACHINES, advise, text_of, without_none


@pytest.fixture(scope="module", params=list(MACHINES))
def document(request: pytest.FixtureRequest) -> dict[str, Any]:
    return advise(MACHINES[request.param])


def test_both_parsers_read_back_what_the_document_says(document: dict[str, Any]) -> None:
    text = text_of(document)
    unanswered = {"ttft_ms": "none"}
    expected = {
        **{key: part for key, part in without_none(document).items() if key != "pareto"},
        "created": CREATED,
        "tool_version": "0.1.0",
        "engine_version": "0.3.36",
        "constraints": {
            **without_none(document["constraints"]),
            "latency": {**without_none(document["constraints"]["latency"]), **unanswered},
            "scale": {**without_none(document["constraints"]["scale"]), "concurrent_requests": "none"},
        },
    }
    assert tomllib.loads(text) == expected
    assert tomli.loads(text) == expected


def test_the_first_line_names_the_schema_and_the_header_how_to_replay(document: dict[str, Any]) -> None:
    lines = text_of(document).splitlines()
    assert lines[0] == "#:schema recommendation.schema.json"
    header = lines[1 : lines.index("")]
    assert all(line.startswith("# ") for line in header)
    assert any("llm-advisor verify FILE" in line for line in header)
    assert lines[len(header) + 2] == "schema_version = 1"


def test_sections_come_in_the_order_in_which_a_person_asks(document: dict[str, Any]) -> None:
    text = text_of(document, smoke={"passed": True})
    sections = list(tomllib.loads(text))
    assert sections == [
        "schema_version", "created", "tool_version", "engine_version",
        "recommendation", "alternatives", "sensitivity", "rejected", "plan", "request", "constraints", "machine",
        "catalogue", "smoke",
    ]  # fmt: skip
    tables = [line for line in text.splitlines() if line.startswith("[")]
    parts = ["placement", "footprint", "speed", "licence", "languages", "quality", "score"]
    assert tables[:2] == ["[recommendation]", "[recommendation.placement]"]
    assert [p for t in tables for p in parts if t == f"[recommendation.{p}]"] == parts
    assert "[[recommendation.footprint.devices]]" in tables


def test_every_size_of_the_pick_has_its_gib_beside_it(document: dict[str, Any]) -> None:
    lines = text_of(document).splitlines()
    footprint = document["recommendation"]["footprint"]
    sizes = {key: n for key, n in footprint.items() if key.endswith("_bytes")}
    assert len(sizes) == 5
    for key, n_bytes in sizes.items():
        line = next(line for line in lines if line.startswith(f"{key} = {n_bytes}"))
        assert f"# {format_bytes(n_bytes)}" in line


def test_a_reading_has_its_size_and_source_in_one_line(document: dict[str, Any]) -> None:
    total = document["machine"]["memory"]["total_bytes"]["value"]
    assert f'total_bytes = {{value = {total}, source = "psutil"}} # {format_bytes(total)}' in text_of(document)


def test_words_that_need_it_are_explained(document: dict[str, Any]) -> None:
    lines = text_of(document).splitlines()
    basis = document["recommendation"]["footprint"]["basis"]
    verdict = document["recommendation"]["licence"]["verdict"]
    assert f'basis = "{basis}" # {BASIS_WORDS[basis]}' in lines
    assert f'verdict = "{verdict}" # {VERDICT_WORDS[verdict]}' in lines


def test_every_basis_and_every_verdict_has_an_explanation() -> None:
    assert set(BASIS_WORDS) == set(Basis)
    assert set(VERDICT_WORDS) == set(Verdict)


def test_what_a_duty_is_stands_above_the_first_duty() -> None:
    document = advise(MACHINES["RTX 4090"], ['preferences.families=["llama"]', "use.redistribute=weights"])
    assert len(document["recommendation"]["licence"]["obligations"]) > 1
    lines = text_of(document).splitlines()
    heads = [i for i, line in enumerate(lines) if line == "[[recommendation.licence.obligations]]"]
    assert lines[heads[0] + 1].startswith("# An act that this use owes under the licence")
    assert not lines[heads[1] + 1].startswith("#")


def test_answers_carry_the_questions_title_and_the_words_of_a_choice() -> None:
    text = text_of(advise(MACHINES["processor"]))
    assert "mau_at_release = 1000000 # Monthly active users when the model came out" in text
    assert 'deployment = "saas" # Deployment: service for others' in text
    assert "reserve_ram = 2147483648 # 2.00 GiB; System memory to keep free" in text
    assert "quality = 5.0 # Weight of quality" in text


def test_the_questionnaire_adds_comments_and_nothing_else(document: dict[str, Any]) -> None:
    bare = recommendation_toml(
        document, tool_version="0.1.0", engine_version="0.3.36", created=CREATED, smoke=None, questionnaire=None
    )
    assert tomllib.loads(bare) == tomllib.loads(text_of(document))
    assert "Weight of quality" not in bare


def test_questions_with_line_breaks_cannot_leave_their_comment(document: dict[str, Any]) -> None:
    from dataclasses import replace

    from tests.export.support import advisor

    questionnaire = advisor().questionnaire
    broken = tuple(replace(q, title="one\nsmuggled = 1\r") for q in questionnaire.questions)
    text = recommendation_toml(
        document,
        tool_version="0.1.0",
        engine_version="0.3.36",
        created=CREATED,
        smoke=None,
        questionnaire=Questionnaire(questionnaire.sections, broken),
    )
    assert tomllib.loads(text) == tomllib.loads(text_of(document))


def test_the_same_inputs_give_the_same_bytes(document: dict[str, Any]) -> None:
    assert text_of(document) == text_of(document)


def test_only_the_line_of_the_moment_differs_between_two_moments(document: dict[str, Any]) -> None:
    one = text_of(document).splitlines()
    other = text_of(document, created="2027-01-01T00:00:00Z").splitlines()
    differing = [a for a, b in zip(one, other, strict=True) if a != b]
    assert differing == [f'created = "{CREATED}"']


def test_an_unknown_engine_version_is_left_out(document: dict[str, Any]) -> None:
    text = recommendation_toml(document, tool_version="0.1.0", engine_version=None, created=CREATED, smoke=None)
    assert "engine_version" not in tomllib.loads(text)


def test_nothing_recommended_is_nothing_to_export() -> None:
    document = advise(MACHINES["processor"], ['languages.required=["tlh"]'])
    assert document["recommendation"] is None
    with pytest.raises(NoCandidateError, match="nothing to export") as raised:
        text_of(document)
    assert raised.value.hint is not None


def test_the_smoke_test_is_written_as_it_is_given(document: dict[str, Any]) -> None:
    smoke = {
        "passed": False,
        "reason": None,
        "checks": [{"id": "load", "passed": True, "seconds": 1.5}, {"id": "memory", "passed": False}],
        "memory": {"peak_bytes": 5 << 30, "basis": "measured"},
        "samples": [[1, 2], [3]],
    }
    text = text_of(document, smoke=smoke)
    assert tomllib.loads(text)["smoke"] == without_none(smoke)
    assert "peak_bytes = 5368709120 # 5.00 GiB" in text
