from __future__ import annotations

from dataclasses import replace

from advisor.domain.file_differences import FileFacts, differences
from advisor.domain.weights import weights
from tests.builders import MISTRAL_7B, model

CATALOGUE = (
    model("mistral-7b-v0.3", MISTRAL_7B, hf_id="mistralai/Mistral-7B-Instruct-v0.3", max_context_tokens=32768),
    model("mathstral-7b", MISTRAL_7B, hf_id="mistralai/Mathstral-7B-v0.1", max_context_tokens=32768),
)


def facts(**changes: object) -> FileFacts:
    base = FileFacts(MISTRAL_7B, weights(MISTRAL_7B, "Q4_K_M"), "Q4_K_M", 32768, ("Mathstral-7B-v0.1-Q4_K_M.gguf",))
    return replace(base, **changes)  # type: ignore[arg-type]


def test_of_models_of_one_shape_the_one_that_is_named_alike_is_compared() -> None:
    assert differences(facts(), CATALOGUE) == ("compared with mathstral-7b",)


def test_a_file_made_without_importance_matrix_is_no_difference() -> None:
    plain = weights(MISTRAL_7B, "Q4_0", imatrix=False)
    assert plain.total_bytes != weights(MISTRAL_7B, "Q4_0").total_bytes
    assert len(differences(facts(weights=plain, quantization="Q4_0"), CATALOGUE)) == 1


def test_other_tensor_types_are_counted() -> None:
    told = differences(facts(weights=weights(MISTRAL_7B, "Q5_K_M")), CATALOGUE)
    assert len(told) == 2
    assert "tensors have another type" in told[1]


def test_dimensions_and_context_that_differ_are_told() -> None:
    other = replace(MISTRAL_7B, vocab_size=32000)
    told = differences(facts(shape=other, max_context_tokens=8192), CATALOGUE)
    assert told[1:] == (
        "vocab_size: 32,000 in the file, 32,768 in the catalogue",
        "context: 8,192 tokens in the file, 32,768 in the catalogue",
    )


def test_a_stranger_is_called_one() -> None:
    assert differences(facts(shape=replace(MISTRAL_7B, n_layers=5)), CATALOGUE) == (
        "no model of the catalogue has this architecture and size",
    )
