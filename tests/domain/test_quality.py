"""The quality judgement: what the fitted scale says, what it says where it knows nothing, and the field's consensus."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.catalog.loader import load_catalogue
from advisor.domain.catalogue import Catalogue
from advisor.domain.constraints import LanguageNeeds
from advisor.domain.model import Model
from advisor.domain.quality import Rating
from advisor.paths import knowledge_dir
from tests.builders import model

TASKS = ("chat", "coding", "reasoning", "math", "translation", "summarization", "agents", "vision")
ENGLISH = LanguageNeeds(("en",), ())


@cache
def shipped() -> Catalogue:
    return load_catalogue(knowledge_dir())


def known(model_id: str) -> Model:
    found = shipped().model(model_id)
    assert found is not None
    return found


def rated(
    who: str | Model, quantization: str = "F16", task: str = "chat", languages: LanguageNeeds = ENGLISH
) -> Rating:
    subject = known(who) if isinstance(who, str) else who
    return shipped().quality.for_use(task, languages).rating(subject, shipped().quantizations[quantization])


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("llama-3.3-70b-instruct", "llama-3.1-8b-instruct"),
        ("llama-3.1-405b-instruct", "llama-3.1-70b-instruct"),
        ("llama-3.1-70b-instruct", "llama-3.1-8b-instruct"),
        ("llama-3.1-8b-instruct", "llama-3.2-1b-instruct"),
        ("llama-3.1-8b-instruct", "llama-2-7b-chat"),
        ("mistral-small-3.2-24b-instruct", "mistral-7b-instruct-v0.3"),
        ("mistral-large-2407", "mistral-7b-instruct-v0.3"),
        ("ministral-3-14b-instruct", "ministral-3-3b-instruct"),
    ],
)
def test_at_every_task_the_shipped_models_stand_as_the_field_would_put_them(task: str, better: str, worse: str) -> None:
    assert rated(better, task=task).score > rated(worse, task=task).score
    assert rated(better, task=task).low > rated(worse, task=task).low


def test_a_model_trained_for_code_codes_better_than_its_equals_of_its_day() -> None:
    assert (
        rated("codestral-22b-v0.1", task="coding").score > rated("mistral-small-22b-instruct-2409", task="coding").score
    )
    assert rated("codestral-22b-v0.1", task="chat").score < rated("mistral-small-22b-instruct-2409", task="chat").score


@pytest.mark.parametrize("task", TASKS)
def test_a_model_without_results_has_a_wider_interval_than_one_with_many(task: str) -> None:
    many, none = rated("llama-3.1-8b-instruct", task=task), rated("mistral-nemo-12b-instruct", task=task)
    assert many.n_results > 15
    assert none.n_results == 0
    assert none.ground == "prior"
    assert "size and age alone" in none.basis_text
    assert none.deviation > 1.5 * many.deviation


def test_every_interval_holds_its_middle_and_stays_within_the_scale() -> None:
    for subject in shipped().models:
        for task in TASKS:
            for quantization in ("F16", "Q4_K_M", "Q2_K"):
                rating = rated(subject, quantization, task)
                assert 0 < rating.low < rating.score < rating.high < 1
                assert rating.n_task_results <= rating.n_results


def test_the_counts_are_those_of_the_catalogue() -> None:
    for subject in shipped().models:
        used = [b for b in subject.benchmarks if not (b.setting or "").startswith("base model")]
        assert rated(subject).n_results <= len(used)
    assert rated("llama-3.3-70b-instruct").n_results == 9


def test_an_entry_of_the_user_is_judged_by_size_and_age_and_says_so() -> None:
    own = model("somebodys-own", release_date="2024-05-22")
    rating = rated(own)
    assert rating.ground == "prior"
    assert "size and age alone" in rating.basis_text
    assert rating.deviation > rated("mistral-7b-instruct-v0.3").deviation
    larger = replace(own, text_params=70_000_000_000, active_params=70_000_000_000)
    assert rated(larger).score > rating.score
    assert rated(replace(own, release_date="2025-05-22")).score > rating.score


def test_what_is_unknown_about_an_entry_widens_its_interval() -> None:
    own = model("somebodys-own", release_date="2024-05-22")
    undated = replace(own, release_date=None)
    unsized = replace(own, text_params=None, total_params=None, active_params=None)
    assert rated(undated).deviation > rated(own).deviation
    assert rated(unsized).deviation > rated(own).deviation


def test_a_tuned_model_takes_the_ability_of_its_base_and_a_wider_interval() -> None:
    tuned = model("somebodys-tune", base="llama-3.1-8b-instruct", line="own")
    rating, base = rated(tuned), rated("llama-3.1-8b-instruct")
    assert rating.ground == "base"
    assert "tuned from" in rating.basis_text
    assert rating.ability == pytest.approx(base.ability)
    assert rating.deviation > 1.5 * base.deviation
    assert rating.low < base.low


def test_a_tuned_model_whose_base_has_no_results_is_judged_by_its_own_size_and_age() -> None:
    tuned = model("somebodys-tune", base="mistral-nemo-12b-instruct", line="own")
    assert rated(tuned).ground == "prior"
    assert rated(tuned) == rated(replace(tuned, base=None))


def test_english_alone_needs_no_evidence_of_other_languages() -> None:
    assert rated("llama-3.1-8b-instruct").notes == ()
    assert rated("llama-3.1-8b-instruct", languages=LanguageNeeds((), ())) == rated("llama-3.1-8b-instruct")
    assert rated("mistral-7b-instruct-v0.3").notes == ()


def test_an_asked_language_without_a_result_says_so_and_widens_the_interval() -> None:
    french, swahili = LanguageNeeds(("fr",), ()), LanguageNeeds(("sw",), ())
    measured, unmeasured = (rated("llama-3.1-8b-instruct", languages=needs) for needs in (french, swahili))
    assert measured.notes == ()
    assert "sw" in unmeasured.notes[0]
    assert unmeasured.deviation > measured.deviation
    assert unmeasured.low < measured.low
    nothing = rated("mistral-7b-instruct-v0.3", languages=french)
    assert "no published result in any language but English" in nothing.basis_text
    assert nothing.low < rated("mistral-7b-instruct-v0.3").low


def test_preferred_languages_and_regions_count_as_languages() -> None:
    by_region = rated("llama-3.1-8b-instruct", languages=LanguageNeeds((), ("pt-BR",)))
    assert by_region == rated("llama-3.1-8b-instruct", languages=LanguageNeeds(("pt",), ()))


def test_two_regions_of_a_language_count_as_one_language() -> None:
    once, twice = LanguageNeeds(("sw", "en"), ()), LanguageNeeds(("sw-KE", "sw-TZ", "en"), ("sw",))
    assert rated("llama-3.1-8b-instruct", languages=twice) == rated("llama-3.1-8b-instruct", languages=once)


def test_evidence_in_other_languages_is_a_criterion_that_tells_models_apart() -> None:
    """Llama 3.1 8B falls further behind 70B in other languages than in English, as its card's tables show."""
    german = LanguageNeeds(("de",), ())
    gaps = [
        rated("llama-3.1-70b-instruct", languages=needs).ability
        - rated("llama-3.1-8b-instruct", languages=needs).ability
        for needs in (ENGLISH, german)
    ]
    assert gaps[1] > gaps[0]


@given(share=st.integers(0, 3), others=st.integers(0, 3))
def test_the_ability_lies_between_that_in_english_and_that_in_other_languages(share: int, others: int) -> None:
    asked = LanguageNeeds(("en",) * min(1, others), ("de", "fr", "es")[:share])
    ends = [rated("llama-3.1-8b-instruct", languages=n).ability for n in (ENGLISH, LanguageNeeds(("de",), ()))]
    assert min(ends) - 1e-9 <= rated("llama-3.1-8b-instruct", languages=asked).ability <= max(ends) + 1e-9
