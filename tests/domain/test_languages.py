"""The gate on languages, held against the cards of real models."""

from __future__ import annotations

import pytest

from advisor.catalog.loader import load_catalogue
from advisor.domain.constraints import LanguageNeeds
from advisor.domain.languages import LanguageFinding, Support, judge_languages
from tests.catalog.example import KNOWLEDGE

CATALOGUE = load_catalogue(KNOWLEDGE)


def judged(model_id: str, *required: str, modality: str = "text") -> LanguageFinding:
    model = CATALOGUE.model(model_id)
    assert model is not None
    needs = LanguageNeeds(required, ())
    return judge_languages(model.languages, needs, modality=modality, names=CATALOGUE.languages)


@pytest.mark.parametrize(
    ("model_id", "tag", "support"),
    [
        ("llama-3.1-8b-instruct", "th", Support.SUPPORTED),
        ("llama-3.1-8b-instruct", "ja", Support.NOT_CLAIMED),
        ("llama-3.1-8b-instruct", "pt-BR", Support.SUPPORTED),
        ("llama-3-8b-instruct", "de", Support.NOT_CLAIMED),
        ("llama-4-scout", "tl", Support.SUPPORTED),
        ("mistral-small-3.2-24b-instruct", "ne", Support.SUPPORTED),
        ("mistral-large-3-675b-instruct", "nl", Support.SUPPORTED),
        ("mistral-7b-instruct-v0.3", "en", Support.UNKNOWN),
        ("mistral-large-4-1t-a52b", "fr", Support.UNKNOWN),
    ],
)
def test_a_language_is_supported_not_claimed_or_unknown(model_id: str, tag: str, support: Support) -> None:
    assert judged(model_id, tag).required == {tag: support}


@pytest.mark.parametrize("model_id", ["llama-3.2-11b-vision-instruct", "llama-3.2-90b-vision-instruct"])
def test_llama_3_2_vision_speaks_eight_languages_and_sees_in_english_alone(model_id: str) -> None:
    text = judged(model_id, "en", "de", "fr", "it", "pt", "hi", "es", "th")
    assert set(text.required.values()) == {Support.SUPPORTED}
    assert text.narrowed_by is None
    image = judged(model_id, "en", "de", modality="image")
    assert image.required == {"en": Support.SUPPORTED, "de": Support.NOT_CLAIMED}
    assert image.narrowed_by == "image"


def test_other_models_see_in_every_language_that_they_speak() -> None:
    finding = judged("llama-4-scout", "de", "vi", modality="image")
    assert finding.missing == ()
    assert finding.narrowed_by is None


def test_a_finding_names_each_language() -> None:
    finding = judged("llama-3.1-8b-instruct", "de", "pt-BR", "tlh")
    assert [finding.words(tag) for tag in finding.required] == [
        "German (Deutsch) [de]",
        "Portuguese, Brazil (português, Brasil) [pt-BR]",
        "tlh",
    ]
