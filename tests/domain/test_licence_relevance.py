from __future__ import annotations

from typing import Any

import pytest

from advisor.domain.licence import relevant_questions
from tests.domain.licence_support import shipped, use_of


def _relevant(*licences: str, multimodal: bool = False, **changes: Any) -> frozenset[str]:
    return relevant_questions([(shipped()[name], multimodal) for name in licences], use_of(**changes))


def test_apache_asks_only_how_the_model_is_handed_on() -> None:
    assert _relevant("apache-2.0") == {"deployment", "redistribute"}
    assert _relevant("apache-2.0", deployment="weights") == {"deployment", "redistribute", "fine_tune"}


def test_an_unknown_licence_asks_nothing() -> None:
    assert _relevant("unknown") == frozenset()


def test_revenue_matters_only_where_a_licence_counts_it() -> None:
    assert "revenue_usd_month" in _relevant("mistral-modified-mit")
    assert "revenue_usd_month" not in _relevant("llama3.1", "apache-2.0", "mrl-0.1")


@pytest.mark.parametrize(("licence", "multimodal", "asked"), [
    ("llama3.2", True, True), ("llama3.2", False, False), ("llama3.1", True, False), ("llama4", True, True),
])  # fmt: skip
def test_the_place_matters_only_for_multimodal_models_with_the_paragraph(
    licence: str, multimodal: bool, asked: bool
) -> None:
    relevant = _relevant(licence, multimodal=multimodal)
    assert {"eu_based", "country"} <= relevant if asked else not {"eu_based", "country"} & relevant


def test_the_place_still_matters_when_two_answers_say_the_same() -> None:
    assert {"eu_based", "country", "role"} <= _relevant("llama4", multimodal=True, eu_based=True, country="DE")


def test_a_field_of_use_that_is_missed_in_three_ways_asks_for_all_three() -> None:
    assert {"commercial", "purpose", "entity"} <= _relevant("mrl-0.1")


def test_the_target_of_training_matters_once_something_is_trained() -> None:
    assert "train_target" not in _relevant("llama2")
    assert "train_target" in _relevant("llama2", train_other_models=True)


def test_receipt_inside_a_product_matters_above_the_limit_only() -> None:
    assert "received_in_end_user_product" not in _relevant("llama3.1")
    assert "received_in_end_user_product" in _relevant("llama3.1", mau_at_release=10**9)


def test_duties_matter_no_more_once_the_licence_is_withheld() -> None:
    assert not {"deployment", "redistribute", "fine_tune"} & _relevant("llama4", multimodal=True, country="FR")
