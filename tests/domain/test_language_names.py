"""Language tags as people type them, and the names that they get to read."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.catalog.loader import load_languages
from advisor.catalog.questions import load_questionnaire
from advisor.domain.language_names import NO_NAMES
from advisor.domain.questions import read_answer
from advisor.errors import InputError
from tests.catalog.example import KNOWLEDGE

NAMES = load_languages(KNOWLEDGE)


@pytest.mark.parametrize(
    ("typed", "tag"),
    [
        ("de", "de"),
        ("DE", "de"),
        ("pt_br", "pt-BR"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("deu", "de"),
        ("ger", "de"),
        ("iw", "he"),
        ("cmn", "zh"),
        ("fil", "tl"),
        ("gsw", "gsw"),
        ("tlh", "tlh"),
        ("es-419", "es-419"),
        ("de-CH-1996", "de-CH-1996"),
    ],
)
def test_a_tag_is_written_as_bcp_47_writes_it(typed: str, tag: str) -> None:
    assert NAMES.tag(typed) == tag


@pytest.mark.parametrize(
    ("typed", "suggested"),
    [
        ("german", "de (German (Deutsch))"),
        ("Français", "fr (French (français))"),
        ("jp", "ja (Japanese (日本語))"),
        ("frnch", "fr (French (français))"),
        ("pt-BB-X", "pt"),
        ("de-DF", "'DF' is no region and no script"),
        ("cz", "cs (Czech (čeština))"),
        ("xx", "write for example"),
        ("", "write for example"),
        ("🙂", "write for example"),
    ],
)
def test_a_word_that_is_no_tag_is_refused_with_the_nearest(typed: str, suggested: str) -> None:
    with pytest.raises(ValueError, match="is no language code") as caught:
        NAMES.tag(typed)
    assert suggested in str(caught.value)


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ("en", "English"),
        ("de", "German (Deutsch)"),
        ("pt-BR", "Portuguese, Brazil (português, Brasil)"),
        ("zh-Hant", "Chinese, Traditional (中文)"),
        ("gsw", "gsw"),
    ],
)
def test_a_language_is_named_in_english_and_in_itself(tag: str, words: str) -> None:
    assert NAMES.words(tag) == words


@given(st.sampled_from(sorted(NAMES.languages)), st.sampled_from(["", "-DE", "_br", "-Latn"]))
def test_a_written_tag_reads_as_itself(language: str, rest: str) -> None:
    tag = NAMES.tag(language + rest)
    assert NAMES.tag(tag) == tag == NAMES.tag(tag.upper())


@given(st.text(max_size=12))
def test_any_text_is_a_tag_that_reads_as_itself_or_refused(text: str) -> None:
    for names in (NAMES, NO_NAMES):
        with suppress(ValueError):
            tag = names.tag(text)
            assert names.tag(tag) == tag


def test_the_questionnaire_refuses_a_wrong_code_by_key_and_value() -> None:
    question = load_questionnaire(KNOWLEDGE)["languages.required"]
    assert read_answer(question, ["EN", "pt_BR", "deu"]) == ("en", "pt-BR", "de")
    with pytest.raises(InputError, match=r"languages\.required.*jp") as caught:
        read_answer(question, "en, jp")
    assert "ja (Japanese" in str(caught.value.why)


@pytest.mark.parametrize(("typed", "code"), [("de", "DE"), ("EL", "GR"), ("uk", "GB"), ("RE", "RE"), ("", "")])
def test_a_country_is_written_by_iso_3166(typed: str, code: str) -> None:
    assert read_answer(load_questionnaire(KNOWLEDGE)["use.country"], typed) == code


def test_a_country_that_does_not_exist_is_refused_and_never_taken_for_one_outside_the_union() -> None:
    with pytest.raises(InputError, match=r"use\.country"):
        read_answer(load_questionnaire(KNOWLEDGE)["use.country"], "XX")
