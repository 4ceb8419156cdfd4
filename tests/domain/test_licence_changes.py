from __future__ import annotations

from typing import Any

import pytest

from advisor.domain.licence import evaluate
from tests.domain.licence_support import shipped, use_of


def _changes(licence: str, *, multimodal: bool = False, **changes: Any) -> tuple[str, ...]:
    return evaluate(shipped()[licence], use_of(**changes), model_is_multimodal=multimodal).changes


def test_the_limit_on_users_names_figure_and_month() -> None:
    assert _changes("llama3.1", mau_at_release=900_000_000) == (
        "At or below 700,000,000 monthly users in June 2024, affiliates included: "
        "it would be allowed with obligations.",
    )


def test_the_limit_on_revenue_names_the_figure() -> None:
    (change,) = _changes("mistral-modified-mit", revenue_usd_month=25_000_000)
    assert change.startswith("At or below 20,000,000 USD")
    assert change.endswith("it would be allowed.")


def test_a_rolling_limit_is_named_while_it_is_kept() -> None:
    (change,) = _changes("mistral-modified-mit")
    assert "more than 20,000,000 USD" in change
    assert change.endswith("it would need a separate licence.")


def test_a_licensee_in_the_union_could_sit_elsewhere_or_be_an_end_user() -> None:
    outside, end_user = _changes("llama4", multimodal=True, country="FR", eu_based=True)
    assert "outside the European Union" in outside
    assert "end user" in end_user


def test_two_restrictions_are_lifted_one_by_one_and_together() -> None:
    changes = _changes("llama4", multimodal=True, country="IE", mau_at_release=10**9)
    assert changes[0].endswith("it would need a separate licence.")
    assert changes[-1].endswith("it would be allowed with obligations.")
    assert "European Union; and at or below 700,000,000" in changes[-1]
    assert not any(change.startswith("At or below") for change in changes), "that alone leaves it forbidden"


def test_a_field_of_use_names_everything_that_stands_outside() -> None:
    (change,) = _changes("mrl-0.1")
    assert change == (
        "Without commercial aim, for research, personal use or evaluation and by an individual, a university, "
        "a non-profit or a public body: it would be allowed."
    )


def test_duties_fall_away_when_nothing_leaves_the_organisation() -> None:
    (change,) = _changes("llama3.1")
    assert change == "Kept inside the organisation, with nothing handed on: it would be allowed."


@pytest.mark.parametrize("licence", ["apache-2.0", "unknown"])
def test_nothing_to_change_where_nothing_would(licence: str) -> None:
    assert _changes(licence) == ()


def test_training_ban_is_lifted_by_not_training() -> None:
    (change,) = _changes("llama2", deployment="internal", train_other_models=True, train_target="other_llm")
    assert change == "Without training other language models with it or its outputs: it would be allowed."


def test_a_product_is_withdrawn_rather_than_swapped_for_weights() -> None:
    (change,) = _changes(
        "mnpl-0.1", commercial=False, purpose="personal", deployment="embedded", redistribute="product"
    )
    assert change == "Kept inside the organisation and with nothing handed on: it would be allowed."
